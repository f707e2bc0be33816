"""JupyterLab with a folder of notebooks, and headless Chromium to look at it."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PICTURES = Path(__file__).parents[1] / ".work" / "screenshots"
CHROMIUM = shutil.which("chromium")


@contextlib.contextmanager
def jupyterlab(folder):
    """A server for a folder; gives a function from a notebook's name to its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    # --expose-app-in-browser lets the test ask the page for its state; news and updates would ask the network
    options = [
        "--expose-app-in-browser",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    home = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_PREFER_ENV_PATH": "1"}
    asked = folder / "config/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    asked.parent.mkdir(parents=True)
    asked.write_text('{"fetchNews": "false"}')  # else a question covers a corner of every picture
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, *options, f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **{name: value for name, value in os.environ.items() if name != "DLPHYS_RUN"},
                **home,
            },  # a person looks
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{address}/api?token={token}", timeout=5)
                    break
                except OSError:
                    assert server.poll() is None, (folder / "lab.log").read_text()
                    time.sleep(0.5)
            yield lambda name: f"{address}/lab/tree/{name}?reset&token={token}"
        finally:
            server.terminate()
            server.wait(timeout=60)


@contextlib.contextmanager
def chromium(*, width=1280, height=900):
    """An empty page."""
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *quiet]
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(240_000)
        yield page
        browser.close()


def opened(page, address):
    """Open a notebook and wait for its kernel."""
    page.goto(address)
    page.wait_for_selector("#jp-main-statusbar >> text=/Python 3 .*\\| Idle/")


def run_all(page):
    page.click("#jp-MainMenu >> text=Run")
    page.click("text=Run All Cells")
