"""Notebooks are executed as written, in this interpreter, and a bad one is told from a good one."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest

import dlphys
from dlphys.course import run

CODE, TEXT = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


def written(path, *cells, fast=None):
    """A notebook file; cells are code, or a pair of code and tag."""
    made = [CODE(c) if isinstance(c, str) else CODE(c[0], metadata={"tags": [c[1]]}) for c in cells]
    header = {"dlphys": {"title": path.stem, "chapter": 8, "minutes": 10, **({"fast": fast} if fast else {})}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=header), path)
    return path


TOLD = """
import json, os, sys, time, dlphys
names = ("DLPHYS_FAST", "DLPHYS_STUDENT", "DLPHYS_RUN", "OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS")
print(json.dumps([sys.executable, dlphys.__file__, os.getcwd(), EPOCHS, SIZE, *(os.environ.get(n) for n in names)]))
"""
WORK = """
block = bytearray(300 * 2**20)
for i in range(0, len(block), 4096):
    block[i] = 1
end = time.process_time() + 0.6
while time.process_time() < end:
    pass
del block
"""
VERDICTS = r"""
print("passed  8.1a\n  0.984 of the test lattices are right\nholds  X8.2\nright  8.1-q1\nthink again  8.1-q2")
print("some other line\n  indented")
print("passed  in a sentence is no verdict")
"""
FIGURE = """
from dlphys import plotting
plotting.lines([1, 2], {"a": [1, 2]}, xlabel="x", ylabel="y", title='A "quoted" <title>')
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """One run with everything switched on, while an installed kernel named python3 would fail."""
    folder = tmp_path_factory.mktemp("good")
    spec = folder / "jupyter/kernels/python3/kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["/nowhere/python"], "display_name": "Other", "language": "python"}))
    path = written(
        folder / "ch08_x.ipynb",
        ("EPOCHS = 8\nSIZE: int = 32", "parameters"),
        TOLD,
        WORK,
        VERDICTS,
        FIGURE,
        fast={"EPOCHS": 1},
    )
    before = path.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        calls = []
        result = run.execute(
            path,
            fast=True,
            threads=1,
            timeout=120,
            environment={"DLPHYS_STUDENT": "key"},
            on_cell=lambda *numbers: calls.append(numbers),
        )
    assert path.read_bytes() == before, "a run never writes to the notebook"
    return result, calls


def test_the_kernel_is_this_interpreter_with_this_package_in_an_empty_folder(good):
    executable, package, cwd, *_ = json.loads(good[0].notebook.cells[2].outputs[0].text)
    assert executable == sys.executable
    assert Path(package) == Path(dlphys.__file__)
    assert not Path(cwd).exists(), "the scratch folder is removed after the run"


def test_a_fast_run_overrides_the_parameters_of_the_header_and_says_so(good):
    *_, epochs, size, fast, student, running, openmp, tensorflow = json.loads(good[0].notebook.cells[2].outputs[0].text)
    assert (epochs, size) == (1, 32)
    assert (fast, student, running) == ("1", "key", "1")
    assert (openmp, tensorflow) == ("1", "1")
    assert good[0].notebook.cells[1].source == "EPOCHS = 1"


def test_verdicts_are_read_with_their_details_and_nothing_else_is_taken_for_one(good):
    assert good[0].verdicts == [
        run.Verdict("passed", "8.1a", ("  0.984 of the test lattices are right",)),
        run.Verdict("holds", "X8.2"),
        run.Verdict("think again", "8.1-q2"),
    ]
    assert good[0].problems() == ["think again  8.1-q2"]


def test_costs_are_those_of_the_kernel(good):
    """300 MiB were touched and freed again, and 0.6 s of one core were spent."""
    result = good[0]
    assert 300 < result.peak_memory < 1000
    assert 0.6 <= result.cpu_seconds <= 4 * result.seconds
    assert 0.6 < result.seconds < 120


def test_progress_is_told_cell_by_cell(good):
    assert good[1] == [(i, 6) for i in range(7)]


