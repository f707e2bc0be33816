"""What an instructor does in nbgrader's formgrader, in headless Chromium, with a hostile notebook among the others.

The pictures are left in `DLPHYS_SCREENSHOTS`, or beside the test's files, for a person to look at.
"""

import os
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import coursefolder
import pytest
from coursefolder import NAME, NOTEBOOK, QUESTION, hand_in, in_course, scores, solved
from laboratory import CHROMIUM, chromium, jupyterlab

from dlphys.course import gradebook, sandbox

pytestmark = [
    pytest.mark.notebooks,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
    pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}"),
]

# What is typed before the page has fetched its grades and comments is heard by nobody.
LISTENS = "window.formgrader?.grades?.loaded && formgrader.comments?.loaded"


@pytest.fixture
def pictures(tmp_path):
    folder = Path(os.environ.get("DLPHYS_SCREENSHOTS") or tmp_path / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_an_instructor_generates_autogrades_and_marks_by_hand(tmp_path, pictures):
    course = coursefolder.course(tmp_path / "course")
    settings = f"c.CourseDirectory.root = {str(course)!r}\nc.Exchange.root = {str(tmp_path / 'exchange')!r}\n"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "nbgrader_config.py").write_text(coursefolder.CONFIG + settings)
    (tmp_path / "exchange").mkdir(mode=0o777)
    hand_in(course, "ada", solved(course))
    hand_in(course, "eve", coursefolder.hostile(course))

    with jupyterlab(tmp_path) as address, chromium(width=1400) as page:
        parts = urlsplit(address(""))
        page.goto(f"{parts.scheme}://{parts.netloc}/formgrader?{parts.query}")

        row = page.locator("tr", has=page.locator("td", has_text=re.compile(f"^{NAME}$")))
        row.locator("td.assign a").click()
        done(page, pictures / "formgrader_generated.png")
        row.locator("td.num-submissions a", has_text="2").click()

        for student in ("ada", "eve"):
            row = page.locator("tr", has=page.locator("td", has_text=re.compile(f"^{student}$")))
            row.locator("td.autograde a").click()
            done(page, pictures / f"formgrader_autograded_{student}.png")
            row.locator("td.status", has_text="needs manual grading").wait_for()
        page.screenshot(path=pictures / "formgrader_submissions.png")
        assert scores(course, "ada")["check-3-2c"] == 3

        for student, points in (("ada", "3.5"), ("eve", "1")):
            page.goto(f"{parts.scheme}://{parts.netloc}/formgrader/gradebook/{NAME}/{NOTEBOOK}")
            page.wait_for_selector("td.name a")
            page.screenshot(path=pictures / "formgrader_manual.png")
            page.goto(f"{parts.scheme}://{parts.netloc}/formgrader/submissions/{submission(course, student)}/")
            page.wait_for_function(LISTENS)
            page.locator(f"#{QUESTION}").fill(points)
            page.locator(f"#{QUESTION}").press("Tab")
            saved(course, student, comment=False)
            page.locator(f"#{QUESTION}-comment").fill(f"Good, {student}: <b>why</b>?")
            page.locator(f"#{QUESTION}-comment").blur()
            page.locator(f"#{QUESTION}-comment").scroll_into_view_if_needed()
            saved(course, student, comment=True)
            page.screenshot(path=pictures / f"formgrader_marked_{student}.png")
            page.screenshot(path=pictures / f"formgrader_marked_{student}_whole.png", full_page=True)
            assert page.evaluate("window.hacked") is None

        wanted = [("ada", QUESTION, 3.5, "Good, ada: <b>why</b>?"), ("eve", QUESTION, 1.0, "Good, eve: <b>why</b>?")]
        assert gradebook.marks(course, NAME) == wanted
        assert coursefolder.nbgrader(course).generate_feedback(NAME, "*")["success"]
        for student in ("ada", "eve"):
            page.goto(in_course(course, "feedback", student, f"{NOTEBOOK}.html").as_uri())
            page.locator("a[name=check-3-2c]").first.scroll_into_view_if_needed()
            page.screenshot(path=pictures / f"feedback_{student}.png")
            page.screenshot(path=pictures / f"feedback_{student}_whole.png", full_page=True)
            assert page.locator(".output_stdout", has_text="passed  3.2c").count() == 1
            assert page.evaluate("window.hacked") is None
            assert page.locator("script:not([type]):not([src])").count() == 0
    assert scores(course, "eve")[QUESTION] == 1


def done(page, picture):
    """Wait for the window that tells of success, and close it."""
    page.locator(".modal-dialog", has_text="Success").wait_for()
    page.wait_for_timeout(500)  # it fades in
    page.screenshot(path=picture)
    page.locator(".modal-dialog button.btn-primary.close").click()
    page.locator(".modal-backdrop").wait_for(state="detached")


def saved(course, student, *, comment):
    """Wait until the gradebook has it: the page sends it when it likes, and its tick fades before one may see it."""
    for _ in range(600):
        found = {name: (points, text) for name, _, points, text in gradebook.marks(course, NAME)}
        points, text = found.get(student, (None, ""))
        if points and (text or not comment):
            return
        time.sleep(0.1)
    raise AssertionError(found)


def submission(course, student):
    with coursefolder.gradebook(course) as book:
        return book.find_submission_notebook(NOTEBOOK, NAME, student).id
