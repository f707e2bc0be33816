"""The command line: answers at once, one sentence for an error, an exit code that is true."""

import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from typer.testing import CliRunner

from dlphys import cli

COMMANDS = [
    ["build"],
    ["run"],
    ["prices"],
    ["coverage"],
    ["doctor"],
    ["bars"],
    ["simulate"],
    ["assign"],
    ["data"],
    ["data", "list"],
    ["data", "pull"],
    ["data", "verify"],
    ["data", "export"],
]


def call(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def no_debug():
    yield
    cli._options["debug"] = False


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(words):
    told = call(*words, "--help")
    assert told.exit_code == 0
    assert "Usage:" in told.output


def test_help_loads_nothing_but_typer():
    """So that `dlphys --help` answers at once."""
    program = (
        "import sys, dlphys.cli as c\n"
        "try: c.app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'keras', 'tensorflow', 'matplotlib', 'nbformat', 'nbclient', 'numba', 'psutil', 'pooch'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(
    "words", [["build"], ["build", "--check"], ["run"], ["prices"], ["prices", "--check"], ["coverage"]], ids=" ".join
)
def test_a_folder_that_is_no_checkout_is_one_clear_sentence(words, tmp_path):
    told = call(*words, "--root", tmp_path)
    assert told.exit_code == 2
    assert told.stderr == (
        f"dlphys: no folder notebooks/ in {tmp_path}; go to the checkout of the course or give --root\n"
    )
    assert told.stdout == ""


def test_debug_shows_where_an_error_comes_from(tmp_path):
    told = call("--debug", "run", "--root", tmp_path)
    assert isinstance(told.exception, ValueError)
    assert told.exit_code == 1


def test_an_unknown_chapter_and_an_unknown_option_are_errors(tmp_path):
    (tmp_path / "notebooks/solution").mkdir(parents=True)
    assert call("run", "--root", tmp_path).stderr.startswith("dlphys: root must be a checkout with notebooks/solution")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "notebooks/solution/ch08_x.ipynb")
    told = call("run", "ch99", "--root", tmp_path)
    assert (told.exit_code, told.stderr) == (
        2,
        "dlphys: chapters must name notebooks, got 'ch99'; there are ch08_x\n",
    )
    assert call("run", "--quick").exit_code == 2


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["not yet  8.1a"], 1)])
@pytest.mark.parametrize("student", [False, True])
def test_run_passes_its_options_on_and_its_exit_code_is_true(monkeypatch, tmp_path, problems, code, student):
    from dlphys.course import run

    calls = []

    def stand_in(root, chapters, **options):
        calls.append((root, chapters, options))
        return [SimpleNamespace(problems=lambda student: []), SimpleNamespace(problems=lambda student: problems)]

    monkeypatch.setattr(run, "run", stand_in)
    (tmp_path / "notebooks").mkdir()
    flags = ["--student-copies"] if student else []
    told = call("run", "ch08", "--root", tmp_path, "--fast", "--html", tmp_path / "pages", "--threads", 1, *flags)
    assert told.exit_code == code, told.output
    options = {"fast": True, "html": tmp_path / "pages", "student": student, "threads": 1}
    assert calls == [(tmp_path, ["ch08"], options)]


def test_an_interrupt_is_no_traceback(monkeypatch, tmp_path):
    from dlphys.course import run

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run", interrupted)
    (tmp_path / "notebooks").mkdir()
    told = call("run", "--root", tmp_path)
    assert (told.exit_code, told.stderr) == (130, "interrupted\n")


def test_a_missing_package_is_named_with_its_fix(monkeypatch, tmp_path):
    from dlphys.course import run

    def base_install(*_, **__):
        raise ModuleNotFoundError("No module named 'nbclient'", name="nbclient")

    monkeypatch.setattr(run, "run", base_install)
    (tmp_path / "notebooks").mkdir()
    told = call("run", "--root", tmp_path)
    assert told.exit_code == 2
    assert told.stderr == "dlphys: nbclient is not installed; python -m pip install 'dlphys[course]'\n"


@pytest.mark.parametrize(("changed", "code"), [([], 0), (["notebooks/student/ch08_x.ipynb"], 1)])
def test_build_check_fails_if_something_is_stale(monkeypatch, tmp_path, changed, code):
    from pathlib import Path

    from dlphys.course import build

    monkeypatch.setattr(build, "build", lambda root, check: [Path(path) for path in changed])
    (tmp_path / "notebooks").mkdir()
    assert call("build", "--check", "--root", tmp_path).exit_code == code
    assert call("build", "--root", tmp_path).exit_code == 0


def test_build_refuses_options_that_exclude_each_other(tmp_path):
    (tmp_path / "notebooks").mkdir()
    assert "exclude each other" in call("build", "--check", "--release", "x", "--root", tmp_path).stderr
    assert "--edition needs --release" in call("build", "--edition", "exam", "--root", tmp_path).stderr


def test_coverage_missing_lists_only_what_is_not_covered(tmp_path):
    (tmp_path / "notebooks/source").mkdir(parents=True)
    told = call("coverage", "--missing", "--root", tmp_path)
    assert told.exit_code == 0
    assert "0 of " in told.output.splitlines()[-1]


