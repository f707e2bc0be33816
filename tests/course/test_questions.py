"""The page of the open questions: what is typed there is what `results.combine` reads."""

import re

import pytest
from classroom import ANSWERS, HOW, SCRIPT, WHY, assignment, class_of, notebook, record
from laboratory import CHROMIUM, PICTURES, chromium

from dlphys.course import marks, questions
from dlphys.course.results import combine

ASKED = assignment(WHY, HOW)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)")


@pytest.fixture
def five(tmp_path):
    """Four of five hand in; the second and third work together, and the third handed in last."""
    roster, records = class_of(tmp_path / "in", 4, questions=(WHY, HOW))
    return roster, records, {"s001": "A", "s002": "A"}


def results(five, **more):
    roster, records, groups = five
    return combine(records, people=roster, groups=groups, assignment=ASKED, **more)


def test_each_hand_in_stands_there_once_with_all_who_worked_on_it(tmp_path, five):
    page = questions.write(results(five), tmp_path / "questions.html").read_text(encoding="utf-8")
    assert re.findall(r'data-student="(s\d+)" data-question="answer-3-2"', page) == ["s000", "s001", "s003"]
    assert "Ben Bohr, Chloé Curie" in page
    assert "&lt;script&gt;" in page
    assert SCRIPT not in page
    assert "0 points for 1 empty answer<" in page


def test_an_answer_that_cannot_be_read_says_why(tmp_path):
    gone = combine([record("ada", path=tmp_path / "gone.ipynb")], assignment=assignment(WHY))
    page = questions.write(gone, tmp_path / "questions.html").read_text(encoding="utf-8")
    assert "there is no file gone.ipynb" in page
    assert "empty answer" not in page, "nobody should give 0 points for it unseen"


def test_a_comment_that_begins_with_an_empty_line_stays_so(tmp_path, five):
    """A browser drops the first line break of a text area."""
    marked = results(five, marks=[("s000", WHY.id, 1, "\nsecond line")])
    page = questions.write(marked, tmp_path / "questions.html").read_text(encoding="utf-8")
    assert re.search(r"<textarea[^>]*>\n\nsecond line</textarea>", page)


@needs_chromium
def test_marks_are_typed_kept_saved_and_read(tmp_path, five):
    file = questions.write(
        results(five, marks=[("s003", HOW.id, 1, "yes")]), tmp_path / "questions.html", title="week 3"
    )
    comment = '=1+1; "good", but\nwhy ü?'
    with chromium(height=1100) as page:
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.goto(file.as_uri())
        assert page.title() == "week 3: open questions"
        assert page.inner_text("#status") == "1 of 6 marked"
        assert page.locator(".answer", has_text="residuals").first.inner_text() == ANSWERS[0]
        page.locator("article input").first.focus()
        page.keyboard.type("1.5")
        page.keyboard.press("Tab")
        page.keyboard.insert_text(comment)
        page.keyboard.press("Control+Enter")
        page.keyboard.type("7")  # of 2
        page.keyboard.press("Enter")
        page.keyboard.type("0")
        assert page.inner_text("#status") == "3 of 6 marked; 1 out of range, not counted; not saved as a file yet"
        page.screenshot(path=PICTURES / "questions.png")

        page.reload()  # the browser closed, or the power failed
        assert page.inner_text("#status").startswith("3 of 6 marked; 1 out of range")
        page.click("text=0 points for 1 empty answer")
        page.check("#hide")
        assert not page.locator("text=Ada Abel").first.is_visible()
        assert page.locator("article h3 >> text=answer 1").first.is_visible()
        page.check("#only")
        assert page.locator("article:visible").count() == 2
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=PICTURES / "questions_dark.png")
        with page.expect_download() as download:
            page.click("#save")
        assert download.value.suggested_filename == "marks.csv"
        download.value.save_as(tmp_path / "marks.csv")
        assert page.inner_text("#status") == "4 of 6 marked; 1 out of range, not counted"
        assert errors == []

        notebook(tmp_path / "in/s000/layers.ipynb", [(WHY.id, "I thought again."), (HOW.id, "2")])
        questions.write(results(five, marks=tmp_path / "marks.csv"), file, title="week 3")
        page.goto(file.as_uri())
        assert page.locator("article:first-of-type .changed").first.is_visible()
        assert page.locator("article textarea").first.input_value() == comment

    assert {(m.student, m.question): (m.points, m.comment) for m in marks.read(tmp_path / "marks.csv")} == {
        ("s000", WHY.id): (1.5, comment),
        ("s003", WHY.id): (0, ""),
        ("s001", HOW.id): (0, ""),
        ("s003", HOW.id): (1, "yes"),
    }
    before, after = results(five), results(five, marks=tmp_path / "marks.csv")
    assert [b.open - a.open for a, b in zip(after, before, strict=True)] == [2, 1, 1, 3]
    assert [a.points - b.points for a, b in zip(after, before, strict=True)] == [1.5, 0, 0, 1]
