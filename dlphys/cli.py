"""The command line: ``dlphys build``, ``dlphys run`` and so on.

Each command imports what it needs when it runs, so that ``dlphys --help`` answers at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["app"]

app = typer.Typer(
    name="dlphys",
    help="Exercises, simulators and checks for a course on deep learning in physics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="List, fetch and verify data files.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

Root = Annotated[Path, typer.Option("--root", help="The checkout of the course.", show_default="the current folder")]
Chapters = Annotated[
    list[str] | None, typer.Argument(metavar="CHAPTER", help="Such as ch08, or ch08_examples; by default all.")
]

_options = {"debug": False}


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    _options["debug"] = debug


def command(to: typer.Typer, name: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a command whose errors are printed as one sentence; what it returns is the exit code."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def quiet(*arguments: Any, **keywords: Any) -> None:
            try:
                code = function(*arguments, **keywords)
            except KeyboardInterrupt:
                typer.echo("interrupted", err=True)
                raise typer.Exit(130) from None
            except BrokenPipeError:  # dlphys ... | head: typer ends without a word
                raise
            except Exception as error:
                if _options["debug"]:
                    raise
                typer.echo(f"dlphys: {_sentence(error)}", err=True)
                raise typer.Exit(2) from None
            if code:
                raise typer.Exit(int(code))

        return to.command(name)(quiet)

    return register


def _sentence(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        extras = dict.fromkeys(("jupytext", "nbclient", "nbconvert", "nbformat"), "dlphys[course]")
        extras |= dict.fromkeys(("dask", "distributed"), "dlphys[cluster]") | {"nbgrader": "dlphys[grade]"}
        name = str(error.name).partition(".")[0]
        return f"{name} is not installed; python -m pip install '{extras.get(name, name)}'"
    if isinstance(error, ValueError | TypeError | LookupError):
        return str(error.args[0]) if len(error.args) == 1 else str(error)
    return f"{type(error).__name__}: {error} (dlphys --debug ... shows where)"


def _checkout(root: Path) -> Path:
    if not (root / "notebooks").is_dir():
        raise ValueError(f"no folder notebooks/ in {root.resolve()}; go to the checkout of the course or give --root")
    return root


@command(app)
def build(
    root: Root = Path(),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if something is stale.")] = False,
    release: Annotated[Path | None, typer.Option(metavar="DIR", help="Make the folder that students get.")] = None,
    edition: Annotated[str, typer.Option(help="Of the release: standard or exam.")] = "standard",
    colab: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a wheel: notebooks of the release install it on Colab.")
    ] = None,
) -> int:
    """Build student and solution notebooks from their sources."""
    _checkout(root)
    if release is not None and check:
        raise ValueError("--check and --release exclude each other")
    if release is None and (edition != "standard" or colab):
        raise ValueError(f"{'--colab' if colab else '--edition'} needs --release DIR")
    from dlphys.course import build as builder

    if release is not None:
        files = builder.release(root, release, edition=edition, colab=colab)
        typer.echo(f"{len(files)} files in {release}, {edition} edition; no solution line found in them")
        return 0
    changed = builder.build(root, check=check)
    for path in changed:
        typer.echo(f"{'stale' if check else 'built'}  {path.as_posix()}")
    if not changed:
        typer.echo("everything is current")
    elif check:
        typer.echo("run `dlphys build`")
    return int(check and bool(changed))


@command(app)
def run(
    chapters: Chapters = None,
    root: Root = Path(),
    fast: Annotated[bool, typer.Option("--fast", help="With the small sizes of the headers.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="DIR", help="Write readable pages with figures.")] = None,
    student_copies: Annotated[
        bool, typer.Option("--student-copies", help="The students' notebooks; tasks may be not done.")
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Limit for the numerical libraries.")] = None,
) -> int:
    """Execute notebooks and report their verdicts."""
    from dlphys.course import run as runner

    results = runner.run(_checkout(root), chapters or (), fast=fast, html=html, student=student_copies, threads=threads)
    return int(any(result.problems(student=student_copies) for result in results))


@command(app)
def prices(
    root: Root = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Measure nothing; fail if the tags are stale or too high.")
    ] = False,
) -> int:
    """Measure what notebooks cost, write the table of README.md."""
    from dlphys.course import prices as tags

    _checkout(root)
    if not check:
        tags.measure(root)
        tags.update_readme(root)
        typer.echo(tags.table(tags.read(root)))
    problems = tags.stale(root) + tags.limits(tags.read(root))
    if check and tags.update_readme(root, check=True):
        problems.append("the table in README.md is not that of notebooks/prices.json")
    for problem in problems:
        typer.echo(problem)
    if check and not problems:
        typer.echo("price tags are current and within their limits")
    return int(bool(problems))


@command(app)
def coverage(
    root: Root = Path(),
    missing: Annotated[bool, typer.Option("--missing", help="Only what no notebook covers yet.")] = False,
) -> None:
    """Show what of the course is covered by which notebook."""
    from dlphys.course import coverage as table

    rows = table.coverage(_checkout(root))
    typer.echo(table.text([row for row in rows if not (missing and row.covered)]))


@command(app)
def doctor(root: Root = Path()) -> int:
    """Is this computer ready for the course? If not, what to do."""
    from dlphys.course.doctor import examine

    report = examine(root, say=lambda sentence: typer.echo(sentence, err=True))
    typer.echo(str(report))
    return int(not report.ok)


@command(app)
def simulate(
    system: Annotated[str | None, typer.Argument(metavar="[SYSTEM]", help="Left out: lists them.")] = None,
    n: Annotated[str | None, typer.Option("-n", metavar="N", help="Events, such as 1000000 or 1e6.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="New, or of the same run: it then goes on.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A keyword of the simulator.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes of a local Dask cluster.")] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="tcp://...", help="A running Dask scheduler.")] = None,
    shard_events: Annotated[int | None, typer.Option(min=1, help="Events a file; by default 64 MiB.")] = None,
) -> int:
    """Simulate any number of events into a folder of shards."""
    if system is None:
        from dlphys.simulators._systems import systems

        for name, function in systems().items():
            typer.echo(f"{name:34}{(function.__doc__ or '').splitlines()[0]}")
        return 0
    if n is None or out is None:
        raise ValueError("give the number of events and a folder: dlphys simulate SYSTEM -n N --out DIR")
    from dlphys.course import cluster

    try:
        manifest = cluster.simulate(
            system,
            _whole("-n", n),
            out,
            seed=seed,
            parameters=dict(map(_setting, settings or [])),
            workers=workers,
            scheduler=scheduler,
            shard_events=shard_events,
        )
    except KeyboardInterrupt:
        typer.echo(f"interrupted; the same command goes on with what is finished in {out}", err=True)
        return 130
    size = sum(shard.size for shard in manifest.shards.values())
    typer.echo(f"{manifest.n} events of {system} in {manifest.count} shards, {size / 1e6:.1f} MB: {out}")
    return 0


def _whole(option: str, text: str) -> int:
    """A whole number that may be written as 1e7."""
    try:
        number = float(text)
    except ValueError:
        number = 0.5
    if not number.is_integer() or number < 1:
        raise ValueError(f"{option} must be a whole number of at least 1, such as 1000 or 1e7, got {text!r}")
    return int(text) if text.isdecimal() else int(number)


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value as JSON or else as a word."""
    import json

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"--set must be NAME=VALUE, got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@command(app)
def grade(
    handed_in: Annotated[
        Path, typer.Argument(metavar="SUBMISSIONS", help="What was handed in: a folder or a .zip file.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="The grades.")],
    assignment: Annotated[
        Path | None, typer.Option(metavar="COURSE/source/NAME", help="What was asked; by default all of each chapter.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Who is in the class; keys of their data.")
    ] = None,
    groups: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Columns student and group.")] = None,
    deadline: Annotated[str | None, typer.Option(metavar="TIME", help="Such as 2026-11-30T23:59+01:00.")] = None,
    extensions: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Columns student and deadline: who has more time.")
    ] = None,
    late: Annotated[float | None, typer.Option(min=0, max=1, help="Share taken off for each day.")] = None,
    marks: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Of the open questions.")] = None,
    pages: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Report, feedback, page to mark open questions.")
    ] = None,
    moodle: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="The grades as Moodle imports them.")] = None,
    tasks: Annotated[
        list[str] | None, typer.Option("--task", metavar="ID", help="Judge this task once more, and nothing else.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Judge everything once more.")] = False,
    records: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="One file a notebook; by default in COURSE, or beside the grades."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Local processes; by default as many as processors. 0: without Dask.")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="tcp://...", help="A running Dask scheduler.")] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Students' code then can do what you can do.")
    ] = False,
) -> int:
    """Grade what a class handed in; the same command goes on where it was stopped."""
    from dlphys.course import classroom, report

    try:
        results = classroom.grade(
            handed_in,
            out,
            assignment=assignment,
            roster=roster,
            groups=groups,
            deadline=deadline,
            extensions=extensions,
            late=late,
            marks=marks,
            pages=pages,
            moodle=moodle,
            records=records,
            workers=workers,
            scheduler=scheduler,
            tasks=tasks or None,
            again=again,
            walls=not no_sandbox,
        )
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on with what is graded", err=True)
        return 130
    typer.echo(report.table(results))
    written = [out, *([pages / "report.html"] if pages else []), *([moodle] if moodle else [])]
    typer.echo(f"written: {', '.join(map(str, written))}")
    return 0


@command(app)
def update(
    copies: Annotated[Path, typer.Argument(metavar="[NOTEBOOKS]", help="Yours: a notebook or a folder.")] = Path(),
    *,
    release: Annotated[
        Path, typer.Option("--release", envvar="DLPHYS_RELEASE", metavar="DIR", help="What the course hands out now.")
    ],
) -> None:
    """Bring your notebooks to a new release, and keep what you wrote."""
    from dlphys.course import update as updating

    for entry in updating.update(copies, release):
        typer.echo(entry)


@command(app)
def reset(
    task: Annotated[str, typer.Argument(metavar="TASK", help="Such as 8.1a.")],
    notebooks: Annotated[Path, typer.Argument(metavar="[NOTEBOOKS]", help="Yours: a notebook or a folder.")] = Path(),
) -> None:
    """Put one task of your notebook back to its beginning."""
    from dlphys.course import update as updating

    typer.echo(updating.reset(notebooks, task))


@command(app)
def assign(
    what: Annotated[list[str], typer.Argument(metavar="WHAT", help="Chapters, exercises: ch08 8.1 M3.1")],
    out: Annotated[Path, typer.Option("--out", metavar="COURSE", help="The course folder; made if there is none.")],
    root: Root = Path(),
    name: Annotated[str | None, typer.Option(help="Of the assignment; by default what is asked.")] = None,
    edition: Annotated[str, typer.Option(help="standard, or exam: without references and hints.")] = "standard",
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The class: each gets data of their own in COURSE/personal.")
    ] = None,
    question_points: Annotated[float, typer.Option(min=0, help="Of each open question.")] = 2.0,
    exchange: Annotated[Path | None, typer.Option(metavar="DIR", help="nbgrader's exchange, for a new course.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an assignment of this name.")] = False,
) -> None:
    """Make an assignment in an nbgrader course folder."""
    from dlphys.course import assign as assigning

    made = assigning.assign(
        _checkout(root),
        what,
        out,
        name=name,
        edition=edition,
        roster=roster,
        question_points=question_points,
        exchange=exchange,
        force=force,
    )
    typer.echo(f"{made.name}: solved in {made}, for students in {made.parents[1] / 'release' / made.name}")


