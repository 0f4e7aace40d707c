"""A process that renames a group, tells the cache, and is killed as by a power cut.

`python -m tests.support.writer <pk> <name> <moment>`: the moments are "between" (after the commit,
before the first server is told), "owing" (when it has tried every server) and "never".
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import django

MOMENTS = ("between", "owing", "never")


def write_and_die(pk: int, name: str, moment: str) -> None:
    """Run it, against the servers that the test uses, to its end."""
    from django.conf import settings

    from tests.support.servers import site_variables

    done = subprocess.run(
        [sys.executable, "-m", "tests.support.writer", str(pk), name, moment],
        env={**os.environ, **site_variables(), "CACHE_URL": ",".join(settings.CACHING["SERVERS"])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == (0 if moment == "never" else -signal.SIGKILL), done.stderr


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(pk: int, name: str, moment: str) -> None:
    assert moment in MOMENTS
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()

    from django.contrib.auth.models import Group
    from django.db import transaction

    from apps import caching
    from apps.caching.node import Node

    if moment == "between":
        Node.bump = die  # type: ignore[method-assign,assignment]
    with transaction.atomic():
        group = Group.objects.get(pk=pk)
        Group.objects.filter(pk=pk).update(name=name)
        caching.changed(group)
    if moment == "owing":
        die()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
