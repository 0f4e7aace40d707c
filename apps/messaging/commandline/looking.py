"""Verbs that look and change nothing: status, workers, failed, show."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

import msgspec
from django.core.management.base import CommandError
from django.forms.models import model_to_dict

from apps.messaging import dead, presence, queues
from apps.messaging.commandline.verbs import ILL, UNKNOWN, WELL, Console, Verb, duration
from apps.messaging.models import Job, Schedule

QUEUES = ("queue", "due", "later", "running", "dead", "oldest s", "messages", "state")
WORKERS = ("worker", "process", "state", "queues", "pool", "jobs", "last seen", "release")
GROUPS = ("group", "jobs", "task", "queue", "last", "culprit")


def status(console: Console, options: dict[str, Any]) -> int:
    """Return ILL when work waits longer than allowed, or for a worker that is not there."""
    states = queues.states()
    alive = [worker for worker in presence.workers() if worker.condition == "alive"]
    served = {queue for worker in alive for queue in worker.queues}
    longest: timedelta | None = options["fail_if_wait"]
    complaints = [
        complaint for state in states if (complaint := _complaint(state, served, longest))
    ]
    console.table(
        QUEUES,
        [
            (each.name, each.due, each.later, each.running, each.dead, each.oldest,
             each.messages, f"paused: {each.reason}" if each.paused_at else "open")
            for each in states
        ],
    )  # fmt: skip
    for complaint in complaints:
        console.say(f"! {complaint}")
    schedules = Schedule.objects.order_by("task")
    console.tell(
        {
            "queues": [msgspec.structs.asdict(state) for state in states],
            "schedules": [model_to_dict(row) | {"last_due": row.last_due} for row in schedules],
            "complaints": complaints,
        }
    )
    return ILL if complaints else WELL


def _complaint(state: queues.State, served: set[str], longest: timedelta | None) -> str:
    if state.due and state.paused_at is None and state.name not in served:
        return f"{state.name}: {state.due} jobs wait, and no worker serves this queue"
    if longest is not None and state.oldest > longest.total_seconds():
        return f"{state.name}: the oldest job has waited for {state.oldest:.0f} s"
    return ""


def _allow_waits(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--fail-if-wait", type=duration, metavar="TIME", help="end with 1 if a job waits longer"
    )


def workers(console: Console, options: dict[str, Any]) -> int:  # noqa: ARG001
    """Return ILL when none is alive."""
    rows = list(presence.workers())
    console.table(
        WORKERS,
        [
            (row.name, row.pid, row.condition, ",".join(row.queues),
             f"{row.pool} x{row.concurrency}", len(row.running), row.beat_at, row.release)
            for row in rows
        ],
    )  # fmt: skip
    console.tell([model_to_dict(row) | {"condition": row.condition} for row in rows])
    return WELL if any(row.condition == "alive" for row in rows) else ILL


def choose(parser: ArgumentParser) -> None:
    """Add the filters of dead jobs."""
    parser.add_argument("--task", default="", help="such as mail.deliver_letter")
    parser.add_argument("--queue", default="", help="of this queue")
    parser.add_argument("--group", help="that failed alike: a group that `jobs failed` lists")
    parser.add_argument(
        "--older", type=duration, metavar="TIME", help="dead for longer: 30m, 2h, 7d"
    )


def chosen(options: dict[str, Any]) -> dead.Choice:
    """Return what the filters say."""
    return dead.Choice(
        ids=tuple(options.get("ids") or ()),
        task=options["task"],
        queue=options["queue"],
        group=options["group"],
        older=options["older"],
    )


def failed(console: Console, options: dict[str, Any]) -> int:
    """List the dead jobs by cause."""
    groups = dead.groups(chosen(options).jobs())
    if groups:
        console.table(
            GROUPS,
            [(g.fingerprint or "-", g.count, g.task, g.queue, g.last, g.culprit) for g in groups],
        )
    else:
        console.say("No job is dead.")
    console.tell([msgspec.structs.asdict(group) for group in groups])
    return WELL


def show(console: Console, options: dict[str, Any]) -> int:
    """Show all that is known of one job."""
    job = find(options["id"])
    document = {field.name: getattr(job, field.name) for field in Job._meta.concrete_fields}
    console.tell(document)
    for name, value in document.items():
        if name not in {"traceback", "history", "arguments"} and value not in ("", None):
            console.say(f"{name:<12} {value}")
    console.say(f"arguments    {json.dumps(job.arguments, sort_keys=True)}")
    for entry in job.history:
        console.say(
            f"  {entry['at']} {entry['outcome']} after {entry['seconds']} s"
            f" by {entry['worker']}: {entry['error']}"
        )
    if job.traceback:
        console.say(f"\n{job.traceback}")
    return WELL


def find(job_id: int) -> Job:
    """Return the job. Raises CommandError if there is none."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise CommandError(f"There is no job {job_id}.", returncode=UNKNOWN)
    return job


def take_id(parser: ArgumentParser) -> None:
    """Add the id of one job."""
    parser.add_argument("id", type=int, help="the id of a job")


VERBS = (
    Verb("status", "queues, and what is wrong: ends with 1 if something is", status, _allow_waits),
    Verb("workers", "the workers that were seen; ends with 1 if none is alive", workers),
    Verb("failed", "dead jobs, grouped by what went wrong", failed, choose),
    Verb("show", "all that is known of one job", show, take_id),
)
