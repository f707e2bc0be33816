"""Executes notebooks: the one function behind ``dlphys run``, the tests, the price tags and the grader.

A notebook runs in a kernel of the interpreter that runs this code, in an empty scratch folder, with nothing of the
user's IPython profile; what it costs is measured; verdict lines and errors are collected.
"""

from __future__ import annotations

import ast
import asyncio
import copy
import logging
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import dlphys
from dlphys._validation import check_count, check_number, shown
from dlphys.course.meter import Meter

__all__ = ["CellError", "RunResult", "Verdict", "execute", "notebooks", "page", "run"]

GOOD = ("passed", "holds")
# "think again" is what a quiz prints for a wrong answer
_VERDICT = re.compile(r"(passed|not yet|not done|holds|fails|think again)  (\S+)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_KERNEL_NOISE = ("Kernel is running over TCP", "NOTE: When using the `ipython kernel`", "To exit, you will have to")
_INJECTED = "injected-parameters"


class Verdict(NamedTuple):
    """A verdict line of a check or claim, or of a quiz answered wrongly, with the indented lines below it."""

    word: str
    id: str
    details: tuple[str, ...] = ()


class CellError(NamedTuple):
    """An error that was not allowed: the cell (counted from 0 in the file), the name of the error, its message."""

    cell: int
    name: str
    message: str


@dataclass(frozen=True)
class RunResult:
    """One execution of a notebook.

    Attributes
    ----------
    path : Path
    seconds : float
        From the start of the kernel to its end.
    cpu_seconds : float
        Of the kernel and its child processes.
    peak_memory : float, MiB
        Of the kernel and its child processes.
    verdicts : list of Verdict, in the order of the cells
    missing : list of Verdict
        Stored in the file as expected, but not printed.
    errors : list of CellError
    notebook : nbformat NotebookNode
        With its outputs.
    """

    path: Path
    seconds: float
    cpu_seconds: float
    peak_memory: float
    verdicts: list[Verdict]
    missing: list[Verdict]
    errors: list[CellError]
    notebook: Any

    def __repr__(self) -> str:
        return (
            f"<{self.path.stem}: {len(self.verdicts)} verdicts, {len(self.problems())} problems, "
            f"{self.seconds:.1f} s, {self.peak_memory:.0f} MiB>"
        )

    def problems(self, *, student: bool = False) -> list[str]:
        """Why this run failed, one text each; none if it is as it should be. ``student`` allows tasks not done."""
        allowed = (*GOOD, "not done") if student else GOOD
        found = [f"cell {error.cell}: {error.name}: {error.message}" for error in self.errors]
        found += ["\n".join([f"{v.word}  {v.id}", *v.details]) for v in self.verdicts if v.word not in allowed]
        found += [f"no verdict  {v.id}: the cell should print '{v.word}  {v.id}'" for v in self.missing]
        return found


def execute(
    path: str | Path,
    *,
    fast: bool = False,
    timeout: float | None = None,
    allow: Collection[str] = (),
    cwd: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    threads: int | None = None,
    on_cell: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Execute a notebook from its first cell to its last, or to the first error that is not allowed.

    Parameters
    ----------
    path : path
        The file; it is not changed.
    fast : bool
        Put the values listed under ``fast:`` in the notebook's header in place of those in its parameters cell,
        and set ``DLPHYS_FAST=1``.
    timeout : float, s, optional
        For the whole notebook.
    allow : collection of str
        Names of errors after which the run goes on, such as "NotImplementedError" in a student's copy.
    cwd : path, optional
        Working folder of the kernel; by default an empty one that is removed afterwards.
    environment : dict, optional
        Variables to add to the environment of the kernel, such as ``DLPHYS_STUDENT``.
    threads : int, optional
        Limit for the numerical libraries.
    on_cell : callable, optional
        Called with (cells done, cells in all) before each cell and at the end.

    Returns
    -------
    RunResult

    Raises
    ------
    TypeError, ValueError
        No such notebook; ``fast`` names something that the parameters cell does not assign.
    KeyboardInterrupt
        After Ctrl-C; the kernel has been ended.

    Examples
    --------
    >>> execute("missing.ipynb")
    Traceback (most recent call last):
        ...
    ValueError: path must be an existing notebook file, got 'missing.ipynb'
    """
    import nbformat

    file = _checked_file(path)
    if isinstance(allow, str) or not all(isinstance(name, str) for name in allow):
        raise TypeError(f"allow must be a collection of names of errors, got {shown(allow)}")
    if timeout is not None:
        timeout = check_number(timeout=timeout, minimum=0, exclusive=True, unit="s")
    if threads is not None:
        threads = check_count(threads=threads)
    try:
        stored = nbformat.read(file, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError) as error:
        raise ValueError(f"path must be a notebook, but {str(path)!r} cannot be read as one ({error})") from None
    notebook, injected = _shortened(stored, file) if fast else (copy.deepcopy(stored), None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None

    with tempfile.TemporaryDirectory(prefix="dlphys-run-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        (folder / "work").mkdir()
        session = _Session(
            notebook,
            scratch=folder,
            cwd=folder / "work" if cwd is None else Path(cwd).resolve(),
            environment=_environment(folder, fast, threads, environment or {}),
            allow=list(allow),
            timeout=timeout,
            on_cell=on_cell or (lambda done, total: None),
        )
        start = time.perf_counter()
        # zmq needs a selector loop, which is not the default on Windows
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            errors = runner.run(session.run())
        seconds = time.perf_counter() - start

    if injected is not None:
        errors = [error._replace(cell=error.cell - (error.cell > injected)) for error in errors]
    verdicts = _verdicts(notebook)
    judged = {v.id for v in verdicts}
    return RunResult(
        path=file,
        seconds=seconds,
        cpu_seconds=session.meter.cpu_seconds,
        peak_memory=session.meter.peak_memory,
        verdicts=verdicts,
        # one that was printed with another word is a problem already
        missing=[v for v in _verdicts(stored) if v.id not in judged],
        errors=errors,
        notebook=notebook,
    )


def notebooks(root: str | Path, chapters: Sequence[str] = (), *, student: bool = False) -> list[Path]:
    """The built notebooks of a checkout.

    Parameters
    ----------
    root : path
        The checkout.
    chapters : sequence of str
        "ch08" or "8" for all files of a chapter, "ch08_examples" for one; by default all.
    student : bool
        The students' copies instead of the solutions.

    Returns
    -------
    list of Path, sorted

    Raises
    ------
    TypeError, ValueError
        ``root`` holds no built notebooks, or none of the name in ``chapters``.

    Examples
    --------
    >>> notebooks("/nowhere")
    Traceback (most recent call last):
        ...
    ValueError: root must be a checkout with notebooks/solution, got '/nowhere'; `dlphys build` makes them
    """
    if not isinstance(root, str | Path):
        raise TypeError(f"root must be a path, got {shown(root)} ({type(root).__name__})")
    if isinstance(chapters, str) or not all(isinstance(chapter, str) for chapter in chapters):
        raise TypeError(f"chapters must be a list of names such as 'ch08', got {shown(chapters)}")
    face = "student" if student else "solution"
    folder = Path(root) / "notebooks" / face
    every = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    if not every:
        raise ValueError(f"root must be a checkout with notebooks/{face}, got {str(root)!r}; `dlphys build` makes them")
    found: set[Path] = set()
    for chapter in chapters:
        name = f"ch{int(chapter):02d}" if chapter.isdecimal() else Path(chapter).stem
        match = [path for path in every if path.stem == name or path.stem.startswith(f"{name}_")]
        if not match:
            known = ", ".join(path.stem for path in every)
            raise ValueError(f"chapters must name notebooks, got {chapter!r}; there are {known}")
        found.update(match)
    return sorted(found) if chapters else every


def run(
    root: str | Path,
    chapters: Sequence[str] = (),
    *,
    fast: bool = False,
    html: str | Path | None = None,
    student: bool = False,
    progress: bool = True,
    threads: int | None = None,
    timeout: float | None = 1800.0,
    environment: Mapping[str, str] | None = None,
    cold: bool = False,
) -> list[RunResult]:
    """Execute notebooks of a checkout one after another and print what happened.

    Parameters
    ----------
    root : path
        The checkout.
    chapters : sequence of str
        See `notebooks`; by default all.
    fast : bool
        With the values listed under ``fast:`` in the headers.
    html : path, optional
        A folder for readable pages with figures, one a notebook.
    student : bool
        The students' copies: tasks may be not done, and NotImplementedError is allowed.
    progress : bool
        Print: a bar over the cells on a terminal, one line a notebook, each problem.
    threads, timeout, environment
        See `execute`; the timeout is for each notebook.
    cold : bool
        Give each notebook a cache of its own that holds nothing but downloaded files: what it costs then does not
        depend on what ran before.

    Returns
    -------
    list of RunResult
        A run was good if ``result.problems(student=student)`` is empty for each.

    Raises
    ------
    TypeError, ValueError
        As `notebooks` and `execute` do.

    Examples
    --------
    >>> run("/nowhere", ["ch08"])
    Traceback (most recent call last):
        ...
    ValueError: root must be a checkout with notebooks/solution, got '/nowhere'; `dlphys build` makes them
    """
    paths = notebooks(root, chapters, student=student)
    width = max(len(path.stem) for path in paths)
    results = []
    for path in paths:
        with _Bar(path.stem, shown=progress) as bar, _cache(cold) as variables:
            result = execute(
                path,
                fast=fast,
                timeout=timeout,
                allow=("NotImplementedError",) if student else (),
                environment={**(environment or {}), **variables},
                threads=threads,
                on_cell=bar,
            )
        results.append(result)
        if html is not None:
            write_whole(Path(html) / f"{path.stem}.html", page(result.notebook, title=path.stem))
        if progress:
            print(_line(result, width, student), flush=True)
    if progress:
        bad = sum(bool(result.problems(student=student)) for result in results)
        total = sum(result.seconds for result in results)
        verdict = f"{bad} of {len(results)} notebooks failed" if bad else f"{len(results)} notebooks, all good"
        print(f"{verdict}, {total:.0f} s", flush=True)
    return results


def page(notebook: Any, *, title: str) -> str:
    """A notebook as an HTML page with its figures inside; figures carry their alternative texts.

    Parameters
    ----------
    notebook : nbformat NotebookNode
    title : str
        Title of the page.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        ``notebook`` is no notebook.

    Examples
    --------
    >>> import nbformat
    >>> text = page(nbformat.v4.new_notebook(), title="Empty")
    >>> "<title>Empty</title>" in text
    True
    """
    if not isinstance(notebook, Mapping) or "cells" not in notebook:
        raise TypeError(f"notebook must be a notebook of nbformat, got {shown(notebook)}")
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(raw_template=_PAGE)
    text, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return str(text)


# nbconvert's own page leaves the alternative text of a figure out
_PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{% block data_png scoped %}
<div class="jp-RenderedImage jp-OutputArea-output {{ extra_class }}">
<img src="data:image/png;base64,{{ output.data['image/png'] | escape_html }}"
alt="{{ (output | get_metadata('alt', 'image/png') or '') | escape_html }}">
</div>
{% endblock data_png %}
"""


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader, or an interrupt, finds the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def assigned(code: str) -> set[str]:
    """The names that a cell assigns at its top level."""
    targets: list[ast.expr] = []
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets.append(node.target)
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


# --- before the run --------------------------------------------------------------------------------------


def _checked_file(path: Any) -> Path:
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be a path, got {shown(path)} ({type(path).__name__})")
    if not Path(path).is_file():
        raise ValueError(f"path must be an existing notebook file, got {str(path)!r}")
    return Path(path)


def _shortened(stored: Any, path: Path) -> tuple[Any, int | None]:
    """A copy with one cell more, behind the parameters cell: the values for a fast run; and where that cell stands."""
    import nbformat

    notebook = copy.deepcopy(stored)
    values = notebook.metadata.get("dlphys", {}).get("fast", {})
    if not values:
        return notebook, None
    places = [i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    known = set().union(*(assigned(notebook.cells[i].source) for i in places)) if places else set()
    for name in values:
        if name not in known:
            has = f"assigns {', '.join(sorted(known))}" if known else "does not exist"
            raise ValueError(f"{path.name}: fast: names {shown(name)}, but the parameters cell {has}")
    code = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    cell = nbformat.v4.new_code_cell(code, id="fast-parameters", metadata={"tags": [_INJECTED]})
    notebook.cells.insert(places[-1] + 1, cell)
    return notebook, places[-1] + 1


@contextmanager
def _cache(cold: bool) -> Iterator[dict[str, str]]:
    """Environment variables for a notebook: the cache as it is, or a new one with the downloads of the old."""
    if not cold:
        yield {}
        return
    from dlphys.datasets import _cache as kept
    from dlphys.datasets._source import DOWNLOADS

    with tempfile.TemporaryDirectory(prefix="dlphys-cache-", ignore_cleanup_errors=True) as folder:
        old = kept.directory() / DOWNLOADS
        if old.is_dir():
            shutil.copytree(old, Path(folder) / DOWNLOADS, copy_function=_link)
        yield {"DLPHYS_CACHE_DIR": folder}


def _link(source: str, target: str) -> None:
    """A link where the system and the disk allow it, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _environment(scratch: Path, fast: bool, threads: int | None, added: Mapping[str, str]) -> dict[str, str]:
    """Environment of the kernel: the same dlphys as here, no profile of the user."""
    environment = dict(os.environ)
    environment.pop("DLPHYS_FAST", None)
    search = [os.path.abspath(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    here = str(Path(dlphys.__file__).resolve().parents[1])
    if here not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *search}:
        search.insert(0, here)
    if search:
        environment["PYTHONPATH"] = os.pathsep.join(search)
    environment["IPYTHONDIR"] = str(scratch / "ipython")
    environment["DLPHYS_RUN"] = "1"
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # remarks on the processor do not belong on a page
    if fast:
        environment["DLPHYS_FAST"] = "1"
    if threads is not None:
        for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM"):
            environment[f"{library}_NUM_THREADS"] = str(threads)
        for pool in ("INTRAOP", "INTEROP"):
            environment[f"TF_NUM_{pool}_THREADS"] = str(threads)
    return environment | {str(name): str(value) for name, value in added.items()}


# --- the run -----------------------------------------------------------------------------------------------


class _Session:
    """One kernel from its start to its end."""

    def __init__(
        self,
        notebook: Any,
        *,
        scratch: Path,
        cwd: Path,
        environment: dict[str, str],
        allow: list[str],
        timeout: float | None,
        on_cell: Callable[[int, int], None],
    ) -> None:
        self.notebook, self.scratch, self.cwd, self.environment = notebook, scratch, cwd, environment
        self.allow, self.timeout, self.on_cell = allow, timeout, on_cell
        self.meter = Meter()

    async def run(self) -> list[CellError]:
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager
        from nbclient import NotebookClient

        class ThisInterpreter(KernelSpecManager):
            """An installed kernel of the name python3 may belong to another environment."""

            def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
                argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
                return KernelSpec(argv=argv, display_name="Python 3", language="python")

        quiet = logging.getLogger("dlphys.course.run")
        quiet.setLevel(logging.CRITICAL)
        manager = AsyncKernelManager(
            kernel_spec_manager=ThisInterpreter(), connection_file=str(self.scratch / "kernel.json"), log=quiet
        )
        client = NotebookClient(
            self.notebook,
            km=manager,
            allow_error_names=self.allow,
            coalesce_streams=True,
            timeout_func=self._remaining,
            startup_timeout=120,
            log=quiet,
        )
        self.deadline = None if self.timeout is None else time.monotonic() + self.timeout
        try:
            with open(self.scratch / "kernel.log", "wb") as log:
                await client.async_start_new_kernel(
                    cwd=str(self.cwd), env=self.environment, stdout=log.fileno(), stderr=log.fileno()
                )
            self.meter.start(manager.provisioner.pid)
            await client.async_start_new_kernel_client()
            return await self._cells(client)
        finally:
            self.meter.stop()
            if client.kc is not None:
                client.kc.stop_channels()
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)

    def _remaining(self, cell: Any) -> float | None:
        return None if self.deadline is None else max(0.1, self.deadline - time.monotonic())

    async def _cells(self, client: Any) -> list[CellError]:
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        client.reset_execution_trackers()
        total = len(self.notebook.cells)
        for index, cell in enumerate(self.notebook.cells):
            self.on_cell(index, total)
            try:
                await client.async_execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
            except CellExecutionError as error:
                return [CellError(index, error.ename, _COLOURS.sub("", error.evalue).strip())]
            except CellTimeoutError:
                message = f"not done within the {self.timeout:g} s of the whole notebook"
                return [CellError(index, "TimeoutError", message)]
            except DeadKernelError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # Ctrl-C, which nbclient takes for a dead kernel
                    raise asyncio.CancelledError from None
                return [CellError(index, "DeadKernelError", f"the kernel died; {self._last_words()}")]
        self.on_cell(total, total)
        client.set_widgets_metadata()
        return []

    def _last_words(self) -> str:
        lines = (self.scratch / "kernel.log").read_text(encoding="utf-8", errors="replace").splitlines()
        said = [line for line in lines if line.strip() and not any(noise in line for noise in _KERNEL_NOISE)]
        return "its last words: " + " / ".join(said[-5:]) if said else "it said nothing (out of memory?)"


# --- after the run -----------------------------------------------------------------------------------------


def _verdicts(notebook: Any) -> list[Verdict]:
    """All verdict lines in the outputs of a notebook."""
    found: list[Verdict] = []
    for cell in notebook.cells:
        text = "".join(
            output["text"]
            for output in cell.get("outputs", [])
            if output["output_type"] == "stream" and output["name"] == "stdout"
        )
        open_verdict = False
        for line in text.splitlines():
            match = _VERDICT.fullmatch(line.rstrip())
            if match:
                found.append(Verdict(match[1], match[2]))
                open_verdict = True
            elif open_verdict and line.startswith("  "):
                found[-1] = found[-1]._replace(details=(*found[-1].details, line))
            else:
                open_verdict = False
    return found


def _line(result: RunResult, width: int, student: bool) -> str:
    """What a run of a notebook came to, in one line and one more for each problem."""
    words = [verdict.word for verdict in result.verdicts]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "no verdicts"
    problems = result.problems(student=student)
    state = "FAILED" if problems else "ok"
    line = (
        f"{state:6}  {result.path.stem:{width}}  {result.seconds:6.1f} s  CPU {result.cpu_seconds:6.1f} s  "
        f"{result.peak_memory:5.0f} MiB  {counts}"
    )
    return "\n".join([line, *("        " + problem.replace("\n", "\n        ") for problem in problems)])


class _Bar:
    """A progress bar over the cells of a notebook; on a terminal only."""

    def __init__(self, name: str, *, shown: bool) -> None:
        self.name, self.shown = name, shown and sys.stderr.isatty()

    def __enter__(self) -> _Bar:
        from tqdm import tqdm

        self.bar = tqdm(desc=self.name, unit=" cells", leave=False, disable=not self.shown)
        return self

    def __call__(self, done: int, total: int) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def __exit__(self, *_: object) -> None:
        self.bar.close()
