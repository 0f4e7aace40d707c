"""dramatiq with its defaults: an actor each, `send`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django
import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker

HEARTBEAT_MILLISECONDS = 5_000


class Ready(dramatiq.Middleware):
    """Says in a file that a worker takes work."""

    def after_worker_boot(self, broker: Any, worker: Any) -> None:  # noqa: ARG002
        if name := os.environ.get("READY_FILE"):
            Path(name).touch()


def make_actors(url: str) -> dict[str, dramatiq.Actor[..., None]]:
    """An actor for each load. On Redis the dead are noticed after seconds, not after a minute."""
    from benchmarks.carriers.loads import LOADS

    broker: dramatiq.Broker = (
        RabbitmqBroker(url=url.removesuffix("//") + "/%2F")  # as pika spells it
        if url.startswith("amqp")
        else RedisBroker(url=url, heartbeat_timeout=HEARTBEAT_MILLISECONDS)
    )
    broker.add_middleware(Ready())
    dramatiq.set_broker(broker)
    return {
        name: dramatiq.actor(load, broker=broker, actor_name=name, queue_name="dramatiq")
        for name, load in LOADS.items()
    }


if url := os.environ.get("CARRIER_URL"):
    django.setup()
    make_actors(url)