@command(app)
def handbook(
    root: Root = Path(),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a page is stale.")] = False,
) -> int:
    """Write the tables of the instructor's pages in docs/."""
    from dlphys.course import handbook as pages

    changed = pages.write(_checkout(root), check=check)
    for path in changed:
        typer.echo(f"{'stale' if check else 'written'}  {path.as_posix()}")
    return int(check and bool(changed))


@command(app)
def bars(
    chapter: Annotated[str, typer.Argument(metavar="CHAPTER", help="Such as ch08.")],
    seeds: Annotated[int, typer.Option(min=5, help="Number of trainings for each bar.")] = 10,
) -> None:
    """Measure the performance bars of a chapter's tasks."""
    from dlphys.checks import bars as measuring
    from dlphys.checks import references

    name = f"ch{int(chapter):02d}" if chapter.isdecimal() else chapter
    stems = [stem for stem in references.stems() if stem == name or stem.startswith(f"{name}_")]
    if not stems:
        raise ValueError(f"CHAPTER must be one of {', '.join(references.stems())}, got {chapter!r}")
    count = 0
    for stem in stems:
        for id, source, stored in measuring.measure(stem, seeds=seeds):
            unit = stored.unit and f" {stored.unit}"
            spread = f"{stored.mean:g} +- {stored.standard_deviation:g}{unit} in {stored.runs} runs"
            typer.echo(f"{id}  {source}: bar {stored.bar:g}{unit} ({stored.better} is better), from {spread}")
            count += 1
    if not count:
        typer.echo(f"no task of {', '.join(stems)} has a bar")


