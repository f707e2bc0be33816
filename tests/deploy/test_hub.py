"""A class of two on the hub of deploy/jupyterhub, in headless Chromium: log in, work, be kept apart, be graded."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import psutil
import pytest
from laboratory import CHROMIUM, chromium, opened, run_all

from dlphys.checks import engine, references
from dlphys.course import sandbox
from dlphys.course.build import digest
from dlphys.course.grade import grade_notebook

ROOT = Path(__file__).parents[2]
HUB = ROOT / "deploy/jupyterhub"
NODE = ROOT / ".work/node/node_modules/.bin"
PATH = os.pathsep.join([str(NODE), str(Path(sys.executable).parent), os.environ["PATH"]])
PROXY = shutil.which("configurable-http-proxy", path=PATH)

pytestmark = [
    pytest.mark.notebooks,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
    pytest.mark.skipif(
        PROXY is None,
        reason="configurable-http-proxy is not installed (npm install --prefix .work/node configurable-http-proxy)",
    ),
]


def cell(notebook, kind, **named):
    """The cell of a task or check."""
    return next(one for one in notebook.cells if one.metadata.get("dlphys", {}).get(kind) == named["id"])


def make_release(folder, *, title="Convolutional networks"):
    """Chapter 3, and chapter 8 with few lattices, up to its first check; the last cell shows whose data these are."""
    folder.mkdir()
    shutil.copy(ROOT / "notebooks/student/ch03_building_blocks.ipynb", folder)
    notebook = nbformat.read(ROOT / "notebooks/student/ch08_convolutional.ipynb", as_version=4)
    del notebook.cells[notebook.cells.index(cell(notebook, "check", id="8.1a")) + 1 :]
    notebook.cells.append(nbformat.v4.new_code_cell("check"))
    for one in notebook.cells:
        one.source = one.source.replace("26_000", "2_600").replace("# Convolutional networks", f"# {title}", 1)
        one.id = f"{digest(one.cell_type, one.source)}-{len(one.source)}"
    nbformat.write(notebook, folder / "ch08_convolutional.ipynb")
    return folder


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def hub(folder):
    """The hub on a folder; gives its address. At its end nothing that it started is left."""
    own, proxy, inner = (f"http://127.0.0.1:{port}" for port in free_ports(3))
    command = [sys.executable, "-m", "jupyterhub", "-f", str(HUB / "jupyterhub_config.py")]
    command += [f"--JupyterHub.bind_url={own}", f"--JupyterHub.hub_bind_url={inner}"]
    command += [f"--ConfigurableHTTPProxy.api_url={proxy}"]
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment())
    watched = psutil.Process(process.pid)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{own}/hub/health", timeout=5)
                break
            except OSError:  # the proxy answers before the hub does
                assert process.poll() is None, (folder / "hub.log").read_text()
                time.sleep(0.5)
        yield own
    finally:
        started = watched.children(recursive=True)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=120)
        finally:
            left = psutil.wait_procs(started, timeout=30)[1]
            for one in (*left, watched):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
    assert not left


def environment():
    ours = ("DLPHYS_", "JUPYTER", "OMP_", "TF_NUM_", "NUMBA_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    hub = {"DLPHYS_SPAWNER": "simple", "DLPHYS_INSTRUCTORS": "noether", "DLPHYS_THREADS": "1"}
    return {**inherited, **hub, "PATH": PATH, "PYTHONPATH": str(ROOT)}


def log_in(page, address, name, password):
    page.goto(f"{address}/hub/login")
    page.fill("#username_input", name)
    page.fill("#password_input", password)
    with page.expect_navigation():
        page.click("#login_submit")


def token(folder, name):
    command = [sys.executable, "-m", "jupyterhub", "token", "-f", str(HUB / "jupyterhub_config.py"), name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def work(page, address, name, solution=None):
    """A student's minutes with chapter 8; gives the verdict that is seen."""
    opened(page, f"{address}/user/{name}/lab/tree/notebooks/ch08_convolutional.ipynb?reset")
    if solution:
        write(page, solution)
    run_all(page)
    page.locator(".jp-OutputArea-output", has_text="<checks of ch08_convolutional").wait_for()
    verdict = page.locator(".jp-OutputArea-output", has_text="8.1a")
    verdict.scroll_into_view_if_needed()
    text = verdict.inner_text()
    page.keyboard.press("Control+s")
    page.wait_for_selector("#jp-main-statusbar >> text=Saving completed")
    return text.splitlines()[0]


def write(page, solution):
    task = page.locator(".jp-CodeCell", has_text=re.compile(r"NotImplementedError\(.task 8\.1a")).first
    task.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(solution)


