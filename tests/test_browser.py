"""A student's first minutes in JupyterLab, in headless Chromium: open chapter 8, run, read a verdict, mend it, pass.

The pictures are left in `.work/screenshots` for a person to look at.
"""

import re
from pathlib import Path

import nbformat
import pytest
from laboratory import CHROMIUM, PICTURES, chromium, jupyterlab, opened, run_all

from dlphys.checks import references

ROOT = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.notebooks,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
]


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of the student's chapter 8, cut off after its first check; yields the address."""
    notebook = nbformat.read(ROOT / "notebooks/student/ch08_convolutional.ipynb", as_version=4)
    first_check = next(n for n, cell in enumerate(notebook.cells) if "check-8-1a" in str(cell.metadata))
    notebook.cells = notebook.cells[: first_check + 1]
    nbformat.write(notebook, tmp_path / "ch08_convolutional.ipynb")
    with jupyterlab(tmp_path) as address:
        yield address("ch08_convolutional.ipynb")


def test_a_student_opens_chapter_8_reads_a_verdict_and_passes(lab):
    with chromium() as page:
        opened(page, lab)
        page.wait_for_selector(".jp-Notebook h1 >> text=Convolutional networks")
        page.screenshot(path=PICTURES / "ch08_opened.png")

        run_all(page)
        verdict = page.locator(".jp-OutputArea-output", has_text="not done  8.1a")
        verdict.wait_for()
        verdict.scroll_into_view_if_needed()
        page.screenshot(path=PICTURES / "ch08_not_done.png")

        task = page.locator(".jp-CodeCell", has_text=re.compile(r"NotImplementedError\(.task 8\.1a")).first
        editor = task.locator(".cm-content")
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(references.entry("8.1a")["code"])
        run_all(page)
        verdict = page.locator(".jp-OutputArea-output", has_text="passed  8.1a")
        verdict.wait_for()
        verdict.scroll_into_view_if_needed()
        page.screenshot(path=PICTURES / "ch08_passed.png")
