"""The limits of this layer: `settings.MESSAGING`, typed."""

from __future__ import annotations

import msgspec
from django.conf import settings


class Limits(msgspec.Struct, frozen=True, rename="upper", forbid_unknown_fields=True):
    """How long things may take, in seconds, and how many deaths make a job poison."""

    lease_seconds: float = 30.0
    """A worker that is silent for so long is taken for dead, and its jobs are given to another."""
    sweep_seconds: float = 2.0
    """How often each worker looks for jobs that nobody was told about."""
    ring_again_seconds: float = 10.0
    """A bell that was not answered for so long, though the queue is empty, was lost."""
    broker_seconds: float = 0.25
    """How long a request may wait for the broker, to connect and again to send."""
    breaker_seconds: float = 2.0
    """After a failure the broker is left alone for so long."""
    keep_days: float = 7.0
    """Jobs that were done or discarded are deleted after so long."""
    deaths: int = 3
    """A job that killed its worker so many times in a row is not tried again."""
    event_buffer: int = 10_000
    """So many events may wait in a process for the broker; more are dropped, and counted."""
    event_backlog: int = 50_000
    """So many messages with events may wait on the broker; more are refused."""
    event_redeliver_seconds: float = 30.0
    """Events that a worker took, and did not fold, are given to another after so long (Redis)."""
    bells: int = 10_000
    """The sweeper lets no queue of the broker grow beyond so many messages."""
    argument_bytes: int = 100_000
    """The arguments of one job, as JSON: what is larger belongs into a row or a file."""
    retries_per_second: float = 10.0
    """Dead jobs that are tried again together are spread so thinly."""
    beat_seconds: float = 5.0
    """How often each worker says that it is there. Silent for three times as long, it is lost."""
    sample_seconds: float = 30.0
    """How often the queues are counted, by whichever worker is first."""
    sample_keep_days: float = 2.0
    """Counts, and workers that are gone, are deleted after so long."""
    release: str = ""
    """What runs here, shown beside each worker."""


def limits() -> Limits:
    """Read anew each time, so that a test may override the setting."""
    return msgspec.convert(getattr(settings, "MESSAGING", {}), Limits)
