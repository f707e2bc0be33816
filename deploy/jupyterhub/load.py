"""How many students does this hub carry? Starts servers, opens a notebook in each, runs it up to its first verdict.

    JUPYTERHUB_API_TOKEN=$(jupyterhub token -f jupyterhub_config.py instructor) python load.py --servers 10

The users load-00, load-01, ... are made and removed again; their homes stay. Memory is measured inside, when all have
their verdict: the proportional set size of server and kernel, in which a page that n processes share counts 1/n.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import requests
import websocket

VERDICTS = ("passed  ", "not yet  ", "not done  ")
RESERVE = 1.25  # memory that a class of students needs above the sum of what was measured: not all do the same
SYSTEM = 2.0  # GiB for the system and the hub
MEASURE = """
import json, os, psutil
def _cost(pid):
    process = psutil.Process(pid)
    memory, times = process.memory_full_info(), process.cpu_times()
    return memory.pss / 2**20, memory.uss / 2**20, times.user + times.system
print(json.dumps([_cost(os.getppid()), _cost(os.getpid())]))
"""


@dataclass(frozen=True)
class Visit:
    """One student's first minutes. Times in s since the server was asked for, memory in MiB, processor time in s."""

    name: str
    ready: float
    verdict: float
    server: float
    kernel: float
    unique: float
    cpu: float


class Hub:
    """The REST API of a hub."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address.rstrip("/")
        self._token = token
        self._here = threading.local()

    def ask(self, method: str, path: str, **settings: Any) -> Any:
        if not hasattr(self._here, "session"):  # a session each thread
            self._here.session = requests.Session()
            self._here.session.headers["Authorization"] = f"token {self._token}"
        answer = self._here.session.request(method, self.address + path, timeout=120, **settings)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def start(self, name: str, patience: float) -> None:
        """Start a user's server and wait until it answers."""
        self.ask("POST", f"/hub/api/users/{name}/server")
        end = time.monotonic() + patience
        while not self.ask("GET", f"/hub/api/users/{name}")["servers"].get("", {}).get("ready"):
            if time.monotonic() > end:
                raise TimeoutError(f"the server of {name} was not ready after {patience:g} s")
            time.sleep(0.5)

    def remove(self, name: str) -> None:
        self.ask("DELETE", f"/hub/api/users/{name}/server")
        end = time.monotonic() + 60
        while self.ask("GET", f"/hub/api/users/{name}")["servers"] and time.monotonic() < end:
            time.sleep(0.5)
        self.ask("DELETE", f"/hub/api/users/{name}")

    def kernel(self, name: str, path: str) -> websocket.WebSocket:
        """Open a notebook with a kernel, as JupyterLab does."""
        wanted = {"path": path, "type": "notebook", "name": path, "kernel": {"name": "python3"}}
        session = self.ask("POST", f"/user/{name}/api/sessions", json=wanted)
        address = self.address.replace("http", "ws", 1)
        return websocket.create_connection(
            f"{address}/user/{name}/api/kernels/{session['kernel']['id']}/channels",
            header=[f"Authorization: token {self._token}"],
            timeout=600,
        )


def execute(kernel: websocket.WebSocket, code: str) -> str:
    """What a cell prints."""
    id = uuid.uuid4().hex
    header = {"msg_id": id, "msg_type": "execute_request", "username": "", "session": id, "version": "5.3", "date": ""}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    kernel.send(json.dumps(request))
    printed = []
    while True:
        answer = json.loads(kernel.recv())
        if answer["parent_header"].get("msg_id") != id:
            continue
        if answer["msg_type"] == "stream":
            printed.append(answer["content"]["text"])
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return "".join(printed)


def visit(hub: Hub, name: str, notebook: str, together: threading.Barrier, patience: float = 300.0) -> Visit:
    """A user who is made for it starts a server, runs a notebook up to its first verdict, waits for the others."""
    try:
        hub.ask("POST", f"/hub/api/users/{name}")  # refused if there is such a user: nobody's server is taken
        try:
            return _visit(hub, name, notebook, together, patience)
        finally:
            hub.remove(name)
    except BaseException:
        together.abort()
        raise


