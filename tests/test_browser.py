"""A student's first minutes in JupyterLab, in headless Chromium: open chapter 8, run, read a verdict, mend it, pass.

The pictures are left in `.work/screenshots` for a person to look at.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from dlphys.checks import references

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / ".work" / "screenshots"
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.notebooks,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
]


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of the student's chapter 8, cut off after its first check; yields the address."""
    notebook = nbformat.read(ROOT / "notebooks/student/ch08_convolutional.ipynb", as_version=4)
    first_check = next(n for n, cell in enumerate(notebook.cells) if "check-8-1a" in str(cell.metadata))
    notebook.cells = notebook.cells[: first_check + 1]
    nbformat.write(notebook, tmp_path / "ch08_convolutional.ipynb")
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
    log = (tmp_path / "lab.log").open("wb")
    home = {"HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_PREFER_ENV_PATH": "1"}
    server = subprocess.Popen(
        [*command, *options, f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={tmp_path}"],
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **home},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api?token={token}", timeout=5)
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "lab.log").read_text()
                time.sleep(0.5)
        yield f"{address}/lab/tree/ch08_convolutional.ipynb?reset&token={token}"
    finally:
        server.terminate()
        server.wait(timeout=60)
        log.close()


def test_a_student_opens_chapter_8_reads_a_verdict_and_passes(lab):
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *quiet]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(240_000)
        page.goto(lab)
        page.wait_for_selector("#jp-main-statusbar >> text=/Python 3 .*\\| Idle/")
        page.wait_for_selector(".jp-Notebook h1 >> text=Convolutional networks")
        page.screenshot(path=PICTURES / "ch08_opened.png")

        run_all(page)
        verdict = page.locator(".jp-OutputArea-output", has_text="not done  8.1a")
        verdict.wait_for()
        verdict.scroll_into_view_if_needed()
        page.screenshot(path=PICTURES / "ch08_not_done.png")

        task = page.locator(".jp-CodeCell", has_text=re.compile(r"NotImplementedError\(.task 8\.1a")).first
        editor = task.locator(".cm-content")
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(references.entry("8.1a")["code"])
        run_all(page)
        verdict = page.locator(".jp-OutputArea-output", has_text="passed  8.1a")
        verdict.wait_for()
        verdict.scroll_into_view_if_needed()
        page.screenshot(path=PICTURES / "ch08_passed.png")
        browser.close()


def run_all(page):
    page.click("#jp-MainMenu >> text=Run")
    page.click("text=Run All Cells")
