"""The Celery application, that also says in a file when a worker takes work.

`celery --app devstack.worker worker …` is `celery --app project worker …` for those who wait.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from celery.signals import worker_ready

from project.celery import app

__all__ = ["app"]
# Celery fears for pickled messages from strangers; ours are JSON, and on a machine of one's own
# root is often who one is.
warnings.filterwarnings("ignore", r"\s*You're running the worker with superuser")


@worker_ready.connect
def say_so(**_: object) -> None:
    """Make the file that READY_FILE names."""
    if name := os.environ.get("READY_FILE"):
        Path(name).touch()