def _visit(hub: Hub, name: str, notebook: str, together: threading.Barrier, patience: float) -> Visit:
    begin = time.monotonic()
    hub.start(name, patience)
    ready = time.monotonic() - begin
    path = f"notebooks/{notebook}.ipynb"
    cells = hub.ask("GET", f"/user/{name}/api/contents/{path}")["content"]["cells"]
    with contextlib.closing(hub.kernel(name, path)) as kernel:
        codes = (cell["source"] for cell in cells if cell["cell_type"] == "code")
        if not any(execute(kernel, code).startswith(VERDICTS) for code in codes):  # stops at the first
            raise ValueError(f"{notebook} printed no verdict")
        verdict = time.monotonic() - begin
        together.wait(patience)
        server, student = json.loads(execute(kernel, MEASURE))
        together.wait(patience)  # nobody leaves while another is measured
    return Visit(name, ready, verdict, server[0], student[0], server[1] + student[1], server[2] + student[2])


def summary(visits: Sequence[Visit]) -> dict[str, float]:
    """Medians and extremes; memory of server and kernel together, in MiB, times in s."""
    if not visits:
        raise ValueError("visits must hold at least one, got none")
    memory = [one.server + one.kernel for one in visits]
    return {
        "servers": len(visits),
        "ready, median": statistics.median(one.ready for one in visits),
        "ready, longest": max(one.ready for one in visits),
        "verdict, median": statistics.median(one.verdict for one in visits),
        "verdict, longest": max(one.verdict for one in visits),
        "memory, mean": statistics.mean(memory),
        "memory, largest": max(memory),
        "memory of the server alone, mean": statistics.mean(one.server for one in visits),
        "memory that nobody shares, mean": statistics.mean(one.unique for one in visits),
        "processor seconds, mean": statistics.mean(one.cpu for one in visits),
    }


def machine(students: int, memory: float, *, reserve: float = RESERVE, system: float = SYSTEM) -> float:
    """Memory in GiB of a machine for so many students, who need so many MiB each, all at the same time."""
    return system + reserve * students * memory / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hub", default="http://127.0.0.1:8000", help="its address")
    parser.add_argument("--servers", type=int, default=10, metavar="N")
    parser.add_argument("--notebook", default="ch03_building_blocks")
    parser.add_argument("--students", type=int, default=40, metavar="N", help="size of the class to plan for")
    parser.add_argument("--json", metavar="FILE", help="write every measurement")
    options = parser.parse_args()
    token = os.environ.get("JUPYTERHUB_API_TOKEN")
    if not token or options.servers < 1:
        parser.error("set JUPYTERHUB_API_TOKEN to an instructor's token, and ask for at least one server")
    hub, together = Hub(options.hub, token), threading.Barrier(options.servers)
    names = [f"load-{number:02}" for number in range(options.servers)]
    with ThreadPoolExecutor(len(names)) as pool:
        visiting = [pool.submit(visit, hub, name, options.notebook, together) for name in names]
        try:
            wait(visiting)
        except KeyboardInterrupt:
            print("interrupted: the users are removed first", file=sys.stderr)
            together.abort()
    problems = [error for one in visiting if (error := one.exception()) is not None]
    for error in problems:
        if not isinstance(error, threading.BrokenBarrierError):  # these have waited for the others
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    if problems:
        return 1
    visits = [one.result() for one in visiting]
    result = summary(visits)
    for name, value in result.items():
        print(f"{name:36}{value:8.1f}")
    need = machine(options.students, result["memory, mean"])
    print(f"{options.students} students with {options.notebook} open: {need:.0f} GiB")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"summary": result, "visits": [dataclasses.asdict(one) for one in visits]}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