@pytest.mark.parametrize(("problems", "stale", "code"), [([], False, 0), (["a takes 300 s"], False, 1), ([], True, 1)])
def test_prices_check_measures_nothing_and_fails_on_stale_or_high_tags(monkeypatch, tmp_path, problems, stale, code):
    from dlphys.course import prices

    monkeypatch.setattr(prices, "measure", lambda *_: pytest.fail("a check measures nothing"))
    monkeypatch.setattr(prices, "read", lambda root: {})
    monkeypatch.setattr(prices, "stale", lambda root: [])
    monkeypatch.setattr(prices, "limits", lambda tags: problems)
    monkeypatch.setattr(prices, "update_readme", lambda root, check: stale)
    (tmp_path / "notebooks").mkdir()
    assert call("prices", "--check", "--root", tmp_path).exit_code == code


def test_bars_of_an_unknown_chapter_and_too_few_seeds_are_errors():
    assert call("bars", "ch99").stderr.startswith("dlphys: CHAPTER must be one of ")
    assert call("bars", "ch99", "--seeds", "2").exit_code == 2


def test_bars_prints_what_was_measured(monkeypatch):
    from dlphys.checks import bars, references

    stored = bars.Stored(0.95, 0.98, 0.0075, 10, "higher", "", (0.98,), "f", "c")
    monkeypatch.setattr(references, "stems", lambda: ["ch08_convolutional", "ch10_graphs"])
    monkeypatch.setattr(bars, "measure", lambda stem, seeds: iter([("8.1c", "simulated", stored)]))
    told = call("bars", "8")
    assert told.output == "8.1c  simulated: bar 0.95 (higher is better), from 0.98 +- 0.0075 in 10 runs\n"


def test_doctor_fails_only_if_something_is_bad(monkeypatch):
    from dlphys.course import doctor

    for status, code in (("ok", 0), ("warn", 0), ("bad", 1)):
        report = doctor.Report((doctor.Finding("disk", "full", status, "make room"),))
        monkeypatch.setattr(doctor, "examine", lambda root, say, report=report: report)
        told = call("doctor")
        assert told.exit_code == code
        assert told.output.startswith(f"{ {'ok': '    ', 'warn': 'warn', 'bad': 'BAD '}[status] }  disk")


def test_data_pull_wants_names_or_all_and_a_folder(monkeypatch, tmp_path):
    from dlphys.datasets import manage

    calls = []
    monkeypatch.setattr(manage, "pull", lambda names, directory: calls.append((names, directory)) or ())
    assert call("data", "pull", tmp_path).exit_code == 2
    assert call("data", "pull", "--all", "wine", tmp_path).exit_code == 2
    assert call("data", "pull", "--all", tmp_path).exit_code == 0
    assert call("data", "pull", "wine", "mnist", tmp_path).exit_code == 0
    assert calls == [("all", str(tmp_path)), (["wine", "mnist"], str(tmp_path))]


def test_data_verify_fails_if_a_file_is_bad(monkeypatch):
    from dlphys.datasets import manage

    for good, code in ((True, 0), (None, 0), (False, 1)):
        report = SimpleNamespace(name="wine", file="wine.csv", good=good, status="said")
        monkeypatch.setattr(manage, "verify", lambda directory, report=report: (report,))
        told = call("data", "verify")
        assert told.exit_code == code
        assert "wine.csv  said" in told.output


def test_data_list_names_every_set():
    told = call("data", "list")
    assert told.exit_code == 0
    assert {"wine", "mnist", "ising", "earthquakes"} <= {line.split()[0] for line in told.output.splitlines()}


def test_simulate_without_a_system_lists_them():
    told = call("simulate")
    assert told.exit_code == 0
    assert [line.split()[0] for line in told.output.splitlines()].count("ising") == 1


def test_simulate_writes_shards_and_verify_reads_them(tmp_path):
    told = call("simulate", "ising", "-n", "1e2", "--out", tmp_path / "run", "--set", "size=8", "--set", "sweeps=10")
    assert told.exit_code == 0, told.stderr
    assert told.output == f"100 events of ising in 1 shards, 0.0 MB: {tmp_path / 'run'}\n"
    assert call("data", "verify", tmp_path / "run").output == "good  all 1 shards\n"
    (tmp_path / "run/shard-00000.h5").unlink()
    told = call("data", "verify", tmp_path / "run")
    assert (told.exit_code, told.output) == (1, "BAD   shard 0  missing\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ising"], "give the number of events and a folder: dlphys simulate SYSTEM -n N --out DIR"),
        (
            ["ising", "-n", "1.5", "--out", "x"],
            "-n must be a whole number of at least 1, such as 1000 or 1e7, got '1.5'",
        ),
        (["ising", "-n", "many", "--out", "x"], "-n must be a whole number of at least 1"),
        (["weather", "-n", "10", "--out", "x"], "system must be one of"),
        (["ising", "-n", "10", "--out", "x", "--set", "size"], "--set must be NAME=VALUE, got 'size'"),
        (["ising", "-n", "10", "--out", "x", "--set", "size=eight"], "size must be a whole number, got 'eight'"),
        (["ising", "-n", "10", "--out", "x", "--set", "colour=1"], "parameters must be among size, "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_simulate_says_in_one_sentence_what_is_wrong(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = call("simulate", *words)
    assert told.exit_code == 2
    assert told.stderr.startswith(f"dlphys: {message}")
    assert not list(tmp_path.iterdir())
