"""A site of its own for the benchmarks: real servers, the demo, one web process at a time."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from devstack.processes import free_port
from devstack.programs import Web, Worker
from devstack.servers import Valkey
from devstack.stack import Stack

DEVELOPED_SECONDS = 300
# Nobody listens there: the breaker opens at the first page and the layer computes everything, but
# what several visitors ask for at once it still computes once.
NO_CACHE = "redis://127.0.0.1:9/0"
# There is no layer: cached functions are plain functions.
SITE, PLAIN = "project.settings", "benchmarks.plain.settings"
MARK = "edition"


@dataclass
class RunningSite:
    """The demo's site. This process is one of the site's too: call services as a worker does."""

    stack: Stack
    folder: Path

    @property
    def cache(self) -> Valkey:
        return self.stack.cache

    @contextmanager
    def web(self, *, cache_url: str = "", settings: str = SITE, threads: int = 4) -> Iterator[Web]:
        """Serve pages: with another cache, or other settings, than the site's if told so."""
        port = free_port()
        # Whole pages are kept for the address of the site alone.
        told = {"DJANGO_SETTINGS_MODULE": settings, "SITE_URL": f"http://localhost:{port}"}
        told |= {"CACHE_URL": cache_url} if cache_url else {}
        server = Web(
            name="web",
            target="project.wsgi:application",
            port=port,
            log=self.folder / "web.log",
            variables={**os.environ, **told},
            options=("--interface", "wsgi", "--blocking-threads", str(threads)),
        )
        server.start(seconds=60)
        try:
            yield server
        finally:
            server.stop()

    def pages(self) -> dict[str, str]:
        """Return the addresses of a home, person and photo page; the photo is on all three."""
        from django.urls import reverse

        photo = self.photo()
        return {
            "home": reverse("home"),
            "person": reverse("person", args=[photo.owner.username]),
            "photo": reverse("photo", args=[photo.pk]),
        }

    def photo(self):
        """Return the newest photo, with its owner."""
        from apps.photos.models import Photo

        return Photo.objects.select_related("owner").order_by("-created_at").first()

    def cookie(self, username: str = "ben") -> str:
        """Return the Cookie header of somebody who has logged in."""
        from django.conf import settings
        from django.test import Client

        from apps.accounts.models import User

        client = Client()
        client.force_login(User.objects.get(username=username))
        name = settings.SESSION_COOKIE_NAME
        return f"{name}={client.cookies[name].value}"


@contextmanager
def running_site() -> Iterator[RunningSite]:
    """Start servers, draw and develop the demo, and set Django up in this process."""
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as name:
        folder = Path(name)
        (folder / "log").mkdir()
        stack = Stack(var=folder, port=free_port(), given=dict(os.environ))
        servers = [stack.postgres, stack.broker, stack.cache, stack.inbox]
        try:
            for server in servers:
                server.start(seconds=60)
            os.environ.update(stack.addresses())
            os.environ["DEBUG"] = "0"  # as a site that people use: templates are read once
            os.environ["DJANGO_SETTINGS_MODULE"] = SITE
            _fill(stack)
            yield RunningSite(stack, folder)
        finally:
            _close()
            for server in reversed(servers):
                server.kill()


def _fill(stack: Stack) -> None:
    import django
    from django.core.management import call_command

    # Not among what the benchmark prints: that may be read as JSON.
    print("drawing and developing the demo", file=sys.stderr, flush=True)
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    workers = [program for program in stack.site() if isinstance(program, Worker)]
    try:
        for worker in workers:
            worker.variables = dict(os.environ)
            worker.start(seconds=60)
        call_command(
            "create_demo", folder=stack.var / "demo", scale=0.25, force=True, stdout=StringIO()
        )
        _wait_for_quiet()
    finally:
        for worker in workers:
            worker.kill()


def _wait_for_quiet() -> None:
    from apps.messaging import Job

    began = time.monotonic()
    while open_jobs := Job.objects.exclude(state__in=["done", "dead"]).count():
        if time.monotonic() - began > DEVELOPED_SECONDS:
            raise SystemExit(f"{open_jobs} jobs of the demo are still not done")
        time.sleep(0.1)


def _close() -> None:
    from django.conf import settings
    from django.db import connections

    if settings.configured:  # not if a server did not start: that is what is to be told
        connections.close_all()
