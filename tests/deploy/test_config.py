"""The hub's configuration: read as JupyterHub reads it, for every spawner; and how a student's server starts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config import PyFileConfigLoader

ROOT = Path(__file__).parents[2]
HUB = ROOT / "deploy/jupyterhub"


class Asked:
    """What a setting is asked for: a spawner of a user."""

    def __init__(self, name):
        self.user = type("User", (), {"name": name})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A hub's folder with a class of two and a release; environment of nobody."""
    for name in list(os.environ):
        if name.startswith("DLPHYS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DLPHYS_HUB", str(tmp_path))
    monkeypatch.setenv("DLPHYS_INSTRUCTORS", "noether, curie")
    (tmp_path / "roster.csv").write_text("student,key\nada,\nemmy,her own\n")
    (tmp_path / "release").mkdir()
    umask = os.umask(0o022)
    yield tmp_path
    os.umask(umask)


def configured(monkeypatch, spawner="simple", **more):
    monkeypatch.setenv("DLPHYS_SPAWNER", spawner)
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    return PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()


def test_every_setting_is_one_that_jupyterhub_has(folder, monkeypatch):
    """A misspelt one would be passed over in silence."""
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import Authenticator
    from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
    from jupyterhub.proxy import ConfigurableHTTPProxy
    from jupyterhub.spawner import SimpleLocalProcessSpawner, Spawner

    classes = [JupyterHub, Authenticator, SharedPasswordAuthenticator, ConfigurableHTTPProxy, Spawner]
    known = {one.__name__: one.class_trait_names(config=True) for one in [*classes, SimpleLocalProcessSpawner]}
    for spawner in ("simple", "systemd", "docker"):
        found = configured(monkeypatch, spawner)
        for name, settings in found.items():
            if name not in ("SystemdSpawner", "DockerSpawner"):  # their packages are not here
                assert set(settings) <= set(known[name]), name


def test_every_argument_is_one_that_the_server_of_a_student_has(folder, monkeypatch):
    from jupyter_server.serverapp import ServerApp
    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
    from jupyter_server_terminals.terminalmanager import TerminalManager

    known = {
        one.__name__: one.class_trait_names(config=True) for one in (ServerApp, MappingKernelManager, TerminalManager)
    }
    arguments = [word for word in configured(monkeypatch).Spawner.args if word != "--allow-root"]
    assert arguments
    for argument in arguments:
        name, _, trait = argument.partition("=")[0].removeprefix("--").partition(".")
        assert trait in known[name]


def test_a_student_has_a_key_of_her_own_and_no_formgrader(folder, monkeypatch):
    environment = configured(monkeypatch, DLPHYS_DATA_DIR="/mirror", DLPHYS_THREADS="3").Spawner.environment
    assert environment["DLPHYS_STUDENT"](Asked("ada")) == "ada"
    assert environment["DLPHYS_STUDENT"](Asked("emmy")) == "her own"
    assert environment["DLPHYS_COURSE"](Asked("ada")) == ""
    assert environment["DLPHYS_COURSE"](Asked("curie")) == str(folder / "course")
    assert {environment[name] for name in environment if name.endswith("_THREADS")} == {"1", "3"}
    assert environment["DLPHYS_DATA_DIR"] == "/mirror"
    for student, off in (("ada", {"formgrader", "validate-assignment", "assignment-list"}), ("noether", set())):
        disabled = set()
        for path in environment["JUPYTER_CONFIG_PATH"](Asked(student)).split(os.pathsep):
            page = Path(path) / "labconfig/page_config.json"
            disabled |= set(json.loads(page.read_text())["disabledExtensions"]) if page.exists() else set()
        assert off <= {name.partition(":")[2] for name in disabled}
        assert bool(off) == bool(disabled)
    with_exchange = configured(monkeypatch, DLPHYS_EXCHANGE="/exchange").Spawner.environment
    assert "no_exchange" not in with_exchange["JUPYTER_CONFIG_PATH"](Asked("ada"))


def test_only_the_class_and_its_instructors_may_come_in(folder, monkeypatch):
    found = configured(monkeypatch)
    assert found.Authenticator.allowed_users == {"ada", "emmy", "noether", "curie"}
    assert found.Authenticator.admin_users == {"noether", "curie"}
    assert found.JupyterHub.bind_url.startswith("http://127.0.0.1")


def test_secrets_are_made_once_and_are_for_nobody_else(folder, monkeypatch):
    first = configured(monkeypatch).SharedPasswordAuthenticator
    assert len({*first.values()}) == 2
    assert configured(monkeypatch).SharedPasswordAuthenticator == first
    files = list((folder / "secrets").iterdir())
    assert len(files) == 4
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    files[0].chmod(0o640)
    with pytest.raises(SystemExit, match=f"others can read {files[0]}"):
        configured(monkeypatch)


