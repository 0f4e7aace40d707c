"""Hundreds of jobs and letters, while workers and brokers are killed, frozen and restarted.

The seed of a run is printed when it fails; CHAOS_SEED=… repeats its faults, CHAOS=long makes it six
times as long, with twenty kills and three restarts of the broker.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import transaction

from apps.mail.models import Letter
from apps.messaging import Job
from devstack.servers import Valkey
from tests.integration.messaging.conftest import HASTE
from tests.support.chaos import Storm, leave_a_trace, ledger
from tests.support.mail import post_letter
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
LONG = os.environ.get("CHAOS") == "long"
PLAN = (
    {"jobs": 3000, "kills": 20, "freezes": 5, "restarts": 3, "stalls": 3}
    if LONG
    else {"jobs": 500, "kills": 4, "freezes": 2, "restarts": 1, "stalls": 1}
)
EACH_A_LETTER = 10
ALL_DONE_SECONDS = 60


@pytest.fixture(
    params=["valkey", "forgetful valkey", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]
)
def server(request, tmp_path):
    """A broker of each kind: with its queues on disk, in memory only, and on RabbitMQ."""
    if request.param == "rabbitmq":
        yield request.getfixturevalue("rabbitmq_server")
        return
    keep = request.param == "valkey"
    valkey = Valkey(folder=tmp_path / "broker", log=tmp_path / "broker.log", keep=keep)
    yield valkey.start()
    valkey.thaw()
    valkey.kill()


@pytest.fixture
def variables(server, use_broker, settings, smtp_server):
    """What a worker is told. This process, which starts the jobs, waits no longer than a site."""
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 0.25}
    url = server.url(1) if isinstance(server, Valkey) else server.url
    use_broker(url)
    return {**HASTE, "BROKER_URL": url, "EMAIL_URL": smtp_server.url}


@pytest.fixture
def workers(worker, variables):
    ledger.open()
    include = ("--include", "tests.support.chaos")
    yield [
        worker(queues, concurrency=4, options=include, **variables)
        for queues in ("default", "default,mail", "mail,default")
    ]
    ledger.close()


def start(number):
    """One job in a transaction of its own, as requests do; each tenth is a letter."""
    with transaction.atomic():
        if number % EACH_A_LETTER == 0:
            post_letter(to=f"person{number}@example.test")
        else:
            leave_a_trace.delay(number=number)


def done():
    return Job.objects.filter(state=Job.State.DONE).count()


def undone():
    rows = Job.objects.exclude(state=Job.State.DONE)
    return list(rows.values_list("pk", "state", "attempt", "deaths", "error"))


def test_nothing_is_lost_whoever_is_killed_and_whatever_freezes(
    server, workers, smtp_server, request
):
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    storm = Storm(seed=seed, workers=workers, broker=server, start=start, done=done)

    storm.rage(**PLAN)
    calm_since = time.monotonic()
    try:
        wait_until(lambda: not undone(), seconds=ALL_DONE_SECONDS, what="all jobs done")
    finally:
        story = "\n".join([f"CHAOS_SEED={seed}", *storm.log, f"left over: {undone()[:20]}"])
        request.node.add_report_section("call", "chaos", story)

    jobs = PLAN["jobs"]
    letters = len(range(0, jobs, EACH_A_LETTER))
    assert ledger.done() == jobs - letters
    copies = Counter(letter.message["Message-ID"] for letter in smtp_server.letters)
    marked = Letter.objects.filter(resent_at__isnull=False).values_list("message_id", flat=True)
    assert len(copies) == letters
    # Only the cut between the final dot and the note of its answer doubles a letter, and marks it.
    assert {message_id for message_id, count in copies.items() if count > 1} <= set(marked)
    assert max(copies.values()) <= 2
    _note_figures(jobs, letters, calm_since, seed)


def _note_figures(jobs, letters, calm_since, seed):
    """For who wants them: CHAOS_REPORT=file."""
    if name := os.environ.get("CHAOS_REPORT"):
        count = ledger.count(jobs - letters)
        seconds = time.monotonic() - calm_since
        resent = Letter.objects.filter(resent_at__isnull=False).count()
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(f"{seed=} {count} {letters=} {resent=} {seconds=:.1f}\n")
