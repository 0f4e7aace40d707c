"""The live process with little patience, and with a topic of which much is told.

It shows the file that `WALL` names, a number, and so many bytes of `PAINT` beside it: a few times
more than fits between two processes of which one does not read.
"""

from __future__ import annotations

import os
from pathlib import Path

import project.asgi  # noqa: F401  it sets Django up
from apps import live
from apps.live.application import Live
from apps.live.stream import Limits

_paint = "x" * int(os.environ["PAINT"])

live.register(
    "wall",
    may_listen=lambda *, viewer, name: True,
    read_state=lambda *, name: {"number": int(Path(os.environ["WALL"]).read_text()), "in": _paint},
)
application = Live(Limits(stalled=float(os.environ["STALLED"]), per_address=1000))
