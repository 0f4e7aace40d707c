"""Open pages that hear at once: of likes and comments, of what is new for one, of announcements."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewVisitor
from tests.browser.site import Site
from tests.browser.test_social import has_stayed, photo_of
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

ANNOUNCEMENTS = "/admin/announcements/announcement/"


def number_on_the_bell(page: Page) -> int:
    return int(page.locator("[data-bell-count]").text_content() or "0")


def read_all(visitor: Visitor) -> None:
    """Mark all as read: one more like of what is new already would change no number."""
    visitor.open("/notifications/")
    button = visitor.page.get_by_role("button", name="Mark all as read")
    if button.count():
        visitor.follow(button)


def open_and_listen(visitor: Visitor, path: str) -> Page:
    """Open a page, and wait until its stream is open."""
    with visitor.page.expect_response(re.compile(r"/live/\?")) as stream:
        visitor.open(path)
    assert stream.value.status == 200
    visitor.page.evaluate("window.stayed = true")
    return visitor.page


def test_a_like_and_a_comment_of_another_appear_at_an_open_page(visitor: NewVisitor) -> None:
    dina, cyd = visitor(), visitor(device="phone")
    dina.log_in("dina")
    cyd.log_in("cyd")
    read_all(dina)
    path = photo_of(cyd, "dina").url.removeprefix(cyd.site.address)
    theirs, mine = cyd.page, open_and_listen(dina, path)
    button = theirs.locator(".like-button")
    if button.get_attribute("aria-pressed") == "true":
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
    likes = int(button.locator(".count").inner_text())
    expect(mine.locator(".like-button .count")).to_have_text(str(likes))
    bell = number_on_the_bell(mine)
    words = f"See the <i>left</i> one {secrets.token_hex(3)}"

    button.click()
    theirs.locator("form[data-comment] textarea").fill(words)
    theirs.locator("form[data-comment] button").click()

    expect(mine.locator(".like-button .count")).to_have_text(str(likes + 1))
    expect(mine.locator(".comment", has_text=words)).to_have_count(1)
    # The owner of the photo gets the way to delete it, as with a page loaded anew.
    expect(mine.locator(".comment", has_text=words).locator("[data-delete]")).to_have_count(1)
    mine.wait_for_function(
        "(before) => Number(document.querySelector('[data-bell-count]').textContent) > before",
        arg=bell,
    )
    expect(mine.locator("[data-bell-words]")).to_contain_text("new notification")
    # One's own is not there twice.
    expect(theirs.locator(".comment", has_text=words)).to_have_count(1)
    assert has_stayed(mine)
    assert dina.axe() == []
    assert cyd.axe() == []
    assert not cyd.is_wider_than_the_screen()

    mine.locator(".comment", has_text=words).locator("[data-delete] button").click()

    expect(theirs.locator(".comment", has_text=words)).to_have_count(0)


def test_the_notifications_are_read_and_marked_without_javascript(visitor: NewVisitor) -> None:
    ben, eike = visitor(), visitor(device="phone", javascript=False)
    ben.log_in("ben")
    page = photo_of(ben, "eike")
    words = f"Good. {secrets.token_hex(3)}"
    page.locator("form[data-comment] textarea").fill(words)
    page.locator("form[data-comment] button").click()
    expect(page.locator(".comment", has_text=words)).to_be_visible()
    eike.log_in("eike")
    assert number_on_the_bell(eike.page) > 0

    eike.follow(eike.page.locator("[data-bell]"))

    expect(eike.page.locator(".news-line.is-new").first).to_contain_text("commented on")
    assert not eike.is_wider_than_the_screen()
    eike.follow(eike.page.get_by_role("button", name="Mark all as read"))
    expect(eike.page.locator(".news-line.is-new")).to_have_count(0)
    assert number_on_the_bell(eike.page) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_of_notifications_is_open_to_everybody(visitor: NewVisitor, theme: str) -> None:
    ada = visitor(theme=theme)
    ada.log_in("ada")

    ada.open("/notifications/")

    assert ada.axe() == []


@pytest.fixture
def staff(visitor: NewVisitor, site: Site) -> Iterator[Visitor]:
    """Somebody who may announce; afterwards nothing is announced any more."""
    admin = visitor()
    admin.log_in("admin")
    yield admin
    page = admin.open(ANNOUNCEMENTS)
    if page.locator("#action-toggle").count():
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option("delete_selected")
        admin.follow(page.locator("button[name=index]"))
        admin.follow(page.locator("#content input[type=submit]"))


def test_an_announcement_reaches_open_pages_and_is_put_away(
    visitor: NewVisitor, staff: Visitor
) -> None:
    nobody = visitor(device="phone")
    page = open_and_listen(nobody, "/")
    words = f"The darkroom is closed on Sunday <{secrets.token_hex(3)}>."

    form = staff.open(f"{ANNOUNCEMENTS}add/")
    form.locator("[name=text]").fill(words)
    staff.follow(form.locator("input[name=_save]"))

    announcement = page.locator("[data-announcement]", has_text=words)
    expect(announcement).to_be_visible()
    assert has_stayed(page)
    assert nobody.axe() == []
    assert not nobody.is_wider_than_the_screen()
    announcement.get_by_role("button", name="Put away").click()
    expect(announcement).to_have_count(0)
    nobody.open("/accounts/login/")
    expect(page.locator("[data-announcement]", has_text=words)).to_have_count(0)
    # In this browser alone.
    another = visitor()
    another.open("/")
    expect(another.page.locator("[data-announcement]", has_text=words)).to_be_visible()