@pytest.mark.parametrize(
    ("missing", "message"),
    [("roster.csv", r"write .*roster\.csv"), ("release", r"there is no .*release: make it with `dlphys build --rel")],
)
def test_what_is_missing_is_said(folder, monkeypatch, missing, message):
    (folder / missing).rename(folder / "away")
    with pytest.raises(SystemExit, match=message):
        configured(monkeypatch)


def test_no_spawner_is_chosen_for_anybody(folder, monkeypatch):
    with pytest.raises(SystemExit, match="no walls between students"):
        configured(monkeypatch, "")


@pytest.mark.parametrize(("name", "value"), [("DLPHYS_THREADS", "two"), ("DLPHYS_IDLE_MINUTES", "0")])
def test_a_wrong_number_is_refused_by_name(folder, monkeypatch, name, value):
    with pytest.raises(SystemExit, match=f"{name} must be a whole number of at least 1, got '{value}'"):
        configured(monkeypatch, **{name: value})


@pytest.mark.parametrize(
    ("roster", "message"), [("student\nAda\n", "lower case.*: Ada"), ("student\n../ada\n", "line 2: student must be")]
)
def test_a_roster_that_the_hub_cannot_use_is_refused(folder, monkeypatch, roster, message):
    """JupyterHub would make ada of Ada, and grading would look for the data of Ada."""
    (folder / "roster.csv").write_text(roster)
    with pytest.raises(SystemExit, match=message):
        configured(monkeypatch)


def test_nbgrader_finds_the_course_and_the_exchange_through_the_settings_of_an_instructor(folder, monkeypatch):
    environment = configured(monkeypatch, DLPHYS_EXCHANGE=str(folder / "exchange")).Spawner.environment
    values = {name: value(Asked("curie")) if callable(value) else value for name, value in environment.items()}
    code = "from nbgrader.apps import NbGrader; app = NbGrader(); app.initialize([]); print(app.config)"
    home = {"HOME": str(folder), "JUPYTER_PREFER_ENV_PATH": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**os.environ, **values, **home})
    assert f"'root': '{folder / 'course'}'" in done.stdout, done.stderr
    assert f"'root': '{folder / 'exchange'}'" in done.stdout


def test_what_a_university_adds_is_read_last(folder, monkeypatch):
    (folder / "local.py").write_text("c = get_config()\nc.JupyterHub.authenticator_class = 'pam'\n")
    found = configured(monkeypatch)
    assert found.JupyterHub.authenticator_class == "pam"
    assert found.Authenticator.admin_users == {"noether", "curie"}


def test_docker_sees_the_release_and_the_data_but_cannot_write_them(folder, monkeypatch):
    found = configured(monkeypatch, "docker", DLPHYS_DATA_DIR="/mirror", DLPHYS_EXCHANGE="/exchange")
    assert found.DockerSpawner.volumes == {str(folder / "homes/{username}"): "/home/jovyan", "/exchange": "/exchange"}
    assert set(found.DockerSpawner.read_only_volumes) == {str(folder / "release"), "/mirror"}
    assert "PATH" not in found.Spawner.environment  # the image has its own
    assert found.Spawner.mem_limit == "3G"


def started(home, release, *command):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT), "JUPYTERHUB_USER": "ada"}
    return subprocess.run(
        [HUB / "start_server", *command],
        capture_output=True,
        text=True,
        env={**variables, "DLPHYS_RELEASE": str(release)},
    )


def test_a_server_starts_with_notebooks_caches_and_the_key_of_its_user(tmp_path):
    release = tmp_path / "release with spaces"
    release.mkdir()
    name = "ch03_building_blocks.ipynb"
    (release / name).write_bytes((ROOT / "notebooks/student" / name).read_bytes())
    home = tmp_path / "zoë"
    home.mkdir()
    done = started(
        home, release, "sh", "-c", 'pwd; echo "$DLPHYS_STUDENT"; echo "$NUMBA_CACHE_DIR"; echo "$0" "$@"', "a b", "c"
    )
    assert done.stdout.splitlines() == [str(home), "ada", f"{home}/.cache/numba", "a b c"], done.stderr
    assert (home / "notebooks" / name).read_bytes() == (release / name).read_bytes()
    assert (home / ".cache/dlphys").is_dir()
    assert "new  notebooks/ch03_building_blocks.ipynb" in (home / "notebooks/update.txt").read_text()


def test_a_server_starts_although_a_notebook_is_broken(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/mine.ipynb").write_text("no JSON")
    done = started(tmp_path, ROOT / "notebooks/student", "echo", "started")
    assert done.stdout == "started\n"
    assert "mine.ipynb cannot be read as a notebook" in done.stderr
    assert "mine.ipynb cannot be read as a notebook" in (tmp_path / "notebooks/update.txt").read_text()
