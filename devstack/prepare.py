"""Bring database, demo and cache up to date: `python -m devstack.prepare DEMO REFUSAL`.

One process for three commands, because each would spend most of its time on importing Django.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command, get_commands


def main(demo: Path, refusal: Path) -> None:
    """Run the commands, and leave in `demo` what create_demo tells about itself.

    With a wrong setting it runs none, leaves in `refusal` the sentences that say so, and exits.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        django.setup()
        refuse_wrong_settings()
    except ImproperlyConfigured as error:
        refusal.write_text(str(error))
        sys.exit(str(error))
    say("the database")
    call_command("migrate", interactive=False, verbosity=0)
    demo.unlink(missing_ok=True)
    known = get_commands()
    if "create_demo" in known and settings.DEBUG:
        make_demo(demo)
    if "prefill_cache" in known:
        say("the cache")
        call_command("prefill_cache")


def refuse_wrong_settings() -> None:
    """Raise ImproperlyConfigured if a check finds an error: one sentence each, and what to do."""
    wrong = [message for message in run_checks(tags=["safelight"]) if message.is_serious()]
    if wrong:
        raise ImproperlyConfigured(" ".join(f"{one.msg} {one.hint} ({one.id})" for one in wrong))


def make_demo(demo: Path) -> None:
    """Make the demo; a site whose people have the names of its people does without."""
    say("the demo's people and photos")
    told = io.StringIO()
    try:
        call_command("create_demo", "--json", stdout=told)
    except CommandError as error:
        say(f"no demo: {error}")
    else:
        demo.write_text(told.getvalue())


def say(what: str) -> None:
    """Tell the supervisor, which shows it, what is being brought up to date."""
    print(f"bringing up to date: {what}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
