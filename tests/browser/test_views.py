"""A look at a photo is told once, and its owner sees it as a bar."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import NewVisitor
from tests.browser.test_social import photo_of

pytestmark = pytest.mark.browser


def test_a_look_is_counted_once_a_tab_and_its_owner_sees_the_chart(visitor: NewVisitor) -> None:
    stranger, owner = visitor(), visitor()
    told: list[str] = []
    stranger.page.on("request", lambda request: told.append(f"{request.method} {request.url}"))

    # One that no other test looks at.
    address = photo_of(stranger, "dina", newest=False).url
    stranger.page.reload()
    stranger.page.reload()
    looks = [line for line in told if line.endswith("/seen/")]
    owner.log_in("dina")
    page = owner.page

    def is_counted() -> bool:
        page.goto(address)
        return page.locator(".views-bar").count() > 0

    owner.wait_until(is_counted, seconds=60)
    page.locator(".views-table summary").click()

    assert looks == [f"POST {address}seen/"]
    assert re.search(r"^1$", page.locator(".views-table td").inner_text())
    assert owner.axe() == []
    assert "data-seen-url" not in page.content()