@command(data_app, "list")
def list_data() -> None:
    """Every data set, and where it would be taken from now."""
    from dlphys.datasets import manage

    for row in manage.list_data():
        size = f"{row.size / 1e6:.1f} MB" if row.size else ""
        typer.echo(f"{row.name:22}{row.kind:12}{row.source:13}{size:>10}  {row.licence}")


@command(data_app)
def pull(
    arguments: Annotated[
        list[str], typer.Argument(metavar="NAMES DIR", help="Names of data sets, and the folder to fill.")
    ],
    all: Annotated[bool, typer.Option("--all", help="Every data set that is downloaded.")] = False,
) -> int:
    """Fill a folder with data files; DLPHYS_DATA_DIR can then name it."""
    from dlphys.datasets import manage

    *names, directory = arguments
    if all == bool(names):
        raise ValueError("give either names of data sets or --all, then the folder: dlphys data pull --all DIR")
    return _print_files(manage.pull("all" if all else names, directory))


@command(data_app)
def export(
    book: Annotated[Path, typer.Option("--book", metavar="DIR", help="The folder to fill.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAMES", help="Such as ising_data; by default all eight.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Write the data files of the book's own exercises, made by this package's simulators."""
    from dlphys.datasets.export import export_book

    for path in export_book(book, names or None, seed=seed):
        typer.echo(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


@command(data_app)
def verify(
    directory: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A mirror; by default the cache.")] = None,
) -> int:
    """Check the data files of a mirror, of the cache, or of a folder that `dlphys simulate` filled."""
    from dlphys.datasets import manage, shards

    if directory is not None and (directory / shards.MANIFEST).is_file():
        wrong = shards.verify(directory)
        for number, status in wrong.items():
            typer.echo(f"BAD   shard {number}  {status}")
        if not wrong:
            typer.echo(f"good  all {shards.read_manifest(directory).count} shards")
        return int(bool(wrong))

    return _print_files(manage.verify(directory))


def _print_files(reports: Any) -> int:
    words = {True: "good", False: "BAD", None: "-"}
    for report in reports:
        typer.echo(f"{words[report.good]:5} {report.name:22}{report.file}  {report.status}")
    return int(any(report.good is False for report in reports))


if __name__ == "__main__":
    app()
