"""A chapter made up for the tests of the builder, and what they do with it."""

import base64
import json
import zlib
from pathlib import Path

import nbformat

CHAPTER = (Path(__file__).parent / "course" / "test_build_chapter.txt").read_text(encoding="utf-8")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def change(root, old, new, stem="ch08_tiny"):
    """Replace a piece of a source that must be there."""
    path = root / f"notebooks/source/{stem}.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    write(path, text.replace(old, new))
    return path


def notebook(root, face, name="ch08_tiny"):
    """A built notebook, valid as such."""
    found = nbformat.read(root / f"notebooks/{face}/{name}.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(found)
    return found


def code(found):
    return "\n".join(cell.source for cell in found.cells)


def references(path):
    return json.loads(zlib.decompress(base64.b64decode(path.read_bytes())))
