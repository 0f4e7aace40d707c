"""Verbs for whole queues: pause, resume, purge, drain."""

from __future__ import annotations

import getpass
import time
from argparse import ArgumentParser
from typing import Any

import msgspec
from django.core.management.base import CommandError

from apps.messaging import queues
from apps.messaging.commandline.verbs import TIMED_OUT, UNKNOWN, WELL, Console, Verb, duration

LOOK_AGAIN_SECONDS = 0.25


def pause(console: Console, options: dict[str, Any]) -> int:
    """Let nothing of a queue begin."""
    name = _known(options["queue"])
    changed = queues.pause(name, by=getpass.getuser(), reason=options["reason"])
    console.say(f"{name} is paused." if changed else f"{name} was paused already.")
    console.tell({"queue": name, "changed": changed})
    return WELL


def resume(console: Console, options: dict[str, Any]) -> int:
    """Let a queue go on."""
    name = _known(options["queue"])
    changed = queues.resume(name)
    console.say(f"{name} goes on." if changed else f"{name} was not paused.")
    console.tell({"queue": name, "changed": changed})
    return WELL


def purge(console: Console, options: dict[str, Any]) -> int:
    """Discard all that waits in a queue."""
    name = _known(options["queue"])
    state = queues.state(name)
    console.be_sure(f"{state.due + state.later} jobs that wait in {name} will be discarded.")
    count = queues.purge(name)
    console.say(f"{count} jobs of {name} were discarded.")
    console.tell({"queue": name, "discarded": count})
    return WELL


def drain(console: Console, options: dict[str, Any]) -> int:
    """Wait until a queue is empty and nothing of it runs; TIMED_OUT if that takes too long."""
    name = _known(options["queue"])
    until = time.monotonic() + options["timeout"].total_seconds()
    state = queues.state(name)
    while not state.is_empty and time.monotonic() < until:
        time.sleep(LOOK_AGAIN_SECONDS)
        state = queues.state(name)
    rest = f"{state.due} due, {state.running} running, {state.later} due later"
    console.say(f"{name} is empty: {rest}." if state.is_empty else f"{name} is not empty: {rest}.")
    console.tell(msgspec.structs.asdict(state))
    return WELL if state.is_empty else TIMED_OUT


def _known(name: str) -> str:
    known = queues.known()
    if name not in known:
        raise CommandError(
            f"There is no queue {name}. There are: {', '.join(sorted(known))}.",
            returncode=UNKNOWN,
        )
    return name


def _take_queue(parser: ArgumentParser) -> None:
    parser.add_argument("queue", help="the name of a queue")


def _take_queue_and_reason(parser: ArgumentParser) -> None:
    _take_queue(parser)
    parser.add_argument("--reason", default="", help="why, for those who wonder")


def _take_queue_and_timeout(parser: ArgumentParser) -> None:
    _take_queue(parser)
    parser.add_argument(
        "--timeout", type=duration, default="300", metavar="TIME", help="how long (5m)"
    )


VERBS = (
    Verb("pause", "let nothing of a queue begin", pause, _take_queue_and_reason),
    Verb("resume", "let a queue go on", resume, _take_queue),
    Verb("purge", "discard every job that waits in a queue", purge, _take_queue),
    Verb(
        "drain",
        "wait until a queue is empty; ends with 4 if that takes too long",
        drain,
        _take_queue_and_timeout,
    ),
)
