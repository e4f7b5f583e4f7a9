"""The real page in a real browser: a server process of its own, headless Chromium, and what must never happen."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def require_chromium():
    """Under CI a missing browser is a failure, elsewhere a printed skip."""
    if CHROMIUM:
        return
    if os.environ.get("CI"):
        pytest.fail("Chromium is missing; CI must install it")
    pytest.skip("Chromium is not installed, so the page is not driven")


@contextlib.contextmanager
def chromium():
    """A headless Chromium of its own."""
    require_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(home, arguments=("app.py",), **environment):
    """`python app.py`, or other arguments, on a free port; yields (address, seconds until it answered)."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"FTRAG_HOME": str(home), "GRADIO_SERVER_PORT": str(port)} | environment,
        stdout=(log := (home / "app.log").open("wb")),
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until(lambda: answers(address) or process.poll() is not None, 150)
        assert process.poll() is None, (home / "app.log").read_text()
        yield address, time.monotonic() - started
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def answers(address):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(address, timeout=5).status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def wait_until(condition, seconds):
    """Poll until the condition holds; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return value


def set_epochs(visit, epochs):
    """Open the training settings and set the epochs; done when the page's own commands name them.

    What is typed while a tab is still being put together can be lost, and a training of three epochs would start.
    """
    if not visit.page.get_by_label("number input for Epochs").is_visible():
        visit.page.get_by_text("Training settings").click()
        visit.page.get_by_text("More machines: the same training").click()
    box = visit.page.get_by_label("number input for Epochs")

    def told():
        box.fill(str(epochs))
        box.press("Enter")
        visit.page.wait_for_timeout(1000)
        return f"--epochs {epochs}" in visit.text("#machines")

    wait_until(told, 60)


class Visit:
    """One page of a browser; keeps what must stay empty: console errors and requests that leave this machine."""

    def __init__(self, context, address):
        self.page = context.new_page()
        self.errors, self.foreign = [], []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._on_request)
        self.page.goto(address)
        self.page.wait_for_selector("#tabs", timeout=60_000)

    def _on_console(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def _on_request(self, request):
        if not request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")):
            self.foreign.append(request.url)

    def tab(self, name):
        self.page.get_by_role("tab", name=name).first.click()

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def overflow(self):
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
