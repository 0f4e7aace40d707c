"""Which servers start, and what the site's processes are told."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import environ
import pytest

from devstack.problems import Unreachable
from devstack.processes import free_port
from devstack.programs import Web, Worker
from devstack.stack import Stack, write_env_file
from tests.support.smtp import ScriptedSMTP


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A folder for the data, with what initdb would have left."""
    folder = tmp_path / "a folder" / "var"
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "safelight.password").write_text("hush")
    return folder


@pytest.fixture
def smtp() -> Iterator[ScriptedSMTP]:
    server = ScriptedSMTP()
    server.start()
    yield server
    server.stop()


class Nothing(environ.Env):  # type: ignore[misc]
    """An environment without a variable."""

    ENVIRON: ClassVar[dict[str, str]] = {}


def a_stack(var: Path, **given: str) -> Stack:
    return Stack(var=var, port=free_port(), given=given)


def test_all_four_servers_are_embedded_by_default(var: Path) -> None:
    servers = a_stack(var).servers()

    assert [server.name for server in servers] == ["postgres", "broker", "cache", "inbox"]


@pytest.mark.parametrize(
    ("name", "address", "replaced"),
    [
        ("DATABASE_URL", "sqlite:///var/db.sqlite3", "postgres"),
        ("BROKER_URL", "memory://", "broker"),
        ("CACHE_URL", "memory://", "cache"),
        ("EMAIL_URL", "consolemail://", "inbox"),
    ],
)
def test_an_address_replaces_one_server(var: Path, name: str, address: str, replaced: str) -> None:
    stack = a_stack(var, **{name: address})

    names = [server.name for server in stack.servers()]

    assert replaced not in names
    assert len(names) == 3
    assert name not in stack.addresses()
    assert stack.variables()[name] == address


def test_a_replacement_may_be_named_by_a_file(var: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sqlite:///var/db.sqlite3\n")
    stack = a_stack(var, DATABASE_URL_FILE=str(tmp_path / "secret"))

    assert "postgres" not in [server.name for server in stack.servers()]
    assert "DATABASE_URL" not in stack.variables()


def test_a_replacement_must_answer(var: Path, smtp: ScriptedSMTP) -> None:
    assert a_stack(var, EMAIL_URL=smtp.url).has_inbox is False
    a_stack(var, EMAIL_URL=smtp.url).servers()

    with pytest.raises(Unreachable, match="EMAIL_URL names"):
        a_stack(var, EMAIL_URL=f"smtp://127.0.0.1:{free_port()}").servers()


def test_the_queue_keeps_and_the_cache_forgets(var: Path) -> None:
    stack = a_stack(var)
    for server in (stack.broker, stack.cache):
        server.prepare()

    queue = (stack.broker.folder / "valkey.conf").read_text()
    cache = (stack.cache.folder / "valkey.conf").read_text()

    assert "appendonly yes" in queue
    assert "maxmemory" not in queue
    assert "appendonly no" in cache
    assert "maxmemory-policy allkeys-lfu" in cache


def test_servers_ask_for_a_password_that_others_cannot_read(var: Path) -> None:
    stack = a_stack(var)
    stack.broker.prepare()

    configuration = stack.broker.folder / "valkey.conf"
    assert f"requirepass {stack.broker.secret}" in configuration.read_text()
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert stack.broker.secret not in " ".join(map(str, stack.broker.command()))
    assert stack.postgres.url.startswith("postgres://app:hush@127.0.0.1:")


def test_the_secret_key_is_made_once_and_is_private(var: Path) -> None:
    first = Path(a_stack(var).addresses()["SECRET_KEY_FILE"])
    key = first.read_text()
    second = Path(a_stack(var).addresses()["SECRET_KEY_FILE"])

    assert len(key) >= 50
    assert second.read_text() == key
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_a_secret_key_of_your_own_is_left_alone(var: Path) -> None:
    assert "SECRET_KEY_FILE" not in a_stack(var, SECRET_KEY="mine" * 20).addresses()


def test_the_site_knows_its_own_address(var: Path) -> None:
    stack = a_stack(var)

    told = stack.variables()

    assert told["SITE_URL"] == f"http://localhost:{stack.port}"
    assert told["LIVE_URL"] == f"http://localhost:{stack.live_port}"
    assert stack.live_port > stack.port


def test_a_site_address_of_your_own_is_left_alone(var: Path) -> None:
    assert a_stack(var, SITE_URL="http://photos.test").variables()["SITE_URL"] == (
        "http://photos.test"
    )


def test_every_queue_has_a_worker_with_a_name_of_its_own(var: Path) -> None:
    workers = [part for part in a_stack(var).site() if isinstance(part, Worker)]

    assert [(part.queues, part.pool) for part in workers] == [
        ("mail", "threads"),
        ("images,previews", "prefork"),
        ("default,events,webhooks", "threads"),
    ]
    assert len({part.node for part in workers}) == 3


def test_pages_and_live_are_two_processes(var: Path) -> None:
    stack = a_stack(var)
    pages, live = [part for part in stack.site() if isinstance(part, Web)]

    assert (pages.port, live.port) == (stack.port, stack.live_port)
    assert "wsgi" in pages.command()
    assert "project.asgi:application" in live.command()


def test_the_file_beside_the_site_is_private_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "stack.env"
    path.write_text("OLD=1")
    variables = {"INBOX_DIR": "/a folder/with # and 'quotes'/inbox", "CACHE_URL": "redis://:$x@h/0"}

    write_env_file(path, variables)

    Nothing.read_env(path)
    assert variables == Nothing.ENVIRON
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
