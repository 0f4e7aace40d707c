from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from apps import messaging
from apps.messaging import Job
from tests.support import jobs as tasks
from tests.support.messaging import run_jobs

pytestmark = pytest.mark.django_db


def test_a_job_is_a_row_with_what_to_do(trace):
    job = tasks.note.delay(text="hello")

    row = Job.objects.get(pk=job.pk)
    assert (row.task, row.arguments, row.queue) == (
        "jobs.note",
        {"text": "hello"},
        "default",
    )
    assert (row.state, row.attempt) == (Job.State.QUEUED, 0)
    assert trace == []


def test_a_job_exists_only_if_its_transaction_commits():
    with transaction.atomic():
        tasks.note.delay(text="never")
        transaction.set_rollback(True)

    assert not Job.objects.exists()


def test_a_task_called_directly_is_its_function(trace):
    tasks.note(text="now")

    assert trace == ["now"]
    assert not Job.objects.exists()


@pytest.mark.parametrize("arguments", [{}, {"txt": "misspelt"}, {"text": "a", "more": 1}])
def test_arguments_that_the_function_does_not_take_are_refused_at_once(arguments):
    with pytest.raises(TypeError):
        tasks.note.delay(**arguments)


def test_arguments_that_json_cannot_hold_are_refused_at_once():
    with pytest.raises(TypeError, match="UUID"):
        tasks.note.delay(text=uuid4())  # type: ignore[arg-type]


def test_arguments_that_the_database_cannot_hold_are_refused_at_once():
    with pytest.raises(TypeError, match="NUL"):
        tasks.note.delay(text="a\0b")
    with pytest.raises(TypeError, match="JSON"):
        tasks.fail.delay(how="x", wait=float("nan"))


def test_a_text_that_only_looks_like_a_nul_is_none():
    assert tasks.note.delay(text="a\\u0000b").pk


def test_arguments_that_are_too_large_for_a_row_are_refused_with_a_hint():
    with pytest.raises(TypeError, match=r"100013 bytes of arguments .* give the job its id"):
        tasks.note.delay(text="x" * 100_001)

    assert tasks.note.delay(text="x" * 90_000).pk


def test_a_job_says_what_it_is_about_by_its_arguments():
    @messaging.job(about="letter:{letter_id}")
    def post(*, letter_id: int) -> None: ...

    assert post.delay(letter_id=17).about == "letter:17"
    assert post.with_options(about="person:4").delay(letter_id=17).about == "person:4"
    assert tasks.note.delay(text="hello").about == ""


def test_a_job_that_waits_for_another_try_is_hurried():
    later = timezone.now() + timedelta(hours=2)
    job = tasks.note.delay(text="hello")
    other = tasks.note.delay(text="other")
    Job.objects.update(due_at=later, failures=3)

    assert tasks.note.hurry(text="hello")

    assert list(Job.objects.claimable()) == [job]
    assert Job.objects.get(pk=job.pk).failures == 0
    other.refresh_from_db()
    assert (other.due_at, other.failures) == (later, 3)


@pytest.mark.parametrize("state", ["done", "dead", "discarded"])
def test_a_job_that_ended_cannot_be_hurried(state):
    job = tasks.note.delay(text="hello")
    Job.objects.update(state=state)

    assert not tasks.note.hurry(text="hello")

    job.refresh_from_db()
    assert job.state == state


def test_a_task_with_positional_arguments_is_refused():
    with pytest.raises(TypeError, match="keyword-only"):

        @messaging.job()
        def wrong(text: str) -> None: ...


def test_two_tasks_of_one_name_are_refused():
    def note(*, text: str) -> None: ...

    note.__module__, note.__qualname__ = tasks.note.__module__, "note"

    with pytest.raises(TypeError, match="two tasks are called"):
        messaging.job()(note)


def test_inside_a_job_its_row_is_at_hand(trace):
    job = tasks.look_at_itself.delay()

    run_jobs()

    assert [(seen.pk, seen.attempt) for seen in trace] == [(job.pk, 1)]
    assert messaging.current_job() is None


def test_the_front_door_has_what_it_names_and_no_more():
    for name in messaging.__all__:
        assert getattr(messaging, name)

    with pytest.raises(AttributeError, match="no attribute 'ledger_of_sins'"):
        getattr(messaging, "ledger_of_sins")  # noqa: B009
