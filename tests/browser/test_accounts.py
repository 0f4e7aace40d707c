"""The pages of an account, from the sign-up with an avatar to the deletion."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Device, Visitor
from tests.support.pictures import make_picture

pytestmark = pytest.mark.browser
PASSWORD = "the red light is on"
DEVELOPED = 180_000
STRANGER = {
    "log-in": "/accounts/login/",
    "sign-up": "/accounts/signup/",
    "letter-again": "/accounts/letter/",
    "look-for-a-letter": "/accounts/confirm-email/",
    "used-link": "/accounts/confirm-email/x/",
    "forgotten": "/accounts/password/reset/",
    "forgotten-done": "/accounts/password/reset/done/",
}
MEMBER = {
    "password": "/accounts/password/change/",
    "address": "/accounts/email/",
    "devices": "/accounts/sessions/",
    "log-out": "/accounts/logout/",
    "delete": "/accounts/delete/",
}
Look = Callable[[str], None]


@pytest.fixture(params=["desk", "phone"])
def vera(visitor: NewVisitor, request: pytest.FixtureRequest) -> Visitor:
    device: Device = request.param
    return visitor(device=device)


@pytest.fixture
def look(vera: Visitor, request: pytest.FixtureRequest) -> Look:
    """Look at the page as it stands: axe, its width, and a picture of it."""

    def look(name: str) -> None:
        assert vera.axe() == []
        assert not vera.is_wider_than_the_screen()
        vera.screenshot(f"account-{name}-{vera.page.evaluate('innerWidth')}")

    return look


def press(visitor: Visitor, button: str) -> None:
    """Press a button of the page and wait for what comes."""
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("main").get_by_role("button", name=button).click()


def fill(visitor: Visitor, **fields: str) -> None:
    for name, text in fields.items():
        visitor.page.locator(f"main [name={name}]").fill(text)


def test_every_page_of_an_account(vera: Visitor, look: Look, tmp_path: Path) -> None:
    picture, name = tmp_path / "me.jpg", f"vera-{secrets.token_hex(3)}"
    picture.write_bytes(make_picture(size=(3000, 2000)))
    address, other = f"{name}@example.org", f"other-{name}@example.org"
    for page, path in STRANGER.items():
        vera.open(path)
        look(page)

    vera.open("/accounts/signup/")
    fill(vera, username="a", email="a@example.org", password1="x", password2="y")
    press(vera, "Sign up")
    look("sign-up-refused")
    fill(vera, username=name, email=address, password1=PASSWORD, password2=PASSWORD)
    vera.page.locator("[name=avatar]").set_input_files(picture)
    press(vera, "Sign up")

    vera.open(vera.site.link_in_letter(address, "/accounts/confirm-email/"))
    look("confirm")
    press(vera, "Yes, confirm it")
    expect(vera.page.locator("nav.site-nav .menu-button")).to_be_visible()

    vera.open("/accounts/settings/")
    fill(vera, display_name="Vera Light", bio="Harbours, mostly.")
    vera.page.locator("[name=avatar]").set_input_files(picture)
    press(vera, "Keep the changes")
    look("settings-kept")
    expect(vera.page.locator("[data-photo=avatar] .badge-busy")).to_have_count(0, timeout=DEVELOPED)
    expect(vera.page.locator("[data-photo=avatar] img")).to_be_visible()
    look("settings")

    for page, path in MEMBER.items():
        vera.open(path)
        look(page)

    vera.open("/accounts/email/")
    fill(vera, email=other)
    press(vera, "Change the address")
    look("password-please")
    fill(vera, password=PASSWORD)
    press(vera, "Go on")
    look("address-waits")
    vera.open(vera.site.link_in_letter(other, "/accounts/confirm-email/"))
    press(vera, "Yes, confirm it")
    expect(vera.page.get_by_text(other).first).to_be_visible()

    vera.open("/accounts/delete/")
    fill(vera, password=PASSWORD)
    press(vera, "Delete everything")
    look("deleted")
    vera.open(f"/people/{name}/", status=404)
