"""How long an example takes depends on what else the machine does: it is no finding."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
