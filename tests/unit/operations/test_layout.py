from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.template import Context

from apps.operations.templatetags import layout


@dataclass(frozen=True, kw_only=True)
class Picture:
    width: int | None
    height: int | None


def context(**cookies: str) -> Context:
    request = HttpRequest()
    request.COOKIES.update(cookies)
    return Context({"request": request})


@pytest.mark.parametrize(
    ("cookie", "theme", "scheme"),
    [
        ("dark", "dark", "dark"),
        ("light", "light", "light"),
        ("auto", "auto", "light dark"),
        ('"><script>', "auto", "light dark"),
        ("", "auto", "light dark"),
    ],
)
def test_the_theme_is_what_the_cookie_asks_for(cookie: str, theme: str, scheme: str) -> None:
    assert layout.theme(context(theme=cookie)) == theme
    assert layout.color_scheme(context(theme=cookie)) == scheme


def test_a_page_without_a_request_follows_the_browser() -> None:
    assert layout.theme(Context()) == "auto"
    assert layout.color_scheme(Context()) == "light dark"


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (3000, 2000, "ratio-150"),
        (2000, 3000, "ratio-67"),
        (1000, 1000, "ratio-100"),
        (9000, 1000, "ratio-320"),
        (10, 9000, "ratio-40"),
        (None, None, "ratio-150"),
        (0, 0, "ratio-150"),
    ],
)
def test_the_frame_of_a_picture_has_its_shape(
    width: int | None, height: int | None, name: str
) -> None:
    assert layout.ratio_class(Picture(width=width, height=height)) == name


def test_every_shape_has_its_rule_in_the_style_sheet() -> None:
    sheet = (settings.BASE_DIR / "static" / "css" / "ratios.css").read_text(encoding="utf-8")

    rules = dict(re.findall(r"\.ratio-(\d+)\s*\{\s*--ratio:\s*([\d.]+)", sheet))

    assert {int(percent) for percent in rules} == set(range(layout.RATIO_MIN, layout.RATIO_MAX + 1))
    assert all(round(100 * float(ratio)) == int(percent) for percent, ratio in rules.items())


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("ben_van.dyke", "BD"),
        ("Zoë de la Cruz", "ZC"),
        ("李 雷", "李雷"),
        ("…", "?"),
        ("", "?"),
    ],
)
def test_initials_stand_for_a_person(name: str, letters: str) -> None:
    assert layout.initials(name) == letters


def test_a_name_keeps_its_tint() -> None:
    assert layout.tint("Ada") == layout.tint("ada")
    assert {layout.tint(f"person-{number}") for number in range(200)} == {
        f"tint-{number}" for number in range(layout.TINTS)
    }


def test_the_name_of_the_site_is_a_setting(settings) -> None:
    settings.SITE_NAME = "Camera Club"

    assert layout.site_name() == "Camera Club"


@pytest.mark.parametrize(
    ("debug", "folder", "shown"),
    [(True, "/var/inbox", True), (True, "", False), (False, "/var/inbox", False)],
)
def test_the_inbox_is_offered_where_there_is_one(
    settings, debug: bool, folder: str, shown: bool
) -> None:
    settings.DEBUG, settings.INBOX_DIR = debug, folder

    assert layout.has_inbox() is shown
