"""Tags read backwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps import caching
from apps.caching.patterns import TagPattern, concerned, rewritable

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("template", "tag", "told"),
    [
        ("stream", "stream", {}),
        ("stream", "streams", None),
        ("photo:{photo_id}", "photo:17", {"photo_id": "17"}),
        ("photo:{photo_id}", "photo:", None),
        ("photo:{photo_id}", "user:17", None),
        ("a.c:{x}", "abc:1", None),
        ("{x}:{y}", "a:b", {"x": "a", "y": "b"}),
        ("{x}:{x}", "a:a", {"x": "a"}),
        ("{x}:{x}", "a:b", None),
        ("photo:{entry[0]}", "photo:17", {}),
    ],
)
def test_a_tag_tells_its_arguments(template: str, tag: str, told: dict[str, str] | None) -> None:
    assert TagPattern(template).match(tag) == told


def test_only_tags_that_tell_a_whole_call_concern_anybody() -> None:
    @caching.cached(timeout=MINUTE, tags=["x:{pk}", "every-x"], refresh=caching.REWRITE)
    def get_x(pk: int, size: int = 3) -> str:
        return f"{pk}{size}"

    try:
        assert concerned({"x:2", "x:1", "every-x", "y:1"}) == ["x:1", "x:2"]
    finally:
        del rewritable[get_x.name]


def test_a_function_that_no_tag_tells_is_refused() -> None:
    def get_pair(left: int, right: int) -> str:
        return f"{left}{right}"

    with pytest.raises(TypeError, match=r"names all of \['left', 'right'\]"):
        caching.cached(
            timeout=MINUTE, tags=["left:{left}", "right:{right}"], refresh=caching.REWRITE
        )(get_pair)


def test_a_part_of_an_argument_tells_no_call() -> None:
    def get_card(entry: tuple[int, int]) -> str:
        return str(entry)

    with pytest.raises(TypeError, match="names all of"):
        caching.cached(timeout=MINUTE, tags=["photo:{entry[0]}"], refresh=caching.REWRITE)(get_card)


def test_tags_that_are_a_function_cannot_be_read_backwards() -> None:
    def get_x(pk: int) -> str:
        return str(pk)

    with pytest.raises(TypeError, match="templates"):
        caching.cached(timeout=MINUTE, tags=lambda pk: [f"x:{pk}"], refresh=caching.REWRITE)(get_x)


def test_an_argument_that_has_no_name_is_refused() -> None:
    def get_x(pk: int, /) -> str:
        return str(pk)

    with pytest.raises(TypeError, match="positional only"):
        caching.cached(timeout=MINUTE, tags=["x:{pk}"], refresh=caching.REWRITE)(get_x)
