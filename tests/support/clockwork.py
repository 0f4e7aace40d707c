"""A task that starts every second, for workers that are told to include it."""

from __future__ import annotations

from datetime import timedelta

from apps import messaging


@messaging.job(every=timedelta(seconds=1), priority=messaging.Priority.URGENT)
def tick() -> None: ...
