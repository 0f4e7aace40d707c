"""The site without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewVisitor

pytestmark = pytest.mark.browser


def focused(page: Page) -> str:
    """Return what has the focus, in a word or two."""
    return str(
        page.evaluate(
            """() => {
                const on = document.activeElement;
                return (on.getAttribute("aria-label") ?? on.textContent ?? "").trim() || on.tagName;
            }"""
        )
    )


def has_visible_focus(page: Page) -> bool:
    """Tell whether the focused element is drawn with an outline and can be seen."""
    return bool(
        page.evaluate(
            """() => {
                const on = document.activeElement;
                const style = getComputedStyle(on);
                const box = on.getBoundingClientRect();
                return box.width > 0 && box.height > 0 && style.outlineStyle !== "none"
                    && parseFloat(style.outlineWidth) >= 2;
            }"""
        )
    )


def test_the_first_tab_offers_to_skip_to_the_content(visitor: NewVisitor) -> None:
    page = visitor().open("/")

    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    assert has_visible_focus(page)
    page.keyboard.press("Enter")

    expect(page.locator("#content")).to_be_focused()


def test_tab_walks_the_page_in_order_and_the_focus_is_always_seen(visitor: NewVisitor) -> None:
    ada = visitor()
    ada.log_in("ada")
    page = ada.open("/")
    seen: list[str] = []

    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        assert has_visible_focus(page), f"no visible focus on {seen[-1]}"

    assert seen[0] == "Skip to the content"
    assert "home" in seen[1]
    assert seen.index("Upload") < seen.index(next(name for name in seen if "Menu of" in name))


def test_the_menu_opens_by_enter_and_closes_by_escape(visitor: NewVisitor) -> None:
    ada = visitor()
    ada.log_in("ada")
    page = ada.open("/")
    menu = page.locator(".menu")

    page.locator(".menu-button").focus()
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    page.keyboard.press("Tab")
    assert "Your photos" in focused(page)
    page.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    assert "Menu of" in focused(page)


def test_the_arrows_lead_to_the_neighbours_of_a_photo(visitor: NewVisitor) -> None:
    somebody = visitor()
    page = somebody.open("/people/ada/")
    somebody.follow(page.locator(".stream .card a.picture").first)
    first = page.url

    with page.expect_navigation():
        page.keyboard.press("ArrowRight")
    assert page.url != first
    with page.expect_navigation():
        page.keyboard.press("ArrowLeft")

    assert page.url == first


def test_the_theme_is_chosen_and_remembered_without_a_flash(visitor: NewVisitor) -> None:
    somebody = visitor(theme="light")
    page = somebody.open("/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)

    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(paper)
    answer = page.request.get(page.url)

    assert dark != light
    # The server draws the next page dark from its first byte.
    assert '<html lang="en" dir="ltr" data-theme="dark">' in answer.text()
    page.get_by_role("button", name="Auto").click()
    assert page.evaluate(paper) == light
    assert 'data-theme="auto"' in page.request.get(page.url).text()
