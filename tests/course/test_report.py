"""Tables and pages on a class of 40: complete, harmless whatever students call themselves, and readable."""

import csv
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from classroom import DEADLINE, HOW, SCRIPT, WHY, assignment, class_of, notebook, people, record, verdicts
from hatchling.builders.wheel import WheelBuilder
from laboratory import CHROMIUM, PICTURES, chromium

from dlphys.course import _html, report
from dlphys.course.marks import Mark
from dlphys.course.results import combine
from dlphys.course.roster import Person

ROOT = Path(__file__).parents[2]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)")
MARKS = [Mark("s000", WHY.id, 1.5, "well said"), Mark("s001", WHY.id, 0.0, "why?")]
SETTINGS = {"deadline": DEADLINE, "late": 0.2}


@pytest.fixture
def forty(tmp_path):
    roster, records = class_of(tmp_path / "in", questions=(WHY, HOW))
    return combine(records, people=roster, assignment=assignment(WHY, HOW), marks=MARKS, **SETTINGS)


def table(path, encoding="utf-8-sig"):
    with path.open(newline="", encoding=encoding) as lines:
        return list(csv.DictReader(lines))


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_everything_is_written_and_once_more_is_no_harm(tmp_path, forty):
    out = tmp_path / "out"
    written = report.write(forty, out, assignment=assignment(WHY, HOW))
    tables = {"report.html", "grades.csv", "moodle.csv", "results.json", "questions.html"}
    assert files(out) == tables | {f"feedback/s{k:03}.html" for k in range(40)}
    assert {str(path.relative_to(out)) for path in written} == files(out)
    assert report.write(forty, out, assignment=assignment(WHY, HOW)) == written


def test_grades_have_a_line_a_student_and_show_what_is_open(tmp_path, forty):
    path = report.write_grades(forty, tmp_path / "grades.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfstudent,name,group,points,")
    rows = table(path)
    assert [row["student"] for row in rows] == [f"s{k:03}" for k in range(40)]
    assert [row["name"] for row in rows] == [person.name for person in people().values()]
    assert (rows[0]["open"], rows[0][WHY.id], rows[0][HOW.id], rows[1][WHY.id]) == ("1", "1.5", "open", "0")
    for row, result in zip(rows, forty, strict=True):
        assert float(row["points"]) == result.points
        given = [row[task.id] for task in result.tasks] + [row[a.question.id] for a in result.answers]
        assert sum(float(points) for points in given if points != "open") == pytest.approx(result.before)
    late = [row for row in rows if row["late"]]
    assert len(late) == 3
    assert all(row["late"] == "1 day 6 h" and "40 % of the points taken off" in row["notes"] for row in late)
    assert rows[-1]["notes"] == "handed in nothing"
    assert rows[-1]["3.2a"] == ""


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", '"="'])
def test_no_name_and_no_note_becomes_a_formula(tmp_path, begin):
    name = f"{begin}HYPERLINK(1;2)"
    result = replace(*combine([record("ada", name=name, reason=name)]), notes=(name,), group=name)
    strange = replace(result, student=name)
    for write in (report.write_grades, report.write_moodle):
        for row in table(write([result, strange], tmp_path / "table.csv")):
            assert not any(text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for text in row.values())


def test_moodle_gets_the_columns_of_its_worksheet(tmp_path, forty):
    rows = table(report.write_moodle(forty, tmp_path / "moodle.csv"), "utf-8")
    assert {"Identifier", "Grade", "Last modified (grade)", "Feedback comments", "Email address"} <= rows[0].keys()
    assert (rows[2]["Identifier"], rows[2]["Email address"]) == ("Participant 1002", "s002@example.org")
    assert [row["Grade"] for row in rows[36:]] == [""] * 4, "nothing was handed in: nothing is to be changed"
    assert rows[17]["Grade"] == ""
    assert "needed more than 4 GiB" in rows[17]["Feedback comments"]
    for row, result in zip(rows, forty, strict=True):
        if row["Grade"]:
            assert float(row["Grade"]) == result.points <= float(row["Maximum Grade"]) == 15
    assert "answer-3-2: 1.5 of 2 well said" in rows[0]["Feedback comments"]
    assert ", 1 still open" in rows[0]["Feedback comments"]


def test_moodle_feedback_is_html_and_escaped(tmp_path):
    result = replace(*combine([record("ada", reason=SCRIPT, identifier="77")]))
    (row,) = table(report.write_moodle([result], tmp_path / "moodle.csv"), "utf-8")
    assert html.escape(SCRIPT, quote=False) in row["Feedback comments"]
    assert "<script" not in row["Feedback comments"]
    assert row["Identifier"] == "Participant 77"


