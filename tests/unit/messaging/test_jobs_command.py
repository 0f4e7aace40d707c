"""`manage.py jobs`: what each verb says, does, and ends with."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from apps.messaging import Job, ledger, queues
from apps.messaging.commandline.verbs import duration
from apps.messaging.models import Queue
from apps.messaging.presence import Presence
from tests.support import jobs
from tests.support.messaging import run_jobs

pytestmark = pytest.mark.django_db


def command(*words):
    """What was written, and the exit code."""
    out = StringIO()
    try:
        call_command("jobs", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    except CommandError as error:
        return str(error), error.returncode
    return out.getvalue(), 0


def document(*words):
    text, _ = command(*words, "--json")
    return json.loads(text)


@pytest.fixture
def alive():
    """A worker for every queue of these tests."""
    presence = Presence(name="all@here", queues=["default", "mail"], pool="thread", concurrency=4)
    presence.beat()
    return presence


@pytest.fixture
def dead(trace):
    """Three dead jobs of one cause, and one of another."""
    for _ in range(3):
        jobs.fail.delay(how="permanent")
    jobs.fail_and_be_forgotten.delay()
    run_jobs()
    return list(Job.objects.order_by("pk"))


# --- Looking -------------------------------------------------------------------------------------
def test_a_queue_that_flows_is_no_reason_to_complain(alive):
    jobs.note.delay(text="hello")

    text, code = command("status")

    assert code == 0
    assert text.splitlines()[1].split()[:5] == ["default", "1", "0", "0", "0"]


def test_work_that_no_worker_takes_is_one():
    jobs.note.delay(text="hello")

    text, code = command("status")

    assert code == 1
    assert "! default: 1 jobs wait, and no worker serves this queue" in text


def test_a_queue_that_was_paused_on_purpose_is_none():
    jobs.note.delay(text="hello")
    queues.pause("default", reason="the disk is full")

    text, code = command("status")

    assert code == 0
    assert "paused: the disk is full" in text


@pytest.mark.parametrize(("allowed", "code"), [("30", 1), ("2m", 0)])
def test_a_job_that_waits_for_too_long_is_one(alive, allowed, code):
    jobs.note.delay(text="hello")
    Job.objects.update(due_at=Now() - timedelta(seconds=60))

    assert command("status", "--fail-if-wait", allowed)[1] == code


def test_the_status_is_one_document_for_programs(alive):
    jobs.note.delay(text="hello")

    told = document("status")

    assert {queue["name"]: queue["due"] for queue in told["queues"]}["default"] == 1
    assert told["complaints"] == []


def test_workers_are_listed_and_their_absence_is_an_exit_code(alive):
    text, code = command("workers")
    assert (code, "all@here" in text, "alive" in text) == (0, True, True)
    assert document("workers")[0]["condition"] == "alive"

    alive.leave()

    assert command("workers")[1] == 1


def test_the_dead_are_listed_by_cause(dead):
    text, code = command("failed")

    assert code == 0
    assert text.splitlines()[1].split()[1:4] == ["3", "jobs.fail", "default"]
    assert "Permanent in tests.support.jobs.fail" in text
    assert [group["count"] for group in document("failed", "--task", "jobs.fail")] == [3]
    assert "No job is dead." in command("failed", "--queue", "mail")[0]


def test_one_job_is_shown_with_all_that_is_known(dead):
    text, code = command("show", f"{dead[0].pk}")

    assert code == 0
    for words in (
        "jobs.fail",
        "the ship is sunk",
        '{"how": "permanent"',
        "Traceback",
        "dead after",
    ):
        assert words in text
    assert document("show", f"{dead[0].pk}")["state"] == "dead"


def test_a_job_that_does_not_exist_is_said_so():
    assert command("show", "1000000") == ("There is no job 1000000.", 3)


# --- Deciding ------------------------------------------------------------------------------------
def test_jobs_are_tried_again_by_their_ids(dead):
    text, code = command("retry", f"{dead[0].pk}", f"{dead[1].pk}")

    assert (text.strip(), code) == ("2 jobs are tried again.", 0)
    assert Job.objects.dead().count() == 2


def test_jobs_are_tried_again_by_their_group(dead):
    command("retry", "--group", dead[3].fingerprint)

    assert Job.objects.get(state="queued") == dead[3]


def test_they_are_spread_as_somebody_asks(dead):
    command("retry", "--all", "--spread", "1h")

    assert Job.objects.filter(due_at__gt=Now()).count() == 4


def test_nothing_is_decided_on_unless_somebody_says_which(dead):
    for verb in ("retry", "discard"):
        text, code = command(verb, "--no-input")
        assert (code, "Which jobs?" in text) == (1, True)
    assert Job.objects.dead().count() == 4


def test_a_decision_that_meets_no_job_ends_with_three(dead):
    assert command("retry", "--task", "jobs.note")[1] == 3
    assert command("discard", "--older", "1d", "--no-input")[1] == 3
    assert Job.objects.dead().count() == 4


def test_jobs_are_discarded_without_a_question_only_on_request(dead, monkeypatch):
    text, code = command("discard", "--all")
    assert (code, "--no-input" in text) == (1, True)

    assert command("discard", "--all", "--no-input")[1] == 0
    assert not Job.objects.dead().exists()


@pytest.mark.parametrize(("answer", "left"), [("yes", 0), ("no", 4), ("", 4)])
def test_a_person_at_a_terminal_is_asked(dead, monkeypatch, answer, left):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: answer)

    command("discard", "--all")

    assert Job.objects.dead().count() == left


def test_a_job_is_run_here_though_it_is_not_due_and_its_queue_is_paused(trace):
    job = jobs.note.delay(text="hello")
    Job.objects.update(due_at=Now() + timedelta(hours=1))
    queues.pause("default")

    text, code = command("run", f"{job.pk}")

    assert (trace, code) == (["hello"], 0)
    assert "is done" in text


def test_a_job_that_fails_here_ends_with_one(trace):
    job = jobs.fail.delay(how="temporary")

    text, code = command("run", f"{job.pk}")

    assert (code, "the sea is rough" in text) == (1, True)


def test_a_job_that_another_does_is_not_run(trace):
    job = jobs.note.delay(text="hello")
    ledger.claim(job.pk, owner="another")

    text, code = command("run", f"{job.pk}")

    assert (trace, code) == ([], 1)
    assert "cannot be run" in text


# --- Queues --------------------------------------------------------------------------------------
def test_a_queue_is_paused_and_resumed():
    assert command("pause", "mail", "--reason", "the server is ill")[1] == 0
    assert Queue.objects.get().reason == "the server is ill"
    assert command("pause", "mail")[0].strip() == "mail was paused already."

    assert command("resume", "mail")[0].strip() == "mail goes on."
    assert command("resume", "mail")[0].strip() == "mail was not paused."


@pytest.mark.parametrize("verb", ["pause", "resume", "purge", "drain"])
def test_a_queue_that_nobody_knows_is_a_slip_of_the_keys(verb):
    text, code = command(verb, "postbox")

    assert code == 3
    assert "There is no queue postbox. There are: " in text


def test_a_queue_is_purged():
    jobs.note.delay(text="hello")

    text, code = command("purge", "default", "--no-input")

    assert (code, text.strip()) == (0, "1 jobs of default were discarded.")
    assert document("purge", "default", "--no-input")["discarded"] == 0


def test_to_drain_an_empty_queue_takes_no_time():
    jobs.note.delay(text="later")
    Job.objects.update(due_at=Now() + timedelta(hours=1))

    text, code = command("drain", "default", "--timeout", "0")

    assert (code, text.strip()) == (0, "default is empty: 0 due, 0 running, 1 due later.")


def test_to_drain_a_paused_queue_is_to_wait_for_what_runs():
    jobs.note.delay(text="not now")
    queues.pause("default")
    assert command("drain", "default", "--timeout", "0")[1] == 0

    Job.objects.update(state="running", lease_until=Now() + timedelta(hours=1))

    assert command("drain", "default", "--timeout", "0")[1] == 4


def test_to_drain_a_queue_that_does_not_empty_ends_with_four():
    ledger.claim(jobs.note.delay(text="hello").pk, owner="me")

    assert command("drain", "default", "--timeout", "0.3")[1] == 4


def test_the_help_has_a_line_for_each_verb(capsys):
    with pytest.raises(SystemExit):
        call_command("jobs", "--help")

    text = capsys.readouterr().out
    for verb in (
        "status",
        "workers",
        "failed",
        "show",
        "retry",
        "discard",
        "run",
        "pause",
        "drain",
    ):
        assert f"    {verb} " in text


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("30m", 1800), ("2h", 7200), ("7d", 604800)]
)
def test_a_duration_is_read_as_people_write_it(text, seconds):
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "soon", "m", "5 weeks", "1e999"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(CommandError, match="no duration"):
        call_command("jobs", "status", "--fail-if-wait", text)
