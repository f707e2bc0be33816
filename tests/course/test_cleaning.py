"""Nothing of a notebook that was handed in runs where it is read, and what is harmless reads as it was written."""

import base64
import json

import nbformat
import pytest
from bs4 import BeautifulSoup
from coursefolder import HACK, MARKDOWN, OUTPUTS
from nbconvert.exporters import HTMLExporter

from dlphys.course import cleaning
from dlphys.course.submission import Unreadable

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff and so on").decode()


def cleaned(tmp_path, *cells):
    path = tmp_path / "handed_in.ipynb"
    path.write_text(json.dumps({"cells": list(cells)}))
    notebook = cleaning.read(path)
    nbformat.validate(notebook)
    return notebook


def markdown(source, **more):
    return {"cell_type": "markdown", "source": source, "metadata": {}, **more}


def code(*outputs):
    return {"cell_type": "code", "source": "1", "metadata": {}, "outputs": list(outputs)}


def page(notebook):
    """As a browser gets it, without what the page has of its own."""
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    return BeautifulSoup(html, "html.parser")


def runs(soup):
    """Everything on a page that could run."""
    scripts = soup.select("script, iframe, object, embed, svg, style, form, link, meta, base")
    attributes = [(tag.name, name) for tag in soup.find_all(True) for name in tag.attrs if name.startswith("on")]
    links = [tag for tag in soup.select("[href], [src]") if "script:" in (tag.get("href") or tag.get("src"))]
    return [*scripts, *attributes, *links]


@pytest.mark.parametrize("source", MARKDOWN)
def test_markdown_runs_nothing_and_can_be_read(tmp_path, source):
    before = page(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source)]))
    after = page(cleaned(tmp_path, markdown(source)))
    assert runs(after) == []
    assert HACK.replace(" ", "") in after.get_text().replace(" ", "")
    assert runs(before) or "ermaid" in source or "begin" in source, "this would have been harmless"


def test_raw_cells_are_shown_as_text(tmp_path):
    raw = {"cell_type": "raw", "source": MARKDOWN[0], "metadata": {"raw_mimetype": "text/html"}}
    after = page(cleaned(tmp_path, raw))
    assert runs(after) == []
    assert after.get_text().strip() == MARKDOWN[0]


@pytest.mark.parametrize(("kind", "data"), OUTPUTS, ids=[next(iter(data)) for _, data in OUTPUTS])
def test_outputs_run_nothing(tmp_path, kind, data):
    width = {"image/png": {"width": f"1 onerror={HACK}"}}
    after = page(cleaned(tmp_path, code({"output_type": kind, "data": data, "metadata": width})))
    assert runs(after) == []
    assert after.select_one(".output_text, .output, pre") is not None


@pytest.mark.parametrize(
    "source",
    [
        'A "quoted" text with a < b, c > d & e, 5 % and an Ümlaut.',
        "# Heading\n\n- **bold**, *italic*, `code <b>`\n- $a<b$ and\n\n$$\\frac{a}{b} < 1$$\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n[a link](https://example.org/x?a=1&b=2) and ![a figure](figure.png)",
        "```python\nif a < b:\n    print('<b>')\n```",
        "",
    ],
    ids=["signs", "mathematics", "table and links", "code", "empty"],
)
def test_what_is_harmless_stays_as_it_was_written(tmp_path, source):
    assert cleaned(tmp_path, markdown(source)).cells[0].source == source


def test_figures_stay_and_tables_are_shown_as_text(tmp_path):
    figure = {"output_type": "display_data", "data": {"image/png": [PNG], "text/plain": "<Figure>"}, "metadata": {}}
    table = {"output_type": "execute_result", "data": {"text/html": "<table/>", "text/plain": ["a", " b"]}}
    stream = {"output_type": "stream", "name": "stderr", "text": ["careful\n"]}
    error = {"output_type": "error", "ename": "KeyError", "evalue": "1", "traceback": ["\x1b[31mKeyError\x1b[0m: 1"]}
    outputs = cleaned(tmp_path, code(figure, table, stream, error)).cells[0].outputs
    assert [output.get("data") or output.text for output in outputs] == [
        {"image/png": PNG},
        {"text/plain": "a b"},
        "careful\n",
        "\x1b[31mKeyError\x1b[0m: 1",
    ]
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}, "nbgrader takes stderr for a failed test"


def test_figures_that_were_dropped_into_an_answer_stay(tmp_path):
    attached = {
        "sketch.jpg": {"image/jpeg": JPEG},
        "evil.svg": {"image/svg+xml": "<svg/>"},
        "no.png": {"image/png": "x"},
    }
    answer = markdown("See ![](attachment:sketch.jpg).", attachments=attached)
    found = cleaned(tmp_path, answer).cells[0]
    assert found.attachments == {"sketch.jpg": {"image/jpeg": JPEG}}
    assert found.source == answer["source"]
    assert "here is its text" in cleaned(tmp_path, markdown("![](attachment:gone.png)")).cells[0].source


@pytest.mark.parametrize(
    "output",
    [None, 3, {}, {"output_type": "stream"}, {"output_type": "display_data", "data": 3}, {"output_type": ["x"]}],
)
def test_a_broken_output_costs_nothing_but_itself(tmp_path, output):
    found = cleaned(tmp_path, code(output, {"output_type": "stream", "text": "good"}))
    assert found.cells[0].outputs[0].text == "[an output that cannot be read is not shown]"
    assert found.cells[0].outputs[1].text == "good"


@pytest.mark.parametrize("metadata", [None, [], {"nbgrader": None}, {"nbgrader": {"grade_id": {}}}, {"tags": ["<b>"]}])
def test_metadata_is_left_behind(tmp_path, metadata):
    assert cleaned(tmp_path, markdown("x", metadata=metadata, attachments=[3])).cells[0].metadata == {}


def test_endless_and_invisible_text_is_cut(tmp_path):
    flood = {"output_type": "stream", "text": "\u202ea\x00\ud800" + "x" * 300_000}
    text = cleaned(tmp_path, code(flood)).cells[0].outputs[0].text
    assert text.startswith("a?xxx")
    assert text.endswith("[200004 more characters are not shown]")


def test_what_nobody_would_read_to_its_end_is_cut(tmp_path):
    long = cleaned(tmp_path, markdown("# a\n" * 10_000), {**code(), "source": "x = 1\n" * 30_000})
    assert "# a" not in long.cells[0].source, "no page is made of it"
    assert long.cells[1].source.endswith("more characters are not shown]")
    many = cleaned(tmp_path, *[markdown("x" * 19_000)] * 200)
    assert many.cells[-1].source == "*95 more cells are not shown.*"
    most = cleaned(tmp_path, code(*[{"output_type": "stream", "text": "x"}] * 300), *[markdown("")] * 5001)
    assert most.cells[-1].source == "*2 more cells are not shown.*"
    assert len(most.cells[0].outputs) == 200


def test_a_link_is_no_notebook(tmp_path):
    cleaned(tmp_path, markdown("of another student"))
    (tmp_path / "mine.ipynb").symlink_to(tmp_path / "handed_in.ipynb")
    with pytest.raises(Unreadable, match=r"there is no file mine\.ipynb"):
        cleaning.read(tmp_path / "mine.ipynb")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cells": [{}]}', '{"cells": 3}', "[" * 100_000], ids=range(6))
def test_what_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(Unreadable, match="the file is no notebook"):
        cleaning.read(path)
