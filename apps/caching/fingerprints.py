"""A few letters that change when a function changes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

from apps.caching.keys import short_hash


@functools.cache
def code_fingerprint(function: Callable[..., Any]) -> str:
    """Return a hash of the function's own code: the same in every process of one Python version.

    What it calls is not in it; a release changes `VERSION` for that.
    """
    function = inspect.unwrap(function)
    return short_hash("\n".join(_pieces(function.__code__)).encode("utf-8", "backslashreplace"))


def _pieces(code: CodeType) -> list[str]:
    pieces = [code.co_code.hex(), *code.co_names, *code.co_varnames]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            pieces += _pieces(constant)
        elif isinstance(constant, frozenset):
            pieces += sorted(map(repr, constant))  # its order differs from process to process
        else:
            pieces.append(repr(constant))
    return pieces
