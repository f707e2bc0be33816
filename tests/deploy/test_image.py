"""The image and the values for Kubernetes, which cannot be tried here: held to what can be."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HUB = ROOT / "deploy/jupyterhub"
DOCKERFILE = (HUB / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
VALUES = yaml.safe_load((ROOT / "deploy/kubernetes/values.yaml").read_text(encoding="utf-8"))
CONFIG = (HUB / "jupyterhub_config.py").read_text(encoding="utf-8")
PINNED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)

# of the chart, from its values.yaml and values.schema.yaml; what lies below a value of None is free
CHART = {
    "singleuser": {
        **dict.fromkeys(["cmd", "defaultUrl", "startTimeout", "extraEnv"]),
        "image": dict.fromkeys(["name", "tag", "pullPolicy"]),
        "memory": dict.fromkeys(["limit", "guarantee"]),
        "cpu": dict.fromkeys(["limit", "guarantee"]),
        "storage": dict.fromkeys(["capacity", "extraVolumes", "extraVolumeMounts", "homeMountPath"]),
    },
    "cull": dict.fromkeys(["enabled", "users", "timeout", "every", "maxAge"]),
    "hub": {"config": None},
    "proxy": {"https": dict.fromkeys(["enabled", "hosts", "letsencrypt"])},
}


def unknown(values, chart, where=""):
    for name, value in values.items():
        if name not in chart:
            yield f"{where}{name}"
        elif chart[name] is not None:
            yield from unknown(value, chart[name], f"{where}{name}.")


def test_every_value_is_one_of_the_chart():
    assert list(unknown(VALUES, CHART)) == []
    assert list(unknown({"singleuser": {"memory": {"limits": "1G"}}}, CHART)) == ["singleuser.memory.limits"]


def test_kubernetes_and_the_small_hub_give_a_student_the_same():
    student = VALUES["singleuser"]
    threads = re.search(r'"DLPHYS_THREADS", "(\d+)"', CONFIG)[1]
    names = set(re.findall(r'"(\w+_THREADS)": THREADS', CONFIG))
    assert len(names) == 4
    assert {student["extraEnv"][name] for name in names} == {threads, str(student["cpu"]["limit"])}
    assert student["memory"]["limit"] == re.search(r'"DLPHYS_MEMORY", "(\w+)"', CONFIG)[1]
    assert VALUES["cull"]["timeout"] == 60 * int(re.search(r'"DLPHYS_IDLE_MINUTES", "(\d+)"', CONFIG)[1])
    assert student["image"]["name"] == re.search(r'"DLPHYS_IMAGE", "([\w-]+)"', CONFIG)[1]
    command = re.search(r"DockerSpawner\.cmd = \[(.*)\]", CONFIG)[1]
    assert student["cmd"] == shlex.split(command.replace(",", " "))
    assert all(isinstance(value, str) for value in student["extraEnv"].values())  # Kubernetes refuses numbers


def test_the_image_copies_what_is_there_and_starts_what_it_copied():
    lines = [line.split() for line in DOCKERFILE.splitlines()]
    copied = [line[1:] for line in lines if line[:1] == ["COPY"] and not line[1].startswith("--")]
    for *sources, _ in copied:
        assert all((ROOT / source).exists() for source in sources)
    targets = {line[-1] for line in copied} | {line[-1] for line in lines if line[:1] == ["COPY"]}
    assert VALUES["singleuser"]["cmd"][0] in targets
    assert re.findall(r"DLPHYS_RELEASE=(\S+)", DOCKERFILE)[0] in targets
    for path in re.findall(r"JUPYTER_CONFIG_PATH=(\S+)", DOCKERFILE)[0].split(":"):
        assert path.startswith("/opt/dlphys/etc")
        assert (HUB / "etc" / path.removeprefix("/opt/dlphys/etc").strip("/")).is_dir()
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:3.12-slim"}


def test_the_image_has_the_locked_versions_with_hashes_and_no_tools_of_developers():
    text = (HUB / "requirements.txt").read_text(encoding="utf-8")
    lock = set(PINNED.findall((ROOT / "requirements/lock.txt").read_text(encoding="utf-8")))
    pins = set(PINNED.findall(text))
    assert pins <= lock
    names = {name for name, _ in pins}
    assert {"jupyterhub", "jupyterlab", "nbgrader", "nbformat", "keras", "numba", "psutil", "requests"} <= names
    assert not names & {"mypy", "pytest", "ruff", "playwright", "nbval", "uv"}
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z0-9])", text))
    assert "://" not in text


@pytest.mark.parametrize("path", ["deploy/jupyterhub/start_server", "binder/postBuild", "binder/start", ".ci/run"])
def test_shell_scripts_can_be_executed_and_parsed(path):
    assert (ROOT / path).stat().st_mode & 0o111 == 0o111
    subprocess.run(["bash", "-n", str(ROOT / path)], check=True)


@pytest.mark.parametrize("path", ["Dockerfile", "requirements.txt", "jupyterhub_config.py", "start_server"])
def test_no_file_names_a_host_of_packages(path):
    assert not re.search(r"https?://(?!127\.0\.0\.1)", (HUB / path).read_text(encoding="utf-8"))


def test_programs_of_npm_are_pinned():
    lines = (ROOT / ".ci/npm.txt").read_text(encoding="utf-8").splitlines()
    programs = [line for line in lines if not line.startswith("#")]
    assert programs
    assert all(re.fullmatch(r"[a-z@/-]+@\d+\.\d+\.\d+", line) for line in programs)


def test_the_page_names_every_setting_and_no_other():
    page = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    table = page.partition("| variable |")[2].partition("\n\n")[0]
    asked = set(re.findall(r'(?:environ\.get|number)\("(DLPHYS_\w+)"', CONFIG))
    assert asked == set(re.findall(r"DLPHYS_\w+", table))
