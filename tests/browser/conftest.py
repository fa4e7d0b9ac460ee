"""A real browser: Debian's Chromium, one a test module, and pages of it that may not complain.

Invariant: a page that logs an error, or asks another host for anything, fails its test. One browser a module, not a
session: Playwright leaves an event loop running in the thread, in which tests of other modules want to run theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.installed import program

NewPage = Callable[..., Page]

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_OURS = ("127.0.0.1", "localhost", "")
_PATIENCE_MS = 10_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    return program(*_PROGRAMS)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """`new_page(width=360, color_scheme="dark")`: a page with cookies and a memory of its own; options of Playwright's
    `new_context`. `allowed`: words of an error in the console that the test is about."""
    complaints: list[str] = []
    with ExitStack() as closing:

        def make(width: int = 1280, height: int = 900, allowed: str = "", **options: Any) -> Page:
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            closing.callback(context.close)
            context.set_default_timeout(_PATIENCE_MS)
            page = context.new_page()

            def heard(message: ConsoleMessage) -> None:
                if message.type in ("error", "warning") and not (allowed and allowed in message.text):
                    complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

            def sent(request: Request) -> None:
                if (urlsplit(request.url).hostname or "") not in _OURS:
                    complaints.append(f"request to another host: {request.url}")

            page.on("console", heard)
            page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
            page.on("request", sent)
            return page

        yield make
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A page of a desktop's width."""
    return new_page()
