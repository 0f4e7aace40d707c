"""The Celery application: `celery --app project worker --queues mail`.

Queues, routes and limits are read from the settings named `CELERY_*`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging, task_postrun, task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("safelight")
# Otherwise threads of the web process, all but the one that imports this, would find no broker.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery closes every connection to the database before and after each task; to open one costs ten
# times what the bookkeeping of a job does. This says: after so many. See keep_young_connections.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize

LIVENESS_SECONDS = 5


@setup_logging.connect
def leave_logging_alone(**_: object) -> None:
    """That somebody listens is enough: Celery then keeps what LOGGING says, in every pool."""


@task_prerun.connect
@task_postrun.connect
def keep_young_connections(**_: object) -> None:
    """Treat a task as Django does a request: close what is too old or broken, and keep the rest."""
    close_old_connections()


class Liveness(bootsteps.StartStopStep):
    """Touch LIVENESS_FILE while the worker's loop turns, for the probe of a container.

    A probe by `celery inspect ping` would start a whole Django every time, and would call a worker
    dead because the broker is away; restarting it would then help nobody.
    """

    requires = ("celery.worker.components:Timer",)

    def start(self, worker: Any) -> None:
        name = app.conf.get("liveness_file")
        if name:
            path = Path(name)
            path.touch()
            worker.timer.call_repeatedly(LIVENESS_SECONDS, path.touch)


app.steps["worker"].add(Liveness)
app.steps["worker"].add("apps.messaging.worker:Sweeper")
app.steps["worker"].add("apps.caching.worker:Sweeper")
app.steps["worker"].add("apps.messaging.batches.worker:Folding")
