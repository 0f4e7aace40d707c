from __future__ import annotations

import threading
import time

import msgspec
import pytest

from apps import messaging
from apps.messaging import broker
from apps.messaging.naming import new_id
from apps.messaging.replies import answering
from apps.messaging.replies import mailbox as mailboxes
from apps.messaging.replies.mailbox import Mailbox, mailbox
from apps.messaging.replies.questions import Answer, Question
from tests.support import questions
from tests.support.wait import wait_until


@pytest.fixture(autouse=True)
def prompt(settings):
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 5}
    yield
    mailboxes.close()


@pytest.fixture
def lonely():
    """A question that nobody answers, in a queue of its own."""

    def ask() -> int:
        return 1

    return Question(ask, queue=f"nobody-{new_id()}", timeout=0.2, most=1)


def work(name, **arguments):
    return answering._work(name, arguments)


def test_a_question_is_still_a_function():
    assert questions.double(number=4) == 8


def test_a_wrong_argument_raises_where_it_was_given():
    with pytest.raises(TypeError):
        questions.double.ask(nummer=4)  # type: ignore[call-arg]


def test_a_question_takes_its_arguments_by_name():
    def ask(number: int) -> int:
        return number

    with pytest.raises(TypeError, match="keyword-only"):
        messaging.answers(queue="questions")(ask)


def test_two_questions_do_not_share_a_name():
    with pytest.raises(TypeError, match="two questions"):
        messaging.answers(queue="questions")(questions.double.function)


def test_a_worker_answers():
    answer = work("tests.support.questions.double".rpartition(".")[2], number=3)
    assert answer.problem  # an unknown name is a problem in words, not a crash

    answer = work(questions.double.name, number=3)

    assert (answer.problem, msgspec.msgpack.decode(answer.value)) == ("", 6)


@pytest.mark.parametrize(
    ("how", "words"), [("permanent", "There is no such picture."), ("error", "It went wrong.")]
)
def test_a_worker_that_cannot_says_so_without_giving_anything_away(how, words):
    assert work(questions.refuse.name, how=how) == Answer(problem=words)


def test_what_came_too_late_is_not_worked_on(tmp_path):
    ledger = tmp_path / "ledger"

    worked = answering.answer(
        name=questions.double.name,
        arguments={"number": 1, "ledger": str(ledger)},
        deadline=time.time() - 1,
        question_id="1",
        reply_to="nobody",
    )

    assert not worked
    assert not ledger.exists()


def test_nobody_answers_in_time(lonely):
    with pytest.raises(messaging.Late):
        lonely.ask()


def test_only_so_many_wait_in_one_process(lonely):
    with lonely.crowd.place(), pytest.raises(messaging.Busy):
        lonely.ask()


def test_who_would_be_answered_too_late_is_refused_at_once(lonely):
    lonely.crowd.learn(0, 1000.0)
    with pytest.raises(messaging.Late):  # with nobody ahead it is worth a try, and leaves a message
        lonely.ask()

    with pytest.raises(messaging.Busy):
        lonely.ask()


def test_a_broker_that_is_away_is_said_at_once(settings, monkeypatch, lonely):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/0")
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 0.1}
    broker.hang_up()
    try:
        with pytest.raises(messaging.Unavailable):
            lonely.ask()
    finally:
        broker.hang_up()
        broker.breaker.reset()


def test_the_newer_of_two_questions_supersedes_the_earlier():
    caught = []

    def ask():
        try:
            questions.double.with_options(replaces="ada").ask(number=1)
        except messaging.Superseded as error:
            caught.append(error)

    earlier = threading.Thread(target=ask)
    earlier.start()
    wait_until(lambda: mailbox()._latest)
    with pytest.raises(messaging.Late):
        questions.double.with_options(replaces="ada", timeout=0.1).ask(number=2)
    earlier.join()

    assert len(caught) == 1
    assert not mailbox()._latest
    assert not mailbox()._waiting


def test_an_answer_that_nobody_waits_for_is_dropped():
    class Message:
        properties = {"correlation_id": "unknown"}
        body = b"x"

    box = Mailbox()

    box._deliver(Message())

    assert not box._waiting
