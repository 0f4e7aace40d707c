"""Celery as its documentation shows it: a task each, `delay`, and no row behind it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import django
from celery import Celery
from celery.signals import worker_ready


def make_app(url: str, **options: object) -> Celery:
    """Celery's defaults but for these options, beside the site's own Celery."""
    from benchmarks.carriers.loads import LOADS

    made = Celery("carrier", broker=url, set_as_current=False)
    made.conf.update(options)
    for name, load in LOADS.items():
        made.task(load, name=name)
    return made


@worker_ready.connect
def say_so(**_: Any) -> None:
    if name := os.environ.get("READY_FILE"):
        Path(name).touch()


if url := os.environ.get("CARRIER_URL"):
    django.setup()
    app = make_app(url, **json.loads(os.environ["CARRIER_OPTIONS"]))
