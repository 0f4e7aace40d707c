"""Bring the database, the demo and the cache up to date: `python -m devstack.prepare FILE`.

One process for three commands, because each would spend most of its time on importing Django.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands


def main(demo: Path) -> None:
    """Run the commands, and leave in `demo` what create_demo tells about itself."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    say("the database")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    demo.unlink(missing_ok=True)
    known = get_commands()
    if "create_demo" in known and settings.DEBUG:
        make_demo(demo)
    if "prefill_cache" in known:
        say("the cache")
        call_command("prefill_cache")


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
    main(Path(sys.argv[1]))
