"""Writes a notebook that was handed in anew, so that nothing in it runs where a grader or a student reads it.

nbgrader's pages show a notebook's HTML as it is, in the name of whoever looks at it, and the formgrader's page may do
what the instructor may. What is kept is text, code, PNG and JPEG figures; what is left out says so in its place.
"""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from dlphys._validation import shown
from dlphys.course.submission import Unreadable, opened

__all__ = ["as_markdown", "empty", "plain", "read"]

FIGURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}  # with their first bytes
LONGEST = 100_000  # characters of one output, of one cell of code
LONGEST_TEXT = 20_000  # of one cell of Markdown; to make a page of more can take minutes
MOST = 2_000_000  # of all cells together
MOST_CELLS, MOST_OUTPUTS = 5000, 200  # of a notebook, of a cell
AS_TEXT = "*This cell is too long, or holds HTML or links to scripts; here is its text:*\n\n{text}"


def read(path: str | Path) -> Any:
    """Read a notebook and write it anew.

    Parameters
    ----------
    path : path

    Returns
    -------
    nbformat.NotebookNode
        Its cells with sources, attached figures, safe outputs, and of the metadata only nbgrader's id of the cell.

    Raises
    ------
    Unreadable
        If there is no such file, it is a link, larger than 64 MiB, or no notebook.
    TypeError
        If path is no path.
    """
    with opened(path) as file:
        try:
            return _notebook(list(_cells(json.loads(file.read())["cells"])))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Unreadable(f"the file is no notebook ({type(error).__name__})") from None


def empty(reason: str) -> Any:
    """A notebook that says only why it is empty.

    Examples
    --------
    >>> empty("the file is no notebook").cells[0].source
    'Nothing could be read: the file is no notebook.'
    """
    if not isinstance(reason, str):
        raise TypeError(f"reason must be a string, got {shown(reason)}")
    return _notebook([nbformat.v4.new_markdown_cell(as_markdown(f"Nothing could be read: {reason}."))])


def plain(text: str) -> str:
    """Text without the characters that control a terminal or a file, and not endlessly long.

    Examples
    --------
    >>> plain("a\\x07b")
    'ab'
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {shown(text)}")
    kept = "".join(c for c in text[:LONGEST] if c in "\n\t\x1b" or unicodedata.category(c)[0] != "C")
    return kept if len(text) <= LONGEST else f"{kept}\n[{len(text) - LONGEST} more characters are not shown]"


def as_markdown(text: str) -> str:
    """Text that reads the same where it is taken for Markdown or HTML.

    Examples
    --------
    >>> as_markdown("<b>1</b>")
    '&lt;b&gt;1&lt;/b&gt;'
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {shown(text)}")
    return html.escape(plain(text), quote=False)


def _notebook(cells: list[Any]) -> Any:
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return notebook


def _cells(cells: list[Any]) -> Iterator[Any]:
    left = MOST
    for number, cell in enumerate(cells):
        left -= len(source := _text(cell["source"]))
        if left < 0 or number == MOST_CELLS:
            yield nbformat.v4.new_markdown_cell(f"*{len(cells) - number} more cells are not shown.*")
            return
        yield _cell(cell, source)


def _cell(cell: Any, source: str) -> Any:
    kind = cell["cell_type"]
    try:
        grade_id = cell["metadata"]["nbgrader"]["grade_id"]
    except (KeyError, TypeError):
        grade_id = None
    metadata = {"nbgrader": {"grade_id": grade_id}} if isinstance(grade_id, str) and grade_id else {}
    if kind == "code":
        outputs = [_output(output) for output in (cell.get("outputs") or [])[:MOST_OUTPUTS]]
        shown_source = source if len(source) <= LONGEST else plain(source)
        return nbformat.v4.new_code_cell(shown_source, outputs=outputs, metadata=metadata)
    if kind != "markdown":
        return nbformat.v4.new_markdown_cell(_verbatim(source), metadata=metadata)
    attachments = _attachments(cell.get("attachments"))
    if len(source) > LONGEST_TEXT or not _is_safe(source, attachments):
        return nbformat.v4.new_markdown_cell(AS_TEXT.format(text=_verbatim(source)), metadata=metadata)
    fields = {"attachments": attachments} if attachments else {}
    return nbformat.v4.new_markdown_cell(source, metadata=metadata, **fields)


def _text(source: Any) -> str:
    """A text, which the format allows to be a list of lines."""
    text = "".join(source) if isinstance(source, list) else source
    if not isinstance(text, str):
        raise TypeError("a cell has no text")
    return text.encode(errors="replace").decode()  # half a character can stand in JSON, but in no file


def _output(output: Any) -> Any:
    """What can be shown of an output, in place of the output; else a line that says what is missing."""
    try:
        kind = output["output_type"]
        if kind == "stream":
            return _stream(_text(output["text"]))
        if kind == "error":
            lines = [_text(line) for line in output.get("traceback") or []]
            return _stream("\n".join(lines) or f"{output.get('ename')}: {output.get('evalue')}")
        data = output["data"]
        figures = {kind: _figure(kind, data[kind]) for kind in FIGURES if kind in data}
        kept = {kind: figure for kind, figure in figures.items() if figure}
        if not kept and "text/plain" in data:
            kept = {"text/plain": plain(_text(data["text/plain"]))}
        if kept:
            return nbformat.v4.new_output("display_data", data=kept)
        return _stream(f"[an output of the type {', '.join(sorted(data))} is not shown]")
    except (KeyError, TypeError, AttributeError):
        return _stream("[an output that cannot be read is not shown]")


def _stream(text: str) -> Any:
    return nbformat.v4.new_output("stream", name="stdout", text=plain(text))


def _figure(kind: str, content: Any) -> str:
    """The figure in base64, written anew; "" if it is none of its kind."""
    try:
        decoded = base64.b64decode("".join(_text(content).split()), validate=True)
    except (ValueError, TypeError):
        return ""
    return base64.b64encode(decoded).decode() if decoded.startswith(FIGURES[kind]) else ""


def _attachments(attached: Any) -> dict[str, dict[str, str]]:
    """The figures that were dropped into a cell of text."""
    found = {}
    for name, bundle in attached.items() if isinstance(attached, dict) else ():
        named = bundle if isinstance(bundle, dict) else {}
        figures = {kind: _figure(kind, content) for kind, content in named.items() if kind in FIGURES}
        if kept := {kind: figure for kind, figure in figures.items() if figure}:
            found[str(name)] = kept
    return found


def _is_safe(source: str, attachments: Any) -> bool:
    """Whether a page made of the text is the same as one made with all HTML and all links to scripts taken out."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Strict(IPythonRenderer):
        def block_mermaidjs(self, code: str) -> str:  # a diagram stands in the page as it is
            return as_markdown(code)

    lenient = IPythonRenderer(escape=False, attachments=attachments)
    strict = Strict(escape=True, allow_harmful_protocols=False, attachments=attachments)
    try:
        pages = [MarkdownWithMath(renderer=renderer).render(source) for renderer in (lenient, strict)]
    except Exception:  # whatever a page cannot be made of
        return False
    return bool(pages[0] == pages[1])


def _verbatim(text: str) -> str:
    """Markdown that shows a text as it is: every sign is a number, so that none has a meaning."""

    def numbered(line: str) -> str:
        rest = line.lstrip(" ")
        signs = "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in rest)
        return "&#160;" * (len(line) - len(rest)) + signs or "&#160;"

    return "\\\n".join(map(numbered, plain(text).splitlines()))
