"""Run what a service started, in this process, as a worker would: rows, claims and outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from apps.messaging import Job, broker, runner


@pytest.fixture(autouse=True)
def patient_with_the_broker(settings: Settings) -> None:
    """A busy machine is not a broker that is away."""
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 30}


@pytest.fixture
def use_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Make this process talk to another broker."""

    def use(url: str) -> None:
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        forget_the_line()

    yield use
    forget_the_line()


def forget_the_line() -> None:
    """Keep no connection, and no open breaker."""
    broker.hang_up()
    broker.breaker.reset()


def run_jobs(*, queue: str | None = None, limit: int = 100) -> list[Job]:
    """Run the jobs that are due, and those that they start, oldest first; as they ended."""
    ran: list[int] = []
    while len(ran) < limit:
        due = Job.objects.claimable().order_by("pk")
        job = (due.filter(queue=queue) if queue else due).first()
        if job is None:
            break
        runner.run(job.pk)
        ran.append(job.pk)
    return list(Job.objects.filter(pk__in=ran).order_by("pk"))


def make_due() -> int:
    """Move the clock: what waits for a later try is due now. How many that were."""
    waiting = Job.objects.filter(state=Job.State.QUEUED, due_at__gt=Now())
    return waiting.update(due_at=Now())
