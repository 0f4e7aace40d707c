"""Old code and new code do not share entries."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from apps.caching.fingerprints import code_fingerprint


def compiled(source: str, **names: Any) -> Callable[..., Any]:
    scope = dict(names)
    exec(source, scope)  # noqa: S102 - the same text compiled twice is two code objects
    made = scope["f"]
    assert isinstance(made, FunctionType)
    return made


BASE = "def f(n):\n    return [n + 1 for n in range(n) if n in {1, 2, 3}]"


def test_the_same_code_is_the_same() -> None:
    assert code_fingerprint(compiled(BASE)) == code_fingerprint(compiled(BASE))


def test_where_it_stands_is_no_difference() -> None:
    assert code_fingerprint(compiled(BASE)) == code_fingerprint(compiled("\n\n" + BASE))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("n + 1", "n + 2"),
        ("n + 1", "n - 1"),
        ("{1, 2, 3}", "{1, 2, 4}"),
        ("range(n)", "sorted(n)"),
        ("return [", "return list() or ["),
    ],
)
def test_another_code_is_another(before: str, after: str) -> None:
    changed = BASE.replace(before, after)

    assert changed != BASE
    assert code_fingerprint(compiled(BASE)) != code_fingerprint(compiled(changed))


def test_an_inner_function_counts() -> None:
    outer = "def f():\n    def inner(): return 1\n    return inner"

    assert code_fingerprint(compiled(outer)) != code_fingerprint(
        compiled(outer.replace("return 1", "return 2"))
    )


def test_a_wrapper_is_seen_through() -> None:
    import functools

    inner = compiled(BASE)

    @functools.wraps(inner)
    def wrapper(*args: object) -> object:
        return inner(*args)

    assert code_fingerprint(wrapper) == code_fingerprint(inner)