def test_the_json_file_has_it_all(tmp_path, forty):
    report.write(forty, tmp_path / "out", assignment=assignment(WHY, HOW))
    content = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    assert content["assignment"] == "week 3"
    late = content["results"][5]
    assert (late["student"], late["late"], late["parts"][0]["taken"]) == ("s005", 30 * 3600, 0.4)
    assert late["points"] == forty[5].points < late["before"]
    details = [task["details"] for task in late["parts"][0]["tasks"]]
    assert details == [list(task.details) for task in forty[5].tasks]
    assert {"passed", "not_yet", "mistakes"} <= content["tasks"][0].keys()


# --- what students write is data ---------------------------------------------------------------------------


def hostile(folder):
    """A class in which everything that a student decides tries to be more than text."""
    roster = {"s1": Person("s1", SCRIPT, f'"><img src=x onerror=alert(1)>{SCRIPT}', group=SCRIPT)}
    records = [
        record("s1", reason=SCRIPT, problems=(SCRIPT,)),
        record("../../up", name=SCRIPT * 2, problem=SCRIPT),
        record("<b>who</b>", ("M3.1a",), problems=(SCRIPT,), path=folder / "<i>.ipynb"),
        record("con.", ("M3.1a",)),
        record("x" * 300, ("M3.1a",)),
    ]
    evil = replace(verdicts("M3.1a")[0], status="not yet", rung="value", details=(f"expected: {SCRIPT}", SCRIPT))
    for item in records[2:]:
        object.__setattr__(item.grade, "tasks", (evil,))
    asked = assignment(replace(WHY, text=SCRIPT, answer=SCRIPT))
    return combine(records, people=roster, assignment=asked, marks=[("s1", WHY.id, 1, SCRIPT)]), asked


def test_no_page_takes_a_students_text_for_its_own(tmp_path):
    results, asked = hostile(tmp_path)
    pages = [path for path in report.write(results, tmp_path / "out", assignment=asked) if path.suffix == ".html"]
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert len(re.findall("<script", text)) == (path.parent.name != "feedback"), path.name
        assert "<img" not in text
        assert "<b>who" not in text
        assert "default-src 'none'" in html.unescape(text)
    assert len(pages) == 7


def test_no_file_is_written_outside_whatever_a_student_is_called(tmp_path):
    results, asked = hostile(tmp_path)
    before = files(tmp_path)
    report.write(results, tmp_path / "a/b/out", assignment=asked)
    new = files(tmp_path) - before
    assert all(name.startswith("a/b/out/") for name in new)
    feedback = sorted(Path(name).name for name in new if "/feedback/" in name)
    assert all(re.fullmatch(r"[\w.@+-]{1,90}\.html", name, re.ASCII) for name in feedback)
    assert len(feedback) == len(results)


def test_half_a_character_does_not_stop_the_report(tmp_path):
    """JSON can say one, and so can the name of a file."""
    half = "\udcff\ud800"
    path = notebook(tmp_path / "in.ipynb", [(WHY.id, half)])
    item = record(f"a{half}", name=half, problems=(half,), path=path)
    report.write(combine([item], assignment=assignment(WHY)), tmp_path / "out", assignment=assignment(WHY))
    assert "\\udcff\\ud800" in (tmp_path / "out/questions.html").read_text(encoding="utf-8")
    assert len(files(tmp_path / "out")) == 6


def test_students_whose_names_differ_in_case_only_get_a_page_each(tmp_path):
    results = combine([record("Ada"), record("ada"), record("a/b"), record("a_b"), record("a b")])
    written = [path for path in report.write(results, tmp_path) if path.parent.name == "feedback"]
    assert len({path.name.casefold() for path in written}) == 5


def test_students_read_of_nobody_else(tmp_path):
    """Not whose answer was copied, nor what the instructor alone should know; of the group, who handed in."""
    roster = {name: Person(name, name.title(), f"{name}@example.org") for name in ("ada", "emmy", "lise", "zacharias")}
    item = record("emmy", ("M3.1a",))
    copy = replace(item.grade.tasks[0], points=0.0, status="not yet")
    object.__setattr__(copy, "copied", ("zacharias",))
    object.__setattr__(item.grade, "tasks", (copy,))
    results = combine([item, record("zacharias")], people=roster, groups={"ada": "A", "emmy": "A"})
    report.write(results, tmp_path)
    page = (tmp_path / "feedback/ada.html").read_text(encoding="utf-8")
    assert "graded with the hand-in of emmy" in page
    assert "somebody else" in page
    assert not re.search("zacharias|lise", page, re.IGNORECASE)
    assert "zacharias" not in (tmp_path / "moodle.csv").read_text(encoding="utf-8").splitlines()[1].casefold()
    assert "M3.1a: the answer is that of zacharias" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_feedback_has_verdicts_points_and_comments(tmp_path, forty):
    report.write(forty, tmp_path, assignment=assignment(WHY, HOW))
    page = html.unescape((tmp_path / "feedback/s000.html").read_text(encoding="utf-8"))
    for task in forty[0].tasks:
        assert "\n".join(task.details) in page
    assert "well said" in page
    assert "Why is a <em>linear</em> fit not enough?" in page
    assert "saturates" not in page, "the reference answer is not theirs"


