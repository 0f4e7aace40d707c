"""Scripts of the photo pages: dropped files, lost connections, cards that develop, long streams."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewVisitor
from tests.browser.test_journey import sign_up
from tests.browser.visitor import Visitor
from tests.support.pictures import make_picture

pytestmark = pytest.mark.browser

DEVELOPED = 180_000
DROP = """(files) => {
  const data = new DataTransfer();
  for (const [name, size] of files) data.items.add(new File([new Uint8Array(size)], name));
  for (const type of ["dragover", "drop"]) {
    const init = { bubbles: true, cancelable: true, dataTransfer: data };
    document.body.dispatchEvent(new DragEvent(type, init));
  }
}"""


@pytest.fixture
def ada(visitor: NewVisitor) -> Visitor:
    ada = visitor()
    sign_up(ada)
    return ada


@pytest.fixture
def photos(pictures: Path) -> Callable[[int], list[str]]:
    """Write so many photos that nobody has uploaded yet."""

    def write(count: int) -> list[str]:
        content = make_picture(size=(400, 300))
        paths = [pictures / f"{secrets.token_hex(4)}.jpg" for _ in range(count)]
        for path in paths:
            path.write_bytes(content + secrets.token_bytes(8))
        return [str(path) for path in paths]

    return write


def choose(ada: Visitor, files: list[str]) -> Page:
    page = ada.open("/photos/upload/")
    page.locator("input[type=file]").set_input_files(files)
    return page


def send(page: Page) -> None:
    page.locator("[data-upload] button.button-primary").click()


def test_dropped_files_are_listed_and_hopeless_ones_refused_before_they_are_sent(
    ada: Visitor,
) -> None:
    page = ada.open("/photos/upload/")

    page.evaluate(DROP, [["harbour.jpg", 3], ["empty.jpg", 0], ["huge.jpg", 51 * 1024 * 1024]])

    rows = page.locator("[data-upload-list] > *")
    expect(rows.nth(0)).to_contain_text("Waiting")
    expect(rows.nth(1)).to_contain_text("This file is empty.")
    expect(rows.nth(2)).to_contain_text("This file is too large")
    expect(page.locator("[data-upload-summary]")).to_have_text("0 of 3 uploaded, 2 refused.")


def test_an_upload_survives_a_lost_connection(
    ada: Visitor, photos: Callable[[int], list[str]]
) -> None:
    page = choose(ada, photos(1))
    ada.context.set_offline(True)
    send(page)
    row = page.locator("[data-upload-list] > *")
    expect(row).to_contain_text("No connection.")
    ada.problems.clear()  # the browser itself complains of the lost connection

    ada.context.set_offline(False)
    row.locator("[data-retry]").click()

    expect(row).to_contain_text("Developed", timeout=DEVELOPED)


def test_a_picture_sent_again_leads_to_the_first(
    ada: Visitor, photos: Callable[[int], list[str]]
) -> None:
    files = photos(1)
    page = choose(ada, files)
    send(page)
    first = page.locator("[data-upload-list] a")
    expect(first).to_be_visible()
    address = first.get_attribute("href")

    page = choose(ada, files)
    send(page)

    expect(page.locator("[data-upload-list] > *")).to_contain_text("already")
    assert page.locator("[data-upload-list] a").get_attribute("href") == address
    ada.expect_refusals()


def test_cards_develop_by_themselves_and_say_so(
    ada: Visitor, photos: Callable[[int], list[str]]
) -> None:
    page = choose(ada, photos(6))
    send(page)
    expect(page.locator("[data-upload-summary]")).to_contain_text("6 of 6")

    page = ada.open("/")
    page.locator(".menu-button").click()
    ada.follow(page.get_by_role("link", name="Your photos"))

    expect(page.locator(".stream .card")).to_have_count(6)
    expect(page.locator("[data-developing]")).to_have_count(0, timeout=DEVELOPED)
    newest = page.locator(".stream .card img.picture-image").first
    expect(newest).to_be_visible()
    assert newest.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")


def test_a_stream_goes_on_as_one_scrolls_and_its_end_can_be_reached(
    ada: Visitor, photos: Callable[[int], list[str]]
) -> None:
    page = choose(ada, photos(26))
    send(page)
    expect(page.locator("[data-upload-summary]")).to_contain_text("26 of 26", timeout=DEVELOPED)
    expect(page.locator("[data-status]").filter(has_text="Developed")).to_have_count(
        26, timeout=DEVELOPED
    )
    page = ada.open("/")
    assert page.locator("[data-stream] > .card").count() == 24

    page.locator(".site-footer").scroll_into_view_if_needed()

    expect(page.locator("[data-stream] > .card").nth(25)).to_be_attached()
    expect(page.locator("[data-announce]")).to_have_text("Older photos were added below.")
    cards = page.locator("[data-stream] > .card")
    ids = cards.evaluate_all("(cards) => cards.map((card) => card.dataset.photo)")
    assert len(ids) == len(set(ids))
