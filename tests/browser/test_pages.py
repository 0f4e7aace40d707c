"""Every page in both themes: axe finds nothing, nothing is inline or wider than a phone."""

from __future__ import annotations

import re
from collections import deque
from urllib.parse import urldefrag, urlsplit

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Route

from apps.messaging import Job, dead
from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Theme, Visitor

pytestmark = pytest.mark.browser

STRANGER = ["/", "/accounts/signup/", "/accounts/login/", "/accounts/password/reset/"]
MEMBER = ["/photos/upload/", "/accounts/settings/", "/people/ada/", "/inbox/"]
ERRORS = ["400", "403", "403_csrf", "404", "413", "429", "500"]
ADMIN = [
    "/admin/",
    "/admin/photos/photo/",
    "/admin/accounts/user/",
    "/admin/auth/group/add/",
    "/admin/messaging/job/dead/",
    "/admin/messaging/queue/",
]
# What axe finds in Django's own markup, which is not ours to change.
DJANGOS_OWN = re.compile("aria-prohibited-attr")
# Where a click changes something or ends the session.
NOT_FOLLOWED = ("/admin/logout/", "/accounts/logout/", "/media/")
CRAWLED = 160


def first_photo(visitor: Visitor) -> str:
    page = visitor.open("/")
    address = page.locator(".stream .card a.picture").first.get_attribute("href")
    assert address is not None
    return address


def look_at(visitor: Visitor, path: str) -> list[str]:
    visitor.open(path)
    wrong = visitor.axe()
    if visitor.is_wider_than_the_screen():
        wrong.append(f"{path} scrolls sideways")
    return wrong


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_desk(visitor: NewVisitor, theme: Theme) -> None:
    stranger, ada = visitor(theme=theme), visitor(theme=theme)
    ada.log_in("ada")
    photo = first_photo(stranger)

    wrong = [each for path in [*STRANGER, photo] for each in look_at(stranger, path)]
    wrong += [each for path in ["/", photo, *MEMBER] for each in look_at(ada, path)]

    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone(visitor: NewVisitor, theme: Theme) -> None:
    ada = visitor(device="phone", theme=theme)
    stranger = visitor(device="phone", theme=theme)
    ada.log_in("ada")
    photo = first_photo(stranger)

    wrong = [each for path in [*STRANGER, photo] for each in look_at(stranger, path)]
    wrong += [each for path in ["/", photo, *MEMBER] for each in look_at(ada, path)]

    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_failed_requests(
    visitor: NewVisitor, theme: Theme
) -> None:
    """A development site shows Django's own pages instead: these are put in their place."""
    somebody = visitor(device="phone", theme=theme)
    policy = somebody.page.request.get(somebody.site.address).headers["content-security-policy"]

    def answer(route: Route) -> None:
        name = route.request.url.rstrip("/").rpartition("/")[2]
        route.fulfill(
            body=render_to_string(f"{name}.html"),
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
        )

    somebody.page.route("**/error/*/", answer)
    wrong = [each for name in ERRORS for each in look_at(somebody, f"/error/{name}/")]

    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_admin_is_no_harder_to_use_than_djangos_own(visitor: NewVisitor, theme: Theme) -> None:
    admin = visitor(theme=theme)
    admin.log_in("admin")

    wrong = [each for path in ADMIN for each in look_at(admin, path)]

    assert [each for each in wrong if not DJANGOS_OWN.search(each)] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dead_jobs_are_decided_on_with_the_keyboard(visitor: NewVisitor, theme: Theme) -> None:
    """The site of these tests is well: what failed is put into its page, and what is sent kept."""
    admin = visitor(theme=theme)
    admin.log_in("admin")
    policy = admin.page.request.get(admin.site.address).headers["content-security-policy"]
    now = timezone.now()
    group = dead.Group(
        fingerprint="0123456789ab", task="mail.deliver_letter", queue="mail", count=12, first=now,
        last=now, culprit="ConnectionRefusedError in mail.delivery.connect", error="x" * 190,
    )  # fmt: skip
    page = render_to_string(
        "admin/messaging/job/dead.html",
        {
            "title": "Dead jobs by cause", "opts": Job._meta, "groups": [group, group],
            "count": 24, "may_decide": True, "queues": ["mail"], "tasks": [group.task],
        },
    )  # fmt: skip
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        headers = {"Content-Security-Policy": policy}
        route.fulfill(body=page, content_type="text/html; charset=utf-8", headers=headers)

    admin.page.route("**/dead-and-many/", answer)
    wrong = look_at(admin, "/dead-and-many/")
    admin.page.get_by_text("Discard …").first.focus()
    admin.page.keyboard.press("Enter")
    admin.page.keyboard.press("Tab")
    with admin.page.expect_navigation():
        admin.page.keyboard.press("Enter")

    assert [each for each in wrong if not DJANGOS_OWN.search(each)] == []
    assert "group=0123456789ab" in sent[-1]
    assert "decision=discard" in sent[-1]


def test_text_twice_as_large_does_not_break_out_of_a_phone(visitor: NewVisitor) -> None:
    ada = visitor(device="phone")
    ada.log_in("ada")
    photo = first_photo(ada)
    wide = []

    for path in ["/", photo, *MEMBER]:
        ada.open(path)
        ada.page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
        if ada.is_wider_than_the_screen():
            wide.append(path)

    assert wide == []


def test_no_link_is_dead_and_no_page_breaks_the_policy(visitor: NewVisitor) -> None:
    admin = visitor()
    admin.log_in("admin")
    todo, seen = deque(["/", "/admin/"]), {"/", "/admin/"}

    while todo and len(seen) < CRAWLED:
        page = admin.open(todo.popleft())
        for link in page.eval_on_selector_all("a[href]", "(links) => links.map((a) => a.href)"):
            address = urldefrag(link).url
            path = address.removeprefix(admin.site.address)
            if (
                urlsplit(address).netloc == urlsplit(admin.site.address).netloc
                and shape(path) not in {shape(known) for known in seen}
                and not path.startswith(NOT_FOLLOWED)
            ):
                seen.add(path)
                todo.append(path)

    assert {path.split("/")[1] for path in seen} >= {"admin", "photos", "people", "inbox"}


def shape(path: str) -> str:
    """Return what the addresses of one kind of page have in common: a crawl needs one of each."""
    parts = urlsplit(path)
    words = re.sub(r"/people/[^/]+", "/people/…", parts.path)
    words = re.sub(r"/[^/]*\d[^/]*", "/…", words)
    return words + "?" + "&".join(sorted(pair.split("=")[0] for pair in parts.query.split("&")))


def test_the_pages_are_drawn_for_people_to_look_at(visitor: NewVisitor) -> None:
    """Screenshots in var/screenshots/, for a person to judge; only their existence is tested."""
    for theme in ("dark", "light"):
        ada = visitor(theme=theme)
        ada.log_in("ada")
        photo = first_photo(ada)
        for name, path in {"home": "/", "photo": photo, "person": "/people/ada/"}.items():
            ada.open(path)
            assert ada.screenshot(f"{name}-desk-{theme}").stat().st_size > 10_000
    phone = visitor(device="phone", theme="dark")
    phone.open("/")
    assert phone.screenshot("home-phone-dark").stat().st_size > 10_000