def test_a_figure_is_stored_once_and_its_text_reaches_the_page(good):
    (output,) = good[0].notebook.cells[5].outputs
    assert output.output_type == "display_data"
    text = run.page(good[0].notebook, title="ch08_x")
    assert "<title>ch08_x</title>" in text
    (tag,) = [part for part in text.split("<img")[1:] if "data:image/png" in part[:2000]]
    assert 'A "quoted" &lt;title&gt;. Y against x' in tag or "A &quot;quoted&quot; &lt;title&gt;. Y against x" in tag


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout with one good and one bad solution notebook."""
    root = tmp_path_factory.mktemp("checkout")
    folder = root / "notebooks/solution"
    written(folder / "ch08_examples.ipynb", "print('holds  X8.2')")
    path = written(
        folder / "ch07_bad.ipynb",
        ("N = 1", "parameters"),
        "print('not yet  7.1a')\nprint('  too wide')",
        "pass",
        "1 / 0",
        "print('passed  7.1c')",
        fast={"N": 0},
    )
    notebook = nbformat.read(path, 4)
    for cell, id in ((1, "7.1a"), (2, "7.1b")):
        notebook.cells[cell].outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"passed  {id}\n")]
    nbformat.write(notebook, path)
    return root


def test_a_bad_notebook_is_told_from_a_good_one(checkout, tmp_path, capsys):
    """A bad verdict, a verdict that is not printed although the build expects it, and an error that ends the run."""
    bad, good = run.run(checkout, fast=True, html=tmp_path / "pages")
    assert good.problems() == []
    assert bad.verdicts == [run.Verdict("not yet", "7.1a", ("  too wide",))]
    assert bad.errors == [run.CellError(3, "ZeroDivisionError", "division by zero")], "counted without the added cell"
    assert bad.missing == [run.Verdict("passed", "7.1b")]
    assert len(bad.problems()) == 3
    printed = capsys.readouterr().out
    assert printed.startswith("FAILED  ch07_bad ")
    assert "cell 3: ZeroDivisionError: division by zero" in printed
    assert "no verdict  7.1b" in printed
    assert "\nok      ch08_examples" in printed
    assert "1 of 2 notebooks failed" in printed
    assert sorted(page.name for page in (tmp_path / "pages").iterdir()) == ["ch07_bad.html", "ch08_examples.html"]


def test_a_cold_run_finds_downloads_and_nothing_else_in_its_cache(tmp_path, monkeypatch):
    """So that a price does not depend on what ran before; a download is not the notebook's cost."""
    for name in ("downloads/wine.csv", "models/7.1.keras", "simulated/ising.npz"):
        (tmp_path / "cache" / name).parent.mkdir(parents=True)
        (tmp_path / "cache" / name).write_text(name)
    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path / "cache"))
    code = "import os\nfor place, _, files in os.walk(os.environ['DLPHYS_CACHE_DIR']):\n    print(*files)"
    written(tmp_path / "notebooks/solution/ch08_x.ipynb", code)
    (result,) = run.run(tmp_path, cold=True, progress=False)
    assert result.notebook.cells[0].outputs[0].text.split() == ["wine.csv"]
    assert (tmp_path / "cache/downloads/wine.csv").read_text() == "downloads/wine.csv"


def test_a_students_copy_may_be_not_done_but_not_wrong(tmp_path):
    """Nothing but NotImplementedError is allowed (DESIGN section 5), and the notebook runs on after it."""
    written(
        tmp_path / "notebooks/student/ch08_x.ipynb",
        "raise NotImplementedError('task 8.1a')",
        "print('not done  8.1a')",
        "print('not yet  8.1b')",
        "raise ValueError('no')",
    )
    (result,) = run.run(tmp_path, student=True, progress=False)
    assert result.problems(student=True) == ["cell 3: ValueError: no", "not yet  8.1b"]
    assert len(result.problems()) == 3


