"""A browser for the tests that look at pages as a reader does. Without one they are skipped, and say what was missing;
with ``RUNREPORT_BROWSER=1`` they fail instead."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REQUIRED = os.environ.get("RUNREPORT_BROWSER") == "1"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def missing(what: str) -> Any:
    """Skip, or fail where a browser was asked for."""
    if REQUIRED:
        pytest.fail(f"RUNREPORT_BROWSER=1, but {what}")
    pytest.skip(what)


@dataclass
class Opened:
    """A page, and what it did on its way: messages of its console, errors, addresses that it asked for."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium of this machine, driven by playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed (pip install '.[browser]')")
    program = os.environ.get("RUNREPORT_CHROMIUM") or next((p for n in NAMES if (p := shutil.which(n))), None)
    if program is None:
        missing(f"no browser was found ({', '.join(NAMES)})")
    with sync_playwright() as driver:
        # In a container there is no other sandbox to be had; the pages are ours.
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser) -> Callable[..., Any]:
    """A context manager that opens a file at a width and in a theme, and waits until its charts stand."""

    @contextmanager
    def open_page(path: Path, width: int = 1280, theme: str = "light", **more: Any) -> Iterator[Opened]:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **more)
        page = context.new_page()
        page.set_default_timeout(60_000)
        seen = Opened(page=page)
        page.on("console", lambda message: seen.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.messages.append(f"error: {error}"))
        page.on("request", lambda request: seen.requests.append(request.url))

        def dismiss(dialog: Any) -> None:
            seen.dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", dismiss)
        page.goto(path.as_uri())
        if more.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]", state="attached")
        try:
            yield seen
        finally:
            context.close()

    return open_page


@pytest.fixture(scope="session")
def axe(repository: Path) -> str:
    """The source of axe-core, which judges whether a page can be used without seeing it."""
    path = Path(os.environ.get("RUNREPORT_AXE") or repository / "node_modules" / "axe-core" / "axe.min.js")
    if not path.is_file():
        missing("axe-core is not installed (npm install --no-save axe-core)")
    return path.read_text(encoding="utf-8")
