"""Servers of the benchmarks' own, and Django set up on them."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.servers import Postgres, RabbitMQ, Valkey, find_program


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The brokers that this machine has, by name, and a folder for what is written."""

    folder: Path
    brokers: dict[str, Valkey | RabbitMQ]

    def url(self, name: str) -> str:
        """The address of a broker."""
        broker = self.brokers[name]
        return broker.url(1) if isinstance(broker, Valkey) else broker.url


@contextmanager
def ground(*, durable: bool) -> Iterator[Ground]:
    """Start PostgreSQL, that waits for its disk if `durable`, Valkey, and RabbitMQ where it is."""
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        postgres = Postgres(folder=folder / "pg", log=folder / "pg.log", durable=durable)
        brokers: dict[str, Valkey | RabbitMQ] = {
            "Valkey": Valkey(folder=folder / "valkey", log=folder / "valkey.log", keep=True)
        }
        if find_program("rabbitmq-server"):
            brokers["RabbitMQ"] = RabbitMQ(folder=folder / "rabbit", log=folder / "rabbit.log")
        for server in (postgres, *brokers.values()):
            stack.callback(server.kill)
            server.start(seconds=90)
        os.environ.update(
            DATABASE_URL=postgres.url,
            BROKER_URL=brokers["Valkey"].url(1),  # type: ignore[operator]
            ENV_FILES="",
            DJANGO_SETTINGS_MODULE="project.settings",
            LOG_LEVEL="WARNING",
        )
        _set_up()
        yield Ground(folder=folder, brokers=brokers)
        _close()


def use_broker(url: str) -> None:
    """Let what this process starts of ours go over another broker."""
    from celery import current_app

    from apps.messaging import broker

    broker.hang_up()
    broker.breaker.reset()
    os.environ["CELERY_BROKER_URL"] = url
    current_app.conf.broker_url = current_app.conf.broker_write_url = url


def _set_up() -> None:
    import django
    from django.core.management import call_command

    # What peers leave open at their end is theirs.
    warnings.simplefilter("ignore", ResourceWarning)
    django.setup()
    call_command("migrate", verbosity=0)


def _close() -> None:
    from django.db import connections

    connections.close_all()
