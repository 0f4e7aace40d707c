"""A picture is turned, cropped and toned: seen at once, saved, and shown by itself."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.conftest import NewVisitor
from tests.browser.test_journey import sign_up
from tests.browser.visitor import Device, Visitor
from tests.support.pictures import make_picture

pytestmark = pytest.mark.browser

DEVELOPED = 180_000
# The colour in the middle of the left upper quarter of what an <img> shows.
CORNER = """(image) => {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { naturalWidth: width, naturalHeight: height } = image;
  return [...pen.getImageData(width * 0.05, height * 0.05, 1, 1).data.slice(0, 3)];
}"""


@pytest.fixture
def photo(pictures: Path) -> str:
    """A file that nobody has uploaded yet: 1200 x 800, blue below on the left, red above."""
    path = pictures / "harbour.jpg"
    path.write_bytes(make_picture(size=(1200, 800)) + secrets.token_bytes(8))
    return str(path)


def publish(ada: Visitor, file: str) -> str:
    """Upload a photo, wait until it is developed, and return the address of its page."""
    page = ada.open("/photos/upload/")
    page.locator("input[type=file]").set_input_files(file)
    page.locator("[data-upload] button.button-primary").click()
    expect(page.locator("[data-upload-list] > *")).to_contain_text("Developed", timeout=DEVELOPED)
    return str(page.locator("[data-upload-list] a").first.get_attribute("href"))


def edit(ada: Visitor, address: str) -> Page:
    ada.open(address)
    return ada.follow(ada.page.get_by_role("link", name="Edit"))


def size(image: Locator) -> tuple[int, int]:
    width, height = image.evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
    return width, height


def is_blue(colour: list[int]) -> bool:
    red, green, blue = colour
    return blue > 150 and blue > 2 * red and green < 120


def shown(page: Page) -> Locator:
    return page.locator(".photo-stage img.picture-image")


@pytest.mark.parametrize("device", ["desk", "phone"])
def test_a_picture_is_turned_cropped_previewed_and_saved(
    visitor: NewVisitor, photo: str, device: Device
) -> None:
    ada, stranger = visitor(device=device), visitor(device=device)
    sign_up(ada)
    address = publish(ada, photo)
    stranger.open(address)
    before = shown(stranger.page).get_attribute("src")

    page = edit(ada, address)
    preview = page.locator("[data-preview]")
    page.get_by_role("button", name="Turn right").click()
    expect(preview).to_have_attribute("src", re.compile("^blob:"))
    assert size(preview) == (427, 640)
    assert is_blue(preview.evaluate(CORNER))
    page.get_by_label("Shape").select_option("1:1")

    frame = page.locator("[data-crop]")
    expect(frame).to_be_visible()
    box = frame.bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], rel=0.03)
    assert ada.axe() == []
    assert not ada.is_wider_than_the_screen()
    ada.screenshot(f"editor-{device}")
    page.get_by_label("Warmth").scroll_into_view_if_needed()
    expect(preview).to_be_in_viewport(ratio=0.5)
    ada.follow(page.get_by_role("button", name="Save the picture"))

    # The page turns by itself, for its owner and for whoever looks.
    for each in (ada, stranger):
        expect(each.page.locator("[data-changing]")).to_have_count(0, timeout=DEVELOPED)
        picture = shown(each.page)
        expect(picture).not_to_have_attribute("src", str(before), timeout=DEVELOPED)
        assert picture.get_attribute("width") == picture.get_attribute("height") == "800"
        expect(each.page.locator("[data-announce]")).to_have_text("The picture has changed.")
    assert ada.axe() == []

    page = edit(ada, address)
    ada.follow(page.get_by_role("button", name="Revert to the original"))
    expect(shown(page)).to_have_attribute("width", "1200", timeout=DEVELOPED)


def test_a_crop_is_drawn_by_hand_moved_and_set_by_the_keyboard(
    visitor: NewVisitor, photo: str
) -> None:
    ada = visitor()
    sign_up(ada)
    page = edit(ada, publish(ada, photo))
    stage, width = page.locator("[data-stage]"), page.get_by_label("Width that remains")
    box = stage.bounding_box()
    assert box is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.25, 0.25))
    page.mouse.down()
    page.mouse.move(*at(0.75, 0.5), steps=3)
    page.mouse.up()
    assert float(width.input_value()) == pytest.approx(50, abs=1)
    assert float(page.get_by_label("Cut off above").input_value()) == pytest.approx(25, abs=1)

    page.mouse.move(*at(0.5, 0.3))
    page.mouse.down()
    page.mouse.move(*at(0.9, 0.3), steps=3)
    page.mouse.up()
    assert float(width.input_value()) == pytest.approx(50, abs=1)
    assert float(page.get_by_label("Cut off on the left").input_value()) == pytest.approx(50, abs=1)

    width.focus()
    page.keyboard.press("ArrowLeft")
    assert float(width.input_value()) < 50
    page.get_by_label("Brightness").focus()
    page.keyboard.press("End")

    expect(page.locator("[data-preview]")).to_have_attribute("src", re.compile("^blob:"))
    expect(page.locator("[data-editor-status]")).to_have_text("The preview is up to date.")
    page.get_by_role("button", name="Turn left").focus()
    page.keyboard.press("Enter")
    # What was on the right is above now.
    expect(page.get_by_label("Turned")).to_have_value("3")
    assert float(page.get_by_label("Cut off above").input_value()) < 1


def test_the_last_position_of_a_slider_wins_and_a_busy_darkroom_is_asked_again(
    visitor: NewVisitor, photo: str
) -> None:
    ada = visitor()
    sign_up(ada)
    page = edit(ada, publish(ada, photo))
    asked: list[str] = []

    def answer(route: Route, request: Request) -> None:
        asked.append(request.url)
        if len(asked) == 1:
            busy = {"Retry-After": "1", "Content-Type": "application/json"}
            route.fulfill(status=503, headers=busy, body='{"error": "Busy."}')
        else:
            route.continue_()

    page.route("**/edit/preview/*", answer)
    for value in (10, 20, 30, 40):
        page.get_by_label("Warmth").fill(str(value))

    expect(page.locator("[data-preview]")).to_have_attribute("src", re.compile("^blob:"))
    ada.expect_refusals(503)
    assert all("warmth=40" in address for address in asked)
    assert len(asked) == 2


def test_without_javascript_the_form_previews_and_saves(visitor: NewVisitor, photo: str) -> None:
    ada = visitor()
    sign_up(ada)
    address = publish(ada, photo)
    plain = visitor(javascript=False)
    plain.context.add_cookies(ada.context.cookies())  # type: ignore[arg-type]  # its own answer

    page = edit(plain, address)
    page.get_by_label("Turned").select_option("1")
    page.get_by_label("Shape").select_option("1:1")
    plain.follow(page.get_by_role("button", name="Preview"))
    preview = page.locator("[data-preview]")
    assert str(preview.get_attribute("src")).startswith("data:image/webp")
    assert page.get_by_label("Turned").input_value() == "1"
    plain.follow(page.get_by_role("button", name="Save the picture"))

    def is_turned() -> bool:
        page.reload()
        return shown(page).get_attribute("width") == "800"

    plain.wait_until(is_turned, seconds=60)
