"""Verbs that decide on jobs: retry, discard, run."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.messaging import dead, runner
from apps.messaging.commandline.looking import choose, chosen, find, take_id
from apps.messaging.commandline.verbs import ILL, UNKNOWN, WELL, Console, Verb, duration
from apps.messaging.models import Job


def retry(console: Console, options: dict[str, Any]) -> int:
    """Make dead jobs due again, spread in time."""
    ids = _ids(options)
    spread = options["spread"]
    count = dead.retry(ids, spread=None if spread is None else spread.total_seconds())
    console.say(f"{count} jobs are tried again.")
    console.tell({"retried": count})
    return WELL if count else UNKNOWN


def discard(console: Console, options: dict[str, Any]) -> int:
    """Give dead jobs up for good."""
    ids = _ids(options)
    if ids:
        console.be_sure(f"{len(ids)} dead jobs will be discarded.")
    count = dead.discard(ids)
    console.say(f"{count} jobs were discarded.")
    console.tell({"discarded": count})
    return WELL if count else UNKNOWN


def _ids(options: dict[str, Any]) -> list[int]:
    """Return the ids of the dead jobs that are meant. Raises CommandError if nothing says which."""
    choice = chosen(options)
    if choice == dead.Choice() and not options["all"]:
        raise CommandError(
            "Which jobs? Give ids, --task, --queue, --group or --older, or --all.", returncode=ILL
        )
    return list(choice.jobs().order_by("pk").values_list("pk", flat=True))


def run(console: Console, options: dict[str, Any]) -> int:
    """Do one job here and now, in the foreground, though it is not due or its queue is paused."""
    job = find(options["id"])
    if runner.run(job.pk, force=True) is None:
        raise CommandError(f"{job} is {job.state}, and cannot be run.", returncode=ILL)
    job.refresh_from_db()
    console.say(f"{job} is {job.state}. {job.error}".rstrip())
    console.tell({"id": job.pk, "state": job.state, "error": job.error})
    return WELL if job.state == Job.State.DONE else ILL


def _choose_dead(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="the ids of dead jobs")
    parser.add_argument("--all", action="store_true", help="every dead job")
    choose(parser)


def _choose_and_spread(parser: ArgumentParser) -> None:
    _choose_dead(parser)
    parser.add_argument(
        "--spread", type=duration, metavar="TIME", help="over how long; 0 for all at once"
    )


VERBS = (
    Verb("retry", "try dead jobs again, spread in time", retry, _choose_and_spread),
    Verb("discard", "give dead jobs up for good", discard, _choose_dead),
    Verb("run", "do one job here, in the foreground; ends with 1 unless it is done", run, take_id),
)