def test_questions_are_markdown_in_which_html_is_text_and_formulas_stay():
    made = str(
        _html._markdown("a *b* $x_1 * y_1$ <img src=x onerror=alert(1)>\n\n<script>1</script>\n\n[c](javascript:d)")
    )
    assert '<em>b</em> <span class="math">$x_1 * y_1$</span>' in made
    assert not re.search("<img|<script|javascript:", made)


# --- what a person sees ------------------------------------------------------------------------------------


def test_the_report_says_what_went_wrong_in_sentences(tmp_path, forty):
    report.write(forty, tmp_path, assignment=assignment(WHY, HOW))
    page = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    text = " ".join(re.sub("<[^>]*>", "", page.partition("<body>")[2]).split())
    wrong = [r for r in forty if any(t.details == verdicts("3.2d")[1].details for t in r.tasks)]
    assert f"{len(wrong)} of 35 in 3.2d evaluate: root of the mean square." in text
    assert "36 of 40 handed in" in text
    assert "3 late" in text
    assert "1 could not be graded" in text
    still = sum(result.open for result in forty)
    assert f"{still:g} points still open" in text


@pytest.mark.parametrize("number", [0, 1, 3])
def test_small_and_empty_classes_have_a_report(tmp_path, number):
    report.write(combine([], people=people(number), assignment=assignment(WHY)), tmp_path, assignment=assignment(WHY))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "nothing that could be graded" in text
    assert text.count("handed in nothing") == 2 * number  # in the table, and in the section of each
    assert not (tmp_path / "questions.html").exists()


@pytest.mark.parametrize("scores", [[0.0], [12.0], [0.5, 11.99, 12.0], [float(k) for k in range(13)]])
@pytest.mark.parametrize("maximum", [12.0, 12.5, 100.0, 1.0, 0.25])
def test_the_histogram_counts_everybody_once(scores, maximum):
    scores = [min(score, maximum) for score in scores]
    bins = report._bins(scores, maximum)
    assert sum(bin["count"] for bin in bins) == len(scores)
    assert len(bins) <= 12
    assert bins[-1]["label"].endswith(f"{maximum:g}")
    if 0.0 in scores:
        assert bins[0]["count"]


@needs_chromium
def test_the_report_in_a_browser(tmp_path, forty):
    """Tables sort, a name opens its section, nothing is fetched, and it fits on a telephone; pictures are kept."""
    report.write(forty, tmp_path, assignment=assignment(WHY, HOW))
    hostile_results, asked = hostile(tmp_path)
    report.write(hostile_results, tmp_path / "hostile", assignment=asked)
    asked_for, errors = [], []
    with chromium() as page:
        page.on("request", lambda request: asked_for.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.goto((tmp_path / "report.html").as_uri())
        page.screenshot(path=PICTURES / "report.png")
        points = page.locator("#students tbody tr td:nth-child(2)")
        page.click("#students >> text=points")
        shown = [float(text.split("\n")[0].replace("–", "-1")) for text in points.all_inner_texts()]
        assert shown == sorted(shown, reverse=True)
        page.click("#students >> text=points")
        shown = [float(text.split("\n")[0].replace("–", "-1")) for text in points.all_inner_texts()]
        assert shown == sorted(shown)
        page.click("#students >> text=Emmy Euler >> nth=0")
        assert page.locator("#student-5").evaluate("details => details.open")
        assert page.locator("#student-5 .verdict").first.is_visible()
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 400, "height": 800})
        page.screenshot(path=PICTURES / "report_dark.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        page.goto((tmp_path / "hostile/report.html").as_uri())
        assert page.title() == "week 3: what the class did"
    assert errors == []
    assert {url.partition("#")[0] for url in asked_for} == {
        (tmp_path / name).as_uri() for name in ("report.html", "hostile/report.html")
    }


# --- where it is written -----------------------------------------------------------------------------------


def test_the_wheel_ships_the_pages():
    shipped = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    here = {f"dlphys/course/pages/{path.name}" for path in (ROOT / "dlphys/course/pages").iterdir()}
    assert len(here) >= 7
    assert here <= shipped
