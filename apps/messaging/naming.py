"""What functions are called in rows, messages and logs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from uuid import uuid4


def name_of(function: Callable[..., object]) -> str:
    """`apps.mail.tasks.deliver_letter` is called `mail.deliver_letter` in rows and logs."""
    app = function.__module__.removesuffix(".tasks").rpartition(".")[2]
    return f"{app}.{function.__qualname__}"


def refuse_positional(function: Callable[..., object]) -> None:
    """Raise TypeError unless every argument is given by its name, as messages carry them."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"{function.__qualname__}: a job takes keyword-only arguments")


def new_id() -> str:
    """Name what was never there before."""
    return uuid4().hex