def test_a_notebook_that_takes_too_long_is_ended(tmp_path):
    path = written(tmp_path / "ch08_x.ipynb", "print('passed  8.1a')", "while True: pass")
    start = time.perf_counter()
    result = run.execute(path, timeout=6)
    assert time.perf_counter() - start < 60
    ((cell, name, message),) = result.errors
    assert (cell, name) == (1, "TimeoutError")
    assert "6 s" in message
    assert [verdict.id for verdict in result.verdicts] == ["8.1a"]


def test_a_kernel_that_dies_is_an_error_with_its_last_words(tmp_path):
    path = written(tmp_path / "ch08_x.ipynb", "import os\nos.write(2, b'out of cheese\\n')", "os._exit(3)", "1")
    result = run.execute(path, timeout=60)
    ((cell, name, message),) = result.errors
    assert (cell, name) == (1, "DeadKernelError")
    assert message == "the kernel died; its last words: out of cheese"


@pytest.mark.parametrize("cells", [["x = 1"], [("SIZE = 3\n'EPOCHS = 1'", "parameters")]])
def test_a_fast_value_that_matches_no_parameter_is_an_error(tmp_path, cells):
    """An override that matches nothing would rot unseen."""
    path = written(tmp_path / "ch08_x.ipynb", *cells, fast={"EPOCHS": 1})
    with pytest.raises(ValueError, match=r"ch08_x\.ipynb: fast: names 'EPOCHS', but the parameters cell"):
        run.execute(path, fast=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupt_ends_the_kernel_and_leaves_nothing(tmp_path):
    """As Ctrl-C does: the kernel is gone, the scratch folder too, no page was begun."""
    code = "import os, time\nopen(PLACE, 'w').write(f'{os.getpid()} {os.getcwd()}')\ntime.sleep(300)"
    place = tmp_path / "told"
    written(tmp_path / "notebooks/solution/ch08_x.ipynb", f"PLACE = {str(place)!r}", code)
    program = f"from dlphys.course import run; run.run({str(tmp_path)!r}, html={str(tmp_path / 'pages')!r})"
    environment = {**os.environ, "PYTHONPATH": str(Path(dlphys.__file__).parents[1]), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (place.exists() and " " in place.read_text()):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "the notebook did not start"
        time.sleep(0.1)
    pid, cwd = place.read_text().split(" ", 1)
    kernel = psutil.Process(int(pid))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode in (1, 130, -signal.SIGINT)
    assert error.rstrip().endswith("KeyboardInterrupt")
    kernel.wait(timeout=30)
    assert not Path(cwd).exists()
    assert not (tmp_path / "pages").exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "folder" / "page.html"
    run.write_whole(path, "old")
    with pytest.raises(TypeError):
        run.write_whole(path, 3)
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["page.html"]


def test_notebooks_are_found_by_chapter_number_stem_and_name(tmp_path):
    names = ["ch08_convolutional", "ch08_convolutional_examples", "ch10_graphs", "lectures/lec_gans"]
    for name in names:
        written(tmp_path / f"notebooks/solution/{name}.ipynb", "1")
    written(tmp_path / "notebooks/solution/.ipynb_checkpoints/ch08_old.ipynb", "1")

    def stems(*chapters):
        return [path.stem for path in run.notebooks(tmp_path, chapters)]

    assert stems() == [Path(name).stem for name in names]
    assert stems("8") == stems("ch08") == names[:2]
    assert stems("ch08_convolutional_examples", "10") == names[1:3]
    assert stems("notebooks/solution/ch10_graphs.ipynb") == ["ch10_graphs"]
    assert stems("lec_gans") == ["lec_gans"]
    with pytest.raises(ValueError, match=r"got 'ch0'; there are ch08_convolutional"):
        stems("ch0")


def test_assigned_names_are_those_of_the_top_level():
    code = textwrap.dedent("""
        EPOCHS, (SIZE, *REST) = 1, (2, 3)
        RATE: float = 0.1
        LATER: int
        def f():
            INSIDE = 1
        """)
    assert run.assigned(code) == {"EPOCHS", "SIZE", "REST", "RATE"}
