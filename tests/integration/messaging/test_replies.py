"""Questions between real processes, on both brokers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import redis

from apps import messaging
from apps.messaging import bell
from apps.messaging.replies import mailbox as mailboxes
from apps.messaging.replies.crowd import Crowd
from tests.support import questions
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
OPTIONS = ("--include", "tests.support.questions")


@pytest.fixture(params=["valkey", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def broker_url(request, use_broker):
    """Each of the two brokers, the test's own."""
    if request.param == "valkey":
        url = request.getfixturevalue("valkey_server").url(1)
    else:
        url = request.getfixturevalue("rabbitmq_server").url
    use_broker(url)
    mailboxes.close()
    yield url
    mailboxes.close()


@pytest.fixture(autouse=True)
def nothing_learnt(monkeypatch):
    """What waiting was like in another test is no guide."""
    for question in (questions.double, questions.picture, questions.refuse):
        monkeypatch.setattr(question, "crowd", Crowd(most=100))


@pytest.fixture(autouse=True)
def patient(settings):
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 30}


@pytest.fixture
def answerer(worker, broker_url):
    """Start a worker that answers questions."""
    return partial(worker, "questions", options=OPTIONS, BROKER_URL=broker_url, pool="prefork")


def begun_in(ledger):
    """When which question was begun."""
    lines = [line.split() for line in ledger.read_text().splitlines()]
    return {int(number): float(moment) for number, moment in lines}


def asking(timeout=20.0):
    return questions.double.with_options(timeout=timeout)


def test_the_answer_finds_the_one_who_asked(answerer):
    answerer(concurrency=2)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: asking().ask(number=number), range(40)))

    assert answers == [2 * number for number in range(40)]


def test_bytes_travel_whole(answerer):
    answerer(concurrency=1)

    assert questions.picture.ask(size=300_032) == bytes(range(256)) * 1172


def test_a_worker_that_cannot_says_why(answerer):
    answerer(concurrency=1)

    with pytest.raises(messaging.Failed, match=r"There is no such picture\."):
        questions.refuse.ask(how="permanent")


def test_of_a_hundred_those_past_their_deadline_are_never_worked_on(answerer, tmp_path):
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    ledger.touch()
    for _ in range(2):
        answerer(concurrency=1)
    told = {}

    def ask(number):
        with pytest.raises(messaging.NotAnswered):
            asking(2.0).ask(number=number, ledger=str(ledger), gate=str(gate))
        told[number] = time.time()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate.touch()
    # While what is too late still lies there, who asks is told that too many wait.
    wait_until(lambda: bell.depth("questions") == 0)
    assert asking().ask(number=1000, ledger=str(ledger)) == 2000

    # The last was asked after all the others: whatever was to be worked on has been.
    begun = begun_in(ledger)
    assert len(told) == 100
    assert begun.pop(1000)
    assert 0 < len(begun) < 20
    # A busy machine may pause between the look at the clock and the note in the ledger.
    assert all(moment <= told[number] + 0.5 for number, moment in begun.items())


def test_a_cancelled_question_is_not_worked_on(answerer, tmp_path):
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    ledger.touch()
    answerer(concurrency=1)
    busy = threading.Thread(
        target=lambda: asking().ask(number=1, ledger=str(ledger), gate=str(gate))
    )
    busy.start()
    wait_until(lambda: 1 in begun_in(ledger))
    caught = []

    def ask_and_be_superseded():
        try:
            questions.double.with_options(replaces="ada").ask(number=2, ledger=str(ledger))
        except messaging.Superseded as error:
            caught.append(error)

    earlier = threading.Thread(target=ask_and_be_superseded)
    earlier.start()
    wait_until(lambda: bell.depth("questions") >= 1 or mailboxes.mailbox()._latest)

    newer = threading.Thread(
        target=lambda: questions.double.with_options(replaces="ada").ask(
            number=3, ledger=str(ledger)
        )
    )
    newer.start()
    earlier.join()
    gate.touch()
    newer.join()
    busy.join()

    assert len(caught) == 1
    assert list(begun_in(ledger)) == [1, 3]


def test_a_worker_that_comes_later_answers(answerer):
    answers = []
    asker = threading.Thread(target=lambda: answers.append(asking().ask(number=5)))
    asker.start()
    wait_until(lambda: bell.depth("questions") == 1)

    answerer(concurrency=1)
    asker.join()

    assert answers == [10]


def test_a_worker_that_dies_over_a_question_takes_no_other_along(answerer):
    answerer(concurrency=1)

    with pytest.raises(messaging.Late):
        questions.refuse.with_options(timeout=2).ask(how="kill")

    assert asking().ask(number=6) == 12


def test_nothing_is_left_behind_on_redis(answerer, broker_url):
    if not broker_url.startswith("redis"):
        pytest.skip("RabbitMQ deletes a queue that has expired by itself")
    answerer(concurrency=1)
    asking().ask(number=1)
    client = redis.Redis.from_url(broker_url)
    before = set(client.scan_iter())

    for number in range(20):
        asking().ask(number=number)

    assert set(client.scan_iter()) <= before
    assert not [key for key in client.scan_iter("*replies*") if client.ttl(key) < 0]
