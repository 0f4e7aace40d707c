"""The broker goes away, forgets everything, hangs: jobs are started all the same, and all done."""

from __future__ import annotations

import pytest
import redis
from django.db import transaction

from apps.messaging import Job, broker
from tests.support import jobs
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def lines(path):
    return sorted(map(int, path.read_text().split()))


def start_jobs(seen, count, *, first=0):
    """Start jobs one by one, as requests do."""
    for number in range(first, first + count):
        with transaction.atomic():
            jobs.write_line.delay(path=str(seen), line=f"{number}")


def all_done():
    return not Job.objects.exclude(state=Job.State.DONE).exists()


@pytest.fixture
def away(valkey_server, use_broker):
    """A broker of the test's own, that is down."""
    valkey_server.kill()
    use_broker(valkey_server.url(1))
    return valkey_server


@pytest.fixture
def lines_made(settings, monkeypatch):
    """The lines to the broker that this process has made: each is one wait, at most."""
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 0.25, "BREAKER_SECONDS": 600}
    made = []

    class Counted(broker.Line):
        def __init__(self):
            made.append(self)
            super().__init__()

    monkeypatch.setattr(broker, "Line", Counted)
    return made


def test_a_broker_that_is_down_delays_nobody_and_loses_nothing(away, hurried, seen, lines_made):
    start_jobs(seen, 50)
    assert len(lines_made) == 1

    away.start()
    hurried("default", BROKER_URL=away.url(1))
    wait_until(all_done)

    assert lines(seen) == list(range(50))


def test_a_broker_that_hangs_delays_one_request_a_little_and_the_others_not(
    valkey_server, use_broker, hurried, seen, lines_made
):
    use_broker(valkey_server.url(1))
    start_jobs(seen, 1)
    valkey_server.freeze()

    start_jobs(seen, 20, first=1)
    # The one that had worked before, and one more to be sure.
    assert len(lines_made) == 2

    valkey_server.thaw()
    hurried("default", BROKER_URL=valkey_server.url(1))
    wait_until(all_done)
    assert lines(seen) == list(range(21))


def test_a_broker_that_forgets_everything_costs_seconds(valkey_server, use_broker, hurried, seen):
    use_broker(valkey_server.url(1))
    start_jobs(seen, 20)
    with redis.Redis.from_url(valkey_server.url(1)) as client:
        assert client.llen("default") == 20
        client.flushall()

    hurried("default", BROKER_URL=valkey_server.url(1))
    wait_until(all_done)

    assert lines(seen) == list(range(20))


def test_a_broker_that_restarts_under_its_workers_is_found_again(
    valkey_server, use_broker, hurried, seen
):
    use_broker(valkey_server.url(1))
    hurried("default", BROKER_URL=valkey_server.url(1))
    start_jobs(seen, 5)
    wait_until(all_done)

    valkey_server.kill()
    start_jobs(seen, 5, first=5)
    valkey_server.start()
    start_jobs(seen, 5, first=10)
    wait_until(all_done, seconds=40)

    assert lines(seen) == list(range(15))


def test_a_long_queue_is_not_rung_for_again_and_again(valkey_server, use_broker, hurried, seen):
    use_broker(valkey_server.url(1))
    start_jobs(seen, 30)
    url = valkey_server.url(1)
    # A worker of another queue sweeps for all of them, and must see that their bells are there.
    idle = hurried("images", BROKER_URL=url, JOB_RING_AGAIN_SECONDS="0.1")
    with redis.Redis.from_url(valkey_server.url(1)) as client:
        assert client.llen("default") == 30
        client.rpop("default", 3)
        wait_until(lambda: client.llen("default") == 30)
    wait_until(lambda: "sweep rang for 3 jobs" in idle.log.read_text())
    assert "sweep rang for 30 jobs" not in idle.log.read_text()

    hurried("default", BROKER_URL=url)
    wait_until(all_done)
    assert lines(seen) == list(range(30))


@pytest.mark.rabbitmq
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_the_same_on_rabbitmq(rabbitmq_server, use_broker, hurried, seen, pool):
    url = rabbitmq_server.url
    use_broker(url)
    start_jobs(seen, 10)
    worker = hurried("default", pool=pool, BROKER_URL=url)
    start_jobs(seen, 10, first=10)
    wait_until(all_done)

    jobs.fail_until.delay(path=str(seen.with_name("tries")), times=2)
    wait_until(all_done)

    assert lines(seen) == list(range(20))
    worker.ask_to_stop()
    worker.wait_dead(20)


@pytest.mark.rabbitmq
def test_a_rabbitmq_that_forgets_everything_costs_seconds(
    rabbitmq_server, use_broker, hurried, seen
):
    from amqp import Connection

    use_broker(rabbitmq_server.url)
    start_jobs(seen, 20)
    with Connection(f"127.0.0.1:{rabbitmq_server.port}") as connection:
        connection.channel().queue_delete("default")

    hurried("default", BROKER_URL=rabbitmq_server.url)
    wait_until(all_done)

    assert lines(seen) == list(range(20))
