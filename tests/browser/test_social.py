"""Like, follow and comment without leaving the page, and pages that hear at once what changed."""

from __future__ import annotations

import json
import re
import secrets

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.support.pictures import make_picture

pytestmark = pytest.mark.browser

DEVELOPED = 180_000


def photo_of(visitor: Visitor, owner: str, *, newest: bool = True) -> Page:
    """Open the newest photo of somebody, or the oldest, once it is developed."""
    page = visitor.page

    def is_there() -> bool:
        visitor.open(f"/people/{owner}/")
        return page.locator(".stream .card a.picture").count() > 0

    visitor.wait_until(is_there, seconds=DEVELOPED / 1000)
    cards = page.locator(".stream .card a.picture")
    visitor.follow(cards.first if newest else cards.last)
    # Gone if the page is loaded anew.
    page.evaluate("window.stayed = true")
    return page


def has_stayed(page: Page) -> bool:
    return bool(page.evaluate("window.stayed === true"))


def test_a_like_counts_where_one_stands(visitor: NewVisitor) -> None:
    ben = visitor()
    ben.log_in("ben")
    page = photo_of(ben, "eike")
    button, number = page.locator(".like-button"), page.locator(".like-button .count")
    was_liked = button.get_attribute("aria-pressed") == "true"
    before = int(number.inner_text())

    button.click()

    expect(button).to_have_attribute("aria-pressed", str(not was_liked).lower())
    expect(number).to_have_text(str(before + (-1 if was_liked else 1)))
    button.click()
    expect(number).to_have_text(str(before))
    expect(button).to_have_attribute("aria-pressed", str(was_liked).lower())
    assert has_stayed(page)


def test_what_one_says_is_there_at_once_and_can_be_taken_back(visitor: NewVisitor) -> None:
    cyd = visitor()
    cyd.log_in("cyd")
    page = photo_of(cyd, "ada")
    words = f"The <b>left</b> one? {secrets.token_hex(3)}"

    page.locator("form[data-comment] textarea").fill(words)
    page.locator("form[data-comment] button").click()

    comment = page.locator(".comment", has_text=words)
    expect(comment).to_be_visible()
    expect(page.locator("form[data-comment] textarea")).to_have_value("")
    comment.locator("form[data-delete] button").click()
    expect(comment).to_have_count(0)
    assert has_stayed(page)


def test_what_cannot_be_said_is_told_beside_the_words(visitor: NewVisitor) -> None:
    dina = visitor()
    dina.log_in("dina")
    page = photo_of(dina, "finn")

    page.locator("form[data-comment] textarea").fill("\u200b\u200b")
    page.locator("form[data-comment] button").click()

    expect(page.locator("form[data-comment] [data-error]")).to_contain_text("Write something")
    expect(page.locator("form[data-comment] textarea")).to_have_value("\u200b\u200b")
    assert has_stayed(page)
    dina.expect_refusals(422)


def test_what_one_likes_is_marked_in_every_stream(visitor: NewVisitor) -> None:
    finn = visitor()
    finn.log_in("finn")
    page = photo_of(finn, "dina")
    if page.locator(".like-button").get_attribute("aria-pressed") == "false":
        page.locator(".like-button").click()
        expect(page.locator(".like-button")).to_have_attribute("aria-pressed", "true")
    photo = page.url.rstrip("/").rsplit("/", 1)[-1]

    finn.open("/people/dina/")

    expect(page.locator(f'[data-photo="{photo}"]')).to_have_class(re.compile(r"\bis-liked\b"))


def test_the_live_channel_alone_turns_a_page_into_the_picture(visitor: NewVisitor) -> None:
    ada = visitor()
    ada.log_in("ada")

    def know_nothing(route: Route) -> None:
        state = {"state": "queued", "reason": "", "renditions": {}}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(state))

    # Whoever asks for the state is told that nothing has happened yet.
    ada.page.route("**/state/", know_nothing)
    page = ada.open("/photos/upload/")
    # Large, so that its development takes longer than to look at it.
    picture = make_picture(size=(5200 + secrets.randbelow(200), 3600))
    page.locator("input[type=file]").set_input_files(
        {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": picture}
    )
    with page.expect_response(re.compile(r"/live/\?.*topic=photo")) as stream:
        page.locator("[data-upload] button.button-primary").click()

    assert stream.value.status == 200
    row = page.locator("[data-upload-list] > *").filter(has_text="large.jpg")
    expect(row.get_by_role("link").first).to_have_attribute(
        "href", re.compile("/photos/"), timeout=DEVELOPED
    )
    expect(row.locator("img")).to_be_visible(timeout=DEVELOPED)
