"""One Chromium and one running site for all browser tests; a visitor for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.site import Site
from tests.browser.visitor import DEVICES, Device, Theme, Visitor
from tests.support.servers import require

NewVisitor = Callable[..., Visitor]
# Milliseconds for what takes a moment: no machine is so busy. Only a test that fails waits so long.
PATIENCE = 60_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium: Playwright's own would come from a place that is not a package index."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    require("Chromium", found=path is not None)
    # Playwright keeps an event loop in this thread, in which Django refuses to ask a database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--disable-dev-shm-usage", "--force-color-profile=srgb"]
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole site: web, live, workers, servers and the demo's people, all real processes."""
    folder = tmp_path_factory.mktemp("site")
    running = Site(var=folder / "var", log=folder / "site.log")
    running.start(seconds=240)
    running.wait_until_developed()
    yield running
    running.ask_to_stop()
    running.wait_dead(120)


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[NewVisitor]:
    """Make visitors: `visitor(device="phone", theme="dark", javascript=False)`.

    Fails the test if a page of theirs complained in the console or broke the policy.
    """
    visitors: list[Visitor] = []

    def make(
        *, device: Device = "desk", theme: Theme = "light", javascript: bool = True
    ) -> Visitor:
        context = chromium.new_context(
            **DEVICES[device],
            color_scheme=theme,
            java_script_enabled=javascript,
            reduced_motion="reduce",
            locale="en-GB",
        )
        context.set_default_timeout(PATIENCE)
        visitors.append(Visitor(site=site, context=context, page=context.new_page()))
        return visitors[-1]

    yield make

    problems = [problem for visitor in visitors for problem in visitor.problems]
    for each in visitors:
        each.context.close()
    assert problems == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder for the files a test uploads."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder
