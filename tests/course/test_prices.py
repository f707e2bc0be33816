"""Price tags say what was measured, hold the limits, and stand in README.md as they are."""

import json

import nbformat
import pytest

from dlphys.course import prices, run


def tag(**changed):
    """A price tag."""
    return {
        "chapter": 8,
        "title": "Convolutional networks",
        "minutes": 90,
        "points": 12,
        "seconds": 60.0,
        "cpu_seconds": 100.0,
        "memory_mib": 1000,
    } | changed


def notebook(path, *cells, **header):
    """A notebook file with a header and one task of 2 and one of 3 points."""
    v4 = nbformat.v4
    made = [v4.new_code_cell(code) for code in cells]
    for id, points in (("8.1a", 2), ("8.1b", 3)):
        made.append(v4.new_code_cell("pass", metadata={"dlphys": {"task": id, "points": points}}))
        made.append(v4.new_code_cell("pass", metadata={"dlphys": {"check": id, "points": points}}))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=made, metadata={"dlphys": {"title": "T", "minutes": 30, **header}}), path)


def result(path, seconds=10.04, errors=()):
    """What `run.run` returns for a file."""
    return run.RunResult(path, seconds, 20.06, 512.4, [], [], list(errors), nbformat.read(path, 4))


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Two notebooks whose runs cost nothing, and a README.md; ``calls`` tells how they were run."""
    notebook(tmp_path / "notebooks/solution/ch08_convolutional.ipynb", chapter=8)
    notebook(tmp_path / "notebooks/solution/lectures/lec_gans.ipynb")
    (tmp_path / "README.md").write_text("above\n<!-- prices -->\nold\n<!-- /prices -->\nbelow\n")
    calls = []

    def costless(root, chapters=(), **keywords):
        calls.append((list(chapters), keywords))
        return [result(path) for path in run.notebooks(root, chapters)]

    monkeypatch.setattr(run, "run", costless)
    return tmp_path, calls


def test_measuring_writes_the_same_file_for_the_same_measurement(checkout):
    """Sorted, rounded, without a time stamp, so that a difference is a difference."""
    root, calls = checkout
    measured = prices.measure(root)
    first = (root / "notebooks/prices.json").read_bytes()
    assert prices.read(root) == measured
    assert measured["ch08_convolutional"] == {
        "chapter": 8,
        "title": "T",
        "minutes": 30,
        "points": 5,
        "seconds": 10.0,
        "cpu_seconds": 20.1,
        "memory_mib": 512,
    }
    assert measured["lec_gans"]["chapter"] is None
    assert calls == [([], {"progress": True, "threads": 2, "cold": True})]
    prices.measure(root)
    assert (root / "notebooks/prices.json").read_bytes() == first
    assert first.endswith(b"}\n")
    assert [entry.name for entry in (root / "notebooks").iterdir() if entry.is_file()] == ["prices.json"]


def test_measuring_one_chapter_keeps_the_prices_of_the_others(checkout):
    root, _ = checkout
    before = prices.measure(root)
    text = json.dumps(before | {"lec_gans": before["lec_gans"] | {"seconds": 33.0}, "ch99_gone": tag()})
    (root / "notebooks/prices.json").write_text(text)
    after = prices.measure(root, ["ch08"])
    assert after["lec_gans"]["seconds"] == 33.0
    assert "ch99_gone" not in after


def test_a_notebook_that_fails_gets_no_price(checkout, monkeypatch):
    root, _ = checkout
    failing = [result(path, errors=[run.CellError(0, "ValueError", "no")]) for path in run.notebooks(root)]
    monkeypatch.setattr(run, "run", lambda *_, **__: failing)
    with pytest.raises(ValueError, match="these notebooks fail: ch08_convolutional, lec_gans"):
        prices.measure(root)
    assert not (root / "notebooks/prices.json").exists()


def test_the_table_stands_between_the_markers_of_the_readme_and_nothing_else_changes(checkout):
    root, _ = checkout
    prices.measure(root)
    assert prices.update_readme(root, check=True)
    assert "old" in (root / "README.md").read_text(), "a check writes nothing"
    assert prices.update_readme(root)
    assert not prices.update_readme(root, check=True)
    assert not prices.update_readme(root)
    table = prices.table(prices.read(root))
    assert (root / "README.md").read_text() == f"above\n<!-- prices -->\n{table}\n<!-- /prices -->\nbelow\n"


@pytest.mark.parametrize("text", ["no markers", "<!-- /prices --><!-- prices -->", "<!-- prices -->" * 2])
def test_a_readme_without_its_pair_of_markers_is_refused(checkout, text):
    root, _ = checkout
    prices.measure(root)
    (root / "README.md").write_text(text)
    with pytest.raises(ValueError, match=r"README\.md must hold <!-- prices --> and, below it, <!-- /prices -->"):
        prices.update_readme(root)
    assert (root / "README.md").read_text() == text


def test_chapters_stand_in_order_with_links_and_lectures_last():
    lines = prices.table(
        {
            "ch10_graphs": tag(chapter=10, title="Graphs"),
            "lec_gans": tag(chapter=None, title="GANs"),
            "ch08_convolutional": tag(),
        }
    ).splitlines()[2:]
    assert [line.split("](")[1].split(")")[0] for line in lines[:-1]] == [
        "notebooks/student/ch08_convolutional.ipynb",
        "notebooks/student/ch10_graphs.ipynb",
        "notebooks/student/lectures/lec_gans.ipynb",
    ]
    assert lines[1].startswith("| [10. Graphs](")
    assert lines[2].startswith("| [GANs](")
    assert lines[-1] == "| all | 4.5 h | 36 | 3.0 min | |"


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"a": tag(seconds=241.0)}, "a takes 241 s, allowed are 240 s"),
        ({"a": tag(memory_mib=2049)}, "a takes 2049 MiB, allowed are 2048 MiB"),
        ({f"a{i}": tag(seconds=226.0) for i in range(12)}, "all notebooks take 45.2 minutes, allowed are 45 minutes"),
    ],
)
def test_each_limit_is_held(tags, sentence):
    """240 s and 2 GiB a file, 45 minutes in all (DESIGN section 7)."""
    assert prices.limits(tags) == [sentence]


def test_prices_at_the_limits_are_allowed():
    assert prices.limits({f"a{i}": tag(seconds=225.0, memory_mib=2048) for i in range(12)}) == []
    assert prices.limits({"a": tag(seconds=240.0)}) == []


def test_a_factor_of_two_is_allowed_and_short_runs_are_not_compared_to_the_second():
    tags = {"long": tag(cpu_seconds=60.0), "short": tag(cpu_seconds=3.0)}
    for seconds, problems in ((10.0, 0), (120.0, 0), (121.0, 1)):
        assert len(prices.within_factor(tags, {"long": tag(cpu_seconds=seconds)})) == problems
    assert prices.within_factor(tags, {"short": tag(cpu_seconds=39.0)}) == []
    assert prices.within_factor(tags, {"long": tag(memory_mib=2100)}) == [
        "long takes 2100 MiB, its price tag says 1000 MiB"
    ]
    assert prices.within_factor(tags, {"new": tag()}) == ["new has no price tag"]


def test_a_tag_that_disagrees_with_its_notebook_is_stale(checkout):
    root, _ = checkout
    prices.measure(root)
    assert prices.stale(root) == []
    notebook(root / "notebooks/solution/ch08_convolutional.ipynb", chapter=8, title="New")
    notebook(root / "notebooks/solution/ch10_graphs.ipynb", chapter=10)
    (root / "notebooks/solution/lectures/lec_gans.ipynb").unlink()
    assert prices.stale(root) == [
        "ch10_graphs has no price",
        "lec_gans has a price, but there is no such notebook",
        "ch08_convolutional: title is 'New', prices.json says 'T'",
    ]
