"""The parts of one running site: which servers, which processes, and the variables they see."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from devstack import ground
from devstack.console import rotate
from devstack.processes import Program
from devstack.programs import Beat, Prepare, Web, Worker
from devstack.servers import Inbox, Postgres, Valkey

CACHE_MEGABYTES = 256


@dataclass(kw_only=True)
class Stack:
    """A site with its data in `var`, on `port`, as far as `given` does not say otherwise.

    `given` are the variables of the person who starts it. DATABASE_URL, CACHE_URL, BROKER_URL and
    EMAIL_URL, or the same with _FILE, each replace one embedded server.
    """

    var: Path
    port: int
    given: Mapping[str, str]
    live_port: int = field(init=False)

    def __post_init__(self) -> None:
        """Choose the port of the live channel."""
        self.live_port = ground.next_free_port(self.port + 1)

    # --- Servers ---------------------------------------------------------------------------------
    @cached_property
    def postgres(self) -> Postgres:
        """The database."""
        return Postgres(folder=self.var / "postgres", log=self._log("postgres"))

    @cached_property
    def broker(self) -> Valkey:
        """The message queue: keeps what it was told, and forgets nothing for want of room."""
        return Valkey(
            name="broker",
            folder=self.var / "broker",
            log=self._log("broker"),
            keep=True,
            secret=secrets.token_hex(16),
        )

    @cached_property
    def cache(self) -> Valkey:
        """The cache: apart from the queue, because it throws away what is least used."""
        return Valkey(
            name="cache",
            folder=self.var / "cache",
            log=self._log("cache"),
            megabytes=CACHE_MEGABYTES,
            secret=secrets.token_hex(16),
        )

    @cached_property
    def inbox(self) -> Inbox:
        """The mail server that delivers to a folder."""
        return Inbox(folder=self.var / "inbox", log=self._log("inbox"))

    def servers(self) -> list[Program]:
        """Return the embedded servers that nothing replaces.

        Raises Unreachable if a replacement does not answer.
        """
        parts: dict[str, Program] = {}
        for name, part in (
            ("DATABASE_URL", "postgres"),
            ("BROKER_URL", "broker"),
            ("CACHE_URL", "cache"),
            ("EMAIL_URL", "inbox"),
        ):
            if address := self._replaced(name):
                ground.reachable(name, address)
            else:
                parts[name] = getattr(self, part)
        return list(parts.values())

    @property
    def has_inbox(self) -> bool:
        """Tell whether letters end in the local inbox."""
        return not self._replaced("EMAIL_URL")

    def _replaced(self, name: str) -> str:
        file = self.given.get(f"{name}_FILE")
        if file:
            with contextlib.suppress(OSError):
                return Path(file).read_text().strip()
        return self.given.get(name, "")

    # --- Variables -------------------------------------------------------------------------------
    def addresses(self) -> dict[str, str]:
        """Return what this start decided; call it when the servers run."""
        decided = {
            "SITE_URL": f"http://localhost:{self.port}",
            "LIVE_URL": f"http://localhost:{self.live_port}",
            "SECRET_KEY_FILE": str(self._secret_key()),
            "MEDIA_ROOT": str(self.var / "media"),
            "STATIC_ROOT": str(self.var / "static"),
            "DATABASE_URL": self.postgres.url if not self._replaced("DATABASE_URL") else "",
            "CACHE_URL": self.cache.url(),
            "BROKER_URL": self.broker.url(),
            "EMAIL_URL": self.inbox.url,
            "INBOX_DIR": str(self.inbox.folder) if self.has_inbox else "",
        }
        return {
            name: value
            for name, value in decided.items()
            if value and not self._replaced(name.removesuffix("_FILE"))
        }

    def variables(self) -> dict[str, str]:
        """Return everything the site's processes see."""
        return {**self.given, **self.addresses()}

    def _secret_key(self) -> Path:
        path = self.var / "secret_key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(50))
        return path

    # --- The site's own processes ----------------------------------------------------------------
    def prepare(self) -> Program:
        """Return what brings the database up to date, once, before the rest."""
        return Prepare(log=self._log("prepare"), variables=self.variables())

    def site(self) -> list[Program]:
        """Return the processes that are the site."""
        variables = self.variables()
        return [
            Web(
                name="web",
                target="project.wsgi:application",
                port=self.port,
                log=self._log("web"),
                variables=variables,
                options=("--interface", "wsgi", "--blocking-threads", "4", "--access-log"),
            ),
            Web(
                name="live",
                target="project.asgi:application",
                port=self.live_port,
                log=self._log("live"),
                variables=variables,
                options=("--interface", "asginl"),
            ),
            self._worker("mail", "mail", pool="threads", concurrency=16),
            self._worker(
                "images", "images,previews", pool="prefork", concurrency=2,
                options=("--max-tasks-per-child", "100"),
            ),
            self._worker("default", "default,events,webhooks", pool="threads", concurrency=4),
            Beat(log=self._log("beat"), variables=variables, schedule=self.var / "beat-schedule"),
        ]  # fmt: skip

    def _worker(
        self, name: str, queues: str, *, pool: str, concurrency: int, options: tuple[str, ...] = ()
    ) -> Worker:
        return Worker(
            name=name,
            queues=queues,
            pool=pool,
            concurrency=concurrency,
            log=self._log(name),
            variables=self.variables(),
            options=options,
        )

    def _log(self, name: str) -> Path:
        log = self.var / "log" / f"{name}.log"
        rotate(log)
        return log


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write variables so that commands typed beside the site reach the same servers."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    lines = [f"{name}='{value}'" for name, value in variables.items()]
    path.write_text("# Written by `make up`; gone when it stops.\n" + "\n".join(lines) + "\n")
