"""The scripts beside the hub: collecting from the homes, and the arithmetic of the load test."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HUB = Path(__file__).parents[2] / "deploy/jupyterhub"


def script(name):
    specification = importlib.util.spec_from_file_location(f"deploy_{name}", HUB / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look there
    specification.loader.exec_module(module)
    return module


load, collecting = script("load"), script("collect")


def visits(*memory):
    return [load.Visit(f"load-{n}", 2.0 + n, 5.0 + n, 100.0, one - 100, one / 2, 4.0) for n, one in enumerate(memory)]


def test_the_summary_has_medians_extremes_and_means():
    result = load.summary(visits(600, 500, 1000))
    assert result["servers"] == 3
    assert (result["ready, median"], result["ready, longest"]) == (3.0, 4.0)
    assert (result["verdict, median"], result["verdict, longest"]) == (6.0, 7.0)
    assert (result["memory, mean"], result["memory, largest"]) == (700, 1000)
    assert result["memory that nobody shares, mean"] == 350
    assert result["memory of the server alone, mean"] == 100
    with pytest.raises(ValueError, match="at least one, got none"):
        load.summary([])


def test_a_machine_has_memory_for_all_at_once_a_reserve_and_the_system():
    assert load.machine(40, 1024, reserve=1.0, system=0.0) == 40
    assert load.machine(40, 512, reserve=1.5, system=3.0) == 33


def test_what_a_kernel_prints_before_it_is_idle_is_the_answer():
    class Kernel:
        """Says what JupyterLab's kernel says, another cell's words between."""

        def send(self, text):
            self.id = load.json.loads(text)["header"]["msg_id"]
            self.answers = [self.message("status", {"execution_state": "idle"}, "another"), self.stream("passed")]
            self.answers += [self.stream("  8.1a\n"), self.message("status", {"execution_state": "idle"}, self.id)]

        def stream(self, text):
            return self.message("stream", {"text": text}, self.id)

        def message(self, kind, content, id):
            return load.json.dumps({"msg_type": kind, "content": content, "parent_header": {"msg_id": id}})

        def recv(self):
            return self.answers.pop(0)

    assert load.execute(Kernel(), "check()") == "passed  8.1a\n"


def test_a_hub_that_does_not_answer_and_a_token_that_is_missing_are_said():
    command = [sys.executable, str(HUB / "load.py"), "--hub", "http://127.0.0.1:9", "--servers", "2"]
    without = {name: value for name, value in os.environ.items() if name != "JUPYTERHUB_API_TOKEN"}
    done = subprocess.run(command, capture_output=True, text=True, env=without)
    assert done.returncode == 2
    assert "set JUPYTERHUB_API_TOKEN" in done.stderr
    done = subprocess.run(command, capture_output=True, text=True, env={**without, "JUPYTERHUB_API_TOKEN": "none"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("ConnectionError: ") == 2


@pytest.fixture
def hub(tmp_path):
    """The homes of three students, one of them without a notebook."""
    (tmp_path / "roster.csv").write_text("student\nada\nzoë.b\nnobody\n", encoding="utf-8")
    for student in ("ada", "zoë.b"):
        notebooks = tmp_path / "homes" / student / "notebooks"
        notebooks.mkdir(parents=True)
        (notebooks / "ch08.ipynb").write_text(f"of {student}", encoding="utf-8")
    return tmp_path


def collect(hub, *notebooks):
    command = [sys.executable, str(HUB / "collect.py"), "week6", *notebooks, "--hub", str(hub)]
    return subprocess.run(command, capture_output=True, encoding="utf-8")


def test_notebooks_are_collected_where_nbgrader_looks_for_them(hub):
    done = collect(hub, "ch08")
    assert done.returncode == 1  # not everybody has handed in
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines == {"ada": "collected", "zoë.b": "collected", "nobody": "ch08: No such file or directory"}
    for student in ("ada", "zoë.b"):
        folder = hub / "course/submitted" / student / "week6"
        assert (folder / "ch08.ipynb").read_text(encoding="utf-8") == f"of {student}"
        assert (folder / "timestamp.txt").read_text().endswith(" UTC\n")
    assert sorted(path.name for path in (hub / "course/submitted").iterdir()) == ["ada", "zoë.b"]


def test_collecting_again_replaces_what_is_new_and_keeps_what_is_gone(hub):
    collect(hub, "ch08")
    (hub / "homes/ada/notebooks/ch08.ipynb").write_text("better")
    (hub / "homes/zoë.b/notebooks/ch08.ipynb").unlink()
    collect(hub, "ch08")
    submitted = hub / "course/submitted"
    assert (submitted / "ada/week6/ch08.ipynb").read_text() == "better"
    assert (submitted / "zoë.b/week6/ch08.ipynb").read_text(encoding="utf-8") == "of zoë.b"
    assert [path.name for path in (submitted / "ada").iterdir()] == ["week6"]


@pytest.mark.parametrize("trick", ["file", "folder", "pipe", "huge"])
def test_nothing_is_followed_out_of_a_home(hub, trick):
    secret = hub / "course/gradebook"
    secret.mkdir(parents=True)
    (secret / "ch08.ipynb").write_text("the grades")
    notebooks = hub / "homes/ada/notebooks"
    (notebooks / "ch08.ipynb").unlink()
    if trick == "file":
        (notebooks / "ch08.ipynb").symlink_to(secret / "ch08.ipynb")
    elif trick == "folder":
        notebooks.rmdir()
        notebooks.symlink_to(secret)
    elif trick == "pipe":
        os.mkfifo(notebooks / "ch08.ipynb")
    else:
        with (notebooks / "ch08.ipynb").open("wb") as file:
            file.truncate(65 << 20)
    done = collect(hub, "ch08")
    assert done.stdout.splitlines()[0].split(maxsplit=1)[1] != "collected"
    assert not (hub / "course/submitted/ada").exists()
    assert (hub / "course/submitted/zoë.b/week6/ch08.ipynb").exists()


def test_a_name_that_leads_elsewhere_is_refused(hub):
    for name in ("../ada/ch08", "a/b", ".hidden", ""):
        assert collect(hub, name).returncode == 2
    (hub / "roster.csv").write_text("student\n../homes\n")
    done = collect(hub, "ch08")
    assert done.returncode == 2
    assert "student must be a login" in done.stderr
