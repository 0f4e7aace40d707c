"""The ways from a request to a worker, each with its own worker program."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from devstack.programs import SiteProgram, Worker

# A worker of ours is taken for dead after two seconds and not after thirty: no run should wait so
# long. The others get the same patience where they can be told.
HASTE = {
    "JOB_LEASE_SECONDS": "2",
    "JOB_SWEEP_SECONDS": "0.5",
    "JOB_RING_AGAIN_SECONDS": "2",
}
VISIBILITY = {"broker_transport_options": {"visibility_timeout": 5}}
LATE: dict[str, object] = {"task_acks_late": True, "task_reject_on_worker_lost": True}


@dataclass(kw_only=True, eq=False)
class Carrier(SiteProgram):
    """A worker of somebody else's."""

    words: tuple[str, ...]

    @property
    def _ready(self) -> Path:
        return self.log.with_suffix(".ready")

    def prepare(self) -> None:
        self._ready.unlink(missing_ok=True)

    def command(self) -> list[str | Path]:
        return [sys.executable, "-m", *self.words]

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "READY_FILE": str(self._ready)}

    def is_ready(self) -> bool:
        return self._ready.exists()


@dataclass(kw_only=True)
class Ours:
    """A row in the transaction, and a bell."""

    url: str
    name: str = "**ours**"
    pool: str = "prefork"

    def start(self, load: str, **arguments: Any) -> None:
        from django.db import transaction

        from benchmarks.carriers import loads

        with transaction.atomic():
            getattr(loads, f"ours_{load}").delay(**arguments)

    def worker(self, name: str, folder: Path, *, concurrency: int, **variables: str) -> Worker:
        return Worker(
            name=name,
            queues="default",
            pool=self.pool,
            concurrency=concurrency,
            options=("--include", "benchmarks.carriers.loads"),
            log=folder / f"{name}.log",
            variables={**os.environ, **HASTE, **variables, "BROKER_URL": self.url},
        )


@dataclass(kw_only=True)
class PlainCelery:
    """`task.delay()`."""

    url: str
    name: str
    pool: str = "prefork"
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def _options(self) -> dict[str, object]:
        # A queue of its own, so that nobody meets what another way has left behind.
        queue = "".join(letter for letter in self.name.lower() if letter.isalnum())
        return {"task_default_queue": queue, **self.options}

    @cached_property
    def app(self) -> Any:
        from benchmarks.carriers.plain_celery import make_app

        return make_app(self.url, **self._options)

    def start(self, load: str, **arguments: Any) -> None:
        self.app.tasks[load].delay(**arguments)

    def worker(self, name: str, folder: Path, *, concurrency: int, **variables: str) -> Carrier:
        told = {
            "CARRIER_URL": self.url,
            "CARRIER_OPTIONS": json.dumps(self._options),
            # Read by Celery's command line, and stronger than what the code says.
            "BROKER_URL": self.url,
        }
        return Carrier(
            name=name,
            words=(
                "celery", "--app", "benchmarks.carriers.plain_celery", "worker",
                "--pool", self.pool, "--concurrency", str(concurrency), "--hostname", f"{name}@%h",
                "--loglevel", "WARNING",
            ),
            log=folder / f"{name}.log",
            variables={**os.environ, **variables, **told},
        )  # fmt: skip


@dataclass(kw_only=True)
class Dramatiq:
    """`actor.send()`."""

    url: str
    name: str = "dramatiq"

    @cached_property
    def actors(self) -> Mapping[str, Any]:
        from benchmarks.carriers.with_dramatiq import make_actors

        return make_actors(self.url)

    def start(self, load: str, **arguments: Any) -> None:
        self.actors[load].send(**arguments)

    def worker(self, name: str, folder: Path, *, concurrency: int, **variables: str) -> Carrier:
        return Carrier(
            name=name,
            words=(
                "dramatiq", "benchmarks.carriers.with_dramatiq",
                "--processes", "1", "--threads", str(concurrency),
            ),
            log=folder / f"{name}.log",
            variables={**os.environ, **variables, "CARRIER_URL": self.url},
        )  # fmt: skip


Way = Ours | PlainCelery | Dramatiq