def test_a_class_of_two_works_on_the_hub_and_is_graded(tmp_path, monkeypatch):
    pictures = Path(os.environ.get("DLPHYS_SCREENSHOTS", tmp_path / "screenshots"))
    pictures.mkdir(parents=True, exist_ok=True)
    (tmp_path / "roster.csv").write_text("student,name,key\nada,Ada Lovelace,\nemmy,Emmy N.,key of her own\n")
    (tmp_path / "release").symlink_to(make_release(tmp_path / "release-1"))
    solution = references.entry("8.1a")["code"]
    with hub(tmp_path) as address, chromium() as ada:
        passwords = {
            name: (tmp_path / f"secrets/{name}_password").read_text().strip() for name in ("student", "instructor")
        }
        emmy, teacher = (ada.context.browser.new_page(viewport={"width": 1280, "height": 900}) for _ in range(2))

        log_in(ada, address, "mallory", passwords["student"])
        assert ada.locator(".login_error").inner_text()
        log_in(ada, address, "noether", passwords["student"])
        assert ada.locator(".login_error").inner_text()

        verdicts = {}
        for name, page, text in (("ada", ada, solution), ("emmy", emmy, None)):
            page.set_default_timeout(240_000)
            log_in(page, address, name, passwords["student"])
            page.wait_for_url(f"**/user/{name}/lab**")
            page.wait_for_selector(".jp-DirListing-item >> text=notebooks")
            verdicts[name] = work(page, address, name, text)
            page.screenshot(path=pictures / f"{name}.png")
        assert verdicts == {"ada": "passed  8.1a", "emmy": "not done  8.1a"}

        teacher.set_default_timeout(240_000)
        log_in(teacher, address, "noether", passwords["instructor"])
        teacher.wait_for_url("**/user/noether/lab**")
        for page, other in ((ada, "emmy"), (emmy, "ada"), (emmy, "noether")):
            assert page.goto(f"{address}/user/{other}/lab").status == 403
            for path in ("contents/notebooks", "kernels", "terminals"):
                assert page.request.get(f"{address}/user/{other}/api/{path}").status == 403
        assert ada.request.get(f"{address}/hub/api/users").status == 403
        assert ada.request.get(f"{address}/user/ada/formgrader").status == 404
        assert teacher.request.get(f"{address}/user/noether/formgrader").status == 200
        ada.screenshot(path=pictures / "refused.png")

        written = {name: tmp_path / f"homes/{name}/notebooks/ch08_convolutional.ipynb" for name in ("ada", "emmy")}
        for name, key in (("ada", "ada"), ("emmy", "key of her own")):
            monkeypatch.setenv("DLPHYS_STUDENT", key)
            seed = engine.personal_seed("ch08_convolutional")
            assert f"seed {seed}>" in written[name].read_text()

        teacher.goto(f"{address}/hub/admin")
        teacher.wait_for_selector("text=emmy")
        teacher.screenshot(path=pictures / "instructor.png")
        command = [sys.executable, str(HUB / "collect.py"), "week6", "ch08_convolutional"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment())
        assert (done.returncode, done.stdout.split()) == (0, ["ada", "collected", "emmy", "collected"]), done.stderr
        grades = {}
        for name, key in (("ada", "ada"), ("emmy", "key of her own")):
            path = tmp_path / f"course/submitted/{name}/week6/ch08_convolutional.ipynb"
            grade = grade_notebook(path, student=key, tasks=["8.1a"], walls=not sandbox.why_not())
            grades[name] = (grade.reason, grade.tasks[0].status, grade.points)
        assert grades == {"ada": ("", "passed", 2), "emmy": ("", "not done", 0)}

        admin = {"Authorization": f"token {token(tmp_path, 'noether')}"}
        for name in ("ada", "emmy", "noether"):
            assert teacher.request.delete(f"{address}/hub/api/users/{name}/server", headers=admin).status in (202, 204)
        make_release(tmp_path / "release-2", title="Convolutional networks, repaired")
        (tmp_path / "next").symlink_to("release-2")
        os.replace(tmp_path / "next", tmp_path / "release")
        ada.goto(f"{address}/hub/spawn")
        ada.wait_for_url("**/user/ada/lab**")
        opened(ada, f"{address}/user/ada/lab/tree/notebooks/ch08_convolutional.ipynb?reset")
        ada.wait_for_selector(".jp-Notebook h1 >> text=Convolutional networks, repaired")
        ada.screenshot(path=pictures / "second_visit.png")
        notebook = nbformat.read(written["ada"], as_version=4)
        assert cell(notebook, "task", id="8.1a").source == solution
        assert "tasks kept: 8.1a" in (tmp_path / "homes/ada/notebooks/update.txt").read_text()

        command = [sys.executable, str(HUB / "load.py"), "--hub", address, "--servers", "1", "--json", "load.json"]
        loaded = {**environment(), "JUPYTERHUB_API_TOKEN": admin["Authorization"].removeprefix("token ")}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=loaded)
        assert done.returncode == 0, done.stderr
        (one,) = json.loads((tmp_path / "load.json").read_text())["visits"]
        assert 0 < one["ready"] < one["verdict"]
        assert 100 < one["unique"] < one["server"] + one["kernel"] < 3000  # MiB
        assert teacher.request.get(f"{address}/hub/api/users/load-00", headers=admin).status == 404
