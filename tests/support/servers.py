"""Fixtures: real servers and real workers that a test may refuse with, freeze and kill.

Registered by tests/conftest.py, so a test only names them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
import redis
from amqp import Connection

from devstack.processes import Program
from devstack.programs import Worker
from devstack.servers import Memcached, RabbitMQ, Valkey, find_program
from tests.support.smtp import ScriptedSMTP

P = TypeVar("P", bound=Program)
QUEUES = ("mail", "images", "previews", "default", "events")


def require(name: str, *, found: bool) -> None:
    """Skip the test, loudly, where the machine lacks a program; fail it under REQUIRE_ALL."""
    if not found:
        message = f"{name} is not installed: this test did not run"
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture
def smtp_server() -> Iterator[ScriptedSMTP]:
    """An SMTP server that takes letters, and refuses or hangs where a test says so."""
    server = ScriptedSMTP()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey_server(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of the test's own, writing to disk: kill(), start(), freeze(), thaw(), url(db)."""
    yield from _running(Valkey(folder=tmp_path / "valkey", log=tmp_path / "valkey.log", keep=True))


@pytest.fixture
def memcached_server(tmp_path: Path) -> Iterator[Memcached]:
    """A Memcached of the test's own: kill(), start(), freeze(), thaw(), url."""
    require("memcached", found=find_program("memcached") is not None)
    yield from _running(Memcached(log=tmp_path / "memcached.log"))


@pytest.fixture(scope="session")
def _rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    require("RabbitMQ", found=find_program("rabbitmq-server") is not None)
    folder = tmp_path_factory.mktemp("rabbitmq")
    yield from _running(RabbitMQ(folder=folder, log=folder / "rabbitmq.log"))


@pytest.fixture
def rabbitmq_server(_rabbitmq: RabbitMQ) -> RabbitMQ:
    """A RabbitMQ without the queues of an earlier test: kill(), start(), freeze(), thaw(), url.

    One server for all tests, as it takes seconds to start.
    """
    _rabbitmq.thaw()
    if not _rabbitmq.is_running():
        _rabbitmq.start()
    with Connection(f"127.0.0.1:{_rabbitmq.port}") as connection:
        for queue in QUEUES:
            connection.channel().queue_delete(queue)
    return _rabbitmq


class StartWorker(Protocol):
    """Start a worker and return when it takes work."""

    def __call__(
        self,
        queues: str,
        *,
        pool: str = ...,
        concurrency: int = ...,
        options: tuple[str, ...] = ...,
        **variables: str,
    ) -> Worker: ...


@pytest.fixture
def worker(
    transactional_db: None,
    settings: object,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[StartWorker]:
    """Start real workers on the test's database and broker.

    `ben = worker("mail", pool="threads", concurrency=4, EMAIL_URL=smtp_server.url)`, then
    ben.kill() as a power cut, ben.ask_to_stop() as a deployment, ben.wait_dead(10), ben.pid,
    ben.log. Whatever still runs at the end of the test is killed; its log is shown on failure.
    """
    started: list[Worker] = []
    _flush_broker()

    def start(
        queues: str,
        *,
        pool: str = "threads",
        concurrency: int = 2,
        options: tuple[str, ...] = (),
        **variables: str,
    ) -> Worker:
        name = f"worker{len(started) + 1}"
        started.append(
            Worker(
                name=name,
                queues=queues,
                pool=pool,
                concurrency=concurrency,
                options=options,
                log=tmp_path / f"{name}.log",
                variables={**os.environ, **site_variables(), **variables},
            )
        )
        return started[-1].start(seconds=60)

    yield start

    for program in started:
        program.thaw()
        program.kill()
        request.node.add_report_section("teardown", program.name, program.log.read_text())


def site_variables() -> dict[str, str]:
    """Return what the test run uses at this moment, as a process of its own must be told."""
    from django.conf import settings
    from django.db import connection

    database = os.environ["DATABASE_URL"].rpartition("/")[0]
    return {
        "DATABASE_URL": f"{database}/{connection.settings_dict['NAME']}",
        "BROKER_URL": settings.BROKER_URL,
        "CACHE_PREFIX": settings.CACHING["PREFIX"],
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
    }


def _flush_broker() -> None:
    """Drop the messages of earlier tests; their rows are gone already."""
    url = os.environ["BROKER_URL"]
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as broker:
            broker.flushdb()


def _running(server: P) -> Iterator[P]:
    yield server.start()
    server.kill()
