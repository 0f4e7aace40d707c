"""One picture: read the request, lock the door, develop, answer line by line, end.

The answers are JSON by the standard library: this process imports as little as it can, since it
starts anew for every picture.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from apps.thumbnails.darkroom import landlock, limits

if TYPE_CHECKING:
    from apps.thumbnails.darkroom.editing import Edits
    from apps.thumbnails.darkroom.rendering import Recipe

Answer = dict[str, object]


class Request(TypedDict):
    """What the parent asks for."""

    parent: int
    source: str
    into: str
    recipe: Recipe
    edits: Edits
    have: list[str]
    pixels: int
    seconds: int
    memory: int


def main() -> None:
    # Whatever a library prints goes to stderr: stdout carries answers only.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request: Request = json.loads(sys.stdin.readline())
    limits.restrict(parent=request["parent"], seconds=request["seconds"], memory=request["memory"])
    developing = import_module("apps.thumbnails.darkroom.developing")
    source, work = Path(request["source"]), Path(request["into"])
    developing.prepare(source)
    landlock.confine(read=source, work=work)
    for answer in developing.answers(request):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
