"""Fixtures of these tests. How long an example takes depends on what else the machine does."""

from __future__ import annotations

from hypothesis import settings

from tests.support.renewal import background_threads, clock

__all__ = ["background_threads", "clock"]

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
