"""From a stranger to a person whose photo others like, in one go, as `make up` serves it."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Device, Visitor
from tests.support.pictures import make_picture

pytestmark = pytest.mark.browser

PASSWORD = "the red light is on"
DEVELOPED = 180_000
REFUSED = re.compile(r"\bis-refused\b")


def sign_up(visitor: Visitor) -> str:
    """Sign up as somebody new, confirm from the letter, and return the name."""
    name = f"vera-{secrets.token_hex(3)}"
    page = visitor.open("/accounts/signup/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=email]").fill(f"{name}@example.org")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    visitor.follow(page.locator("main form button").first)
    assert "/signup/" not in page.url

    visitor.open(visitor.site.link_in_letter(f"{name}@example.org", "/accounts/confirm-email/"))
    visitor.follow(page.locator("main form button").first)
    expect(page.locator("nav.site-nav .menu-button")).to_be_visible()
    return name


def files(folder: Path) -> list[str]:
    """Write two photos, of different content in each run, and something that is no picture."""
    (folder / "harbour.jpg").write_bytes(
        make_picture(size=(1600 + secrets.randbelow(200), 1100), gps=True)
    )
    (folder / "mill.png").write_bytes(make_picture("png", size=(900, 1200 + secrets.randbelow(99))))
    (folder / "shopping list.jpg").write_text("bread, milk, fixer\n")
    return [str(path) for path in sorted(folder.iterdir())]


def row(page: Page, name: str) -> Locator:
    return page.locator("[data-upload-list] > *").filter(has_text=name)


def is_drawn(image: Locator) -> bool:
    """Tell whether the picture is there; not while a better one takes its place."""
    return bool(
        image.evaluate("(img) => img.decode().then(() => img.naturalWidth > 0, () => false)")
    )


@pytest.mark.parametrize("device", ["desk", "phone"])
def test_a_person_signs_up_uploads_and_watches_the_photos_develop(
    visitor: NewVisitor, pictures: Path, device: Device
) -> None:
    vera = visitor(device=device, theme="dark")
    name = sign_up(vera)

    page = vera.open("/photos/upload/")
    page.locator("input[type=file]").set_input_files(files(pictures))
    vera.screenshot(f"upload-chosen-{device}")
    page.locator("[data-upload] button.button-primary").click()

    expect(row(page, "shopping list.jpg")).to_have_class(REFUSED)
    expect(row(page, "shopping list.jpg")).to_contain_text("no picture")
    vera.expect_refusals()
    for photo in ("harbour.jpg", "mill.png"):
        link = row(page, photo).get_by_role("link").first
        expect(link).to_have_attribute("href", re.compile("/photos/"), timeout=DEVELOPED)
    vera.screenshot(f"upload-tray-{device}")

    address = row(page, "harbour.jpg").get_by_role("link").first.get_attribute("href")
    assert address is not None
    vera.open(address)
    # Nobody reloads: the page turns into the picture by itself.
    picture = page.locator(".photo-stage .picture:not(.is-developing) img.picture-image")
    expect(picture).to_be_visible(timeout=DEVELOPED)
    vera.wait_until(lambda: is_drawn(picture), seconds=DEVELOPED / 1000)

    vera.open(f"/people/{name}/")
    expect(page.locator(".stream .card")).to_have_count(2)


@pytest.mark.parametrize("device", ["desk", "phone"])
def test_a_photo_is_liked_and_talked_about_and_its_owner_followed(
    visitor: NewVisitor, device: Device
) -> None:
    vera = visitor(device=device)
    sign_up(vera)
    page = vera.open("/")

    vera.follow(page.locator(".stream .card a.picture").first)
    like = page.locator("form[action$='like/'] button")
    like.click()
    expect(page.locator(".like-button[aria-pressed=true]")).to_be_visible()
    words = f"What a light! {secrets.token_hex(2)}"
    page.locator("form[action$='comments/'] textarea").fill(words)
    page.locator("form[action$='comments/'] button").click()
    expect(page.locator(".comment-text", has_text=words)).to_be_visible()
    vera.screenshot(f"photo-liked-{device}")

    vera.follow(page.locator(".photo-head .person-link"))
    page.locator("form[action*='follow'] button").click()
    expect(page.locator("form[data-toggle] button[aria-pressed=true]")).to_be_visible()
    vera.open("/")


def test_everything_works_without_javascript(visitor: NewVisitor, pictures: Path) -> None:
    vera = visitor(javascript=False)
    name = sign_up(vera)

    page = vera.open("/photos/upload/")
    page.locator("input[type=file]").set_input_files(files(pictures))
    vera.follow(page.locator("[data-upload] button.button-primary"))
    expect(page.get_by_role("alert")).to_contain_text("shopping list.jpg")
    vera.follow(page.get_by_role("link", name="harbour.jpg"))
    photo = page.url

    def reload_until_developed() -> bool:
        vera.open(photo)
        return page.locator(".photo-stage .picture:not(.is-developing)").count() == 1

    vera.wait_until(reload_until_developed, seconds=DEVELOPED / 1000)
    vera.follow(page.locator("form[action$='like/'] button"))
    expect(page.locator(".like-button[aria-pressed=true]")).to_be_visible()
    page.locator("form[action$='comments/'] textarea").fill("It works.")
    vera.follow(page.locator("form[action$='comments/'] button"))
    expect(page.locator(".comment-text", has_text="It works.")).to_be_visible()

    page.locator(".menu-button").click()
    vera.follow(page.locator(".menu form button"))
    vera.open(f"/people/{name}/")
    expect(page.locator(".stream .card")).not_to_have_count(0)


def test_an_upload_is_cancelled_and_tried_again(visitor: NewVisitor, pictures: Path) -> None:
    vera = visitor()
    vera.log_in("ada")
    page = vera.open("/photos/upload/")

    page.locator("input[type=file]").set_input_files(files(pictures)[:1])
    row(page, "harbour.jpg").locator("[data-cancel]").click()
    expect(row(page, "harbour.jpg")).to_contain_text("Cancelled")
    row(page, "harbour.jpg").locator("[data-retry]").click()

    link = row(page, "harbour.jpg").get_by_role("link").first
    expect(link).to_have_attribute("href", re.compile("/photos/"), timeout=DEVELOPED)
