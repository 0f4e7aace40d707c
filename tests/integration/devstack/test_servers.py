"""The embedded servers keep what they should, and run for every user."""

from __future__ import annotations

import mailbox
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack import postgres
from devstack.problems import WrongData
from devstack.servers import Inbox, Postgres, Valkey
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "a folder"
    path.mkdir()
    return path


@pytest.fixture
def database(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder=folder / "postgres", log=folder / "postgres.log")
    yield server
    server.kill()


def test_rows_outlive_a_stop_and_a_power_cut(database: Postgres) -> None:
    database.start()
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE photo (title text)")
        connection.execute("INSERT INTO photo VALUES ('harbour')")

    database.stop()
    database.start()
    database.kill()
    database.start()

    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT title FROM photo").fetchone() == ("harbour",)


def test_the_database_asks_for_its_password(database: Postgres) -> None:
    database.start()
    wrong = database.url.replace(":", ":x", 2).replace("postgres:x", "postgres:")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_data_of_another_version_is_left_alone(database: Postgres) -> None:
    database.prepare()
    (database.folder / "PG_VERSION").write_text("15\n")

    with pytest.raises(WrongData, match=r"written by PostgreSQL 15, and this is 18"):
        database.start()

    assert (database.folder / "postgresql.conf").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_data_of_another_user_is_left_alone(database: Postgres) -> None:
    database.prepare()
    os.chown(database.folder, 4242, 4242)

    with pytest.raises(WrongData, match="belongs to another user"):
        database.start()


def test_a_first_start_that_was_interrupted_leaves_nothing_half_made(database: Postgres) -> None:
    half = database.folder.with_name("postgres.half")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    database.start()

    assert not half.exists()
    assert database.is_ready()


def test_a_lock_whose_number_is_another_program_by_now_is_dropped(database: Postgres) -> None:
    database.prepare()
    lock = database.folder / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{database.folder}\n0\n5432\n\n127.0.0.1\n\nready\n")

    database.start()

    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_left_over_is_ended_before_the_next(database: Postgres) -> None:
    database.start()
    forgotten = database.pid
    again = Postgres(folder=database.folder, log=database.log)

    again.start()

    assert again.pid != forgotten
    assert database.wait_dead(60)
    again.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user needs none of this")
def test_root_without_namespaces_runs_the_database_as_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nobody must be able to walk to the data, which the folders of pytest do not allow.
    folder = Path(tempfile.mkdtemp(prefix="safelight nobody "))
    folder.chmod(0o755)
    monkeypatch.setattr(postgres, "root_by", lambda: "nobody")
    monkeypatch.setattr(postgres, "_nobody_can_run", lambda programs: False)
    server = Postgres(folder=folder / "postgres", log=folder / "postgres.log")
    try:
        server.start()

        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert Path(f"/proc/{server.pid}").stat().st_uid == postgres.NOBODY
        copy = server._copy
        assert copy is not None
        server.stop()
        assert not copy.exists()
    finally:
        server.kill()
        shutil.rmtree(folder)


def test_a_cache_gives_way_and_stays_up(folder: Path) -> None:
    server = Valkey(folder=folder / "cache", log=folder / "cache.log", megabytes=4)
    server.start()
    with redis.Redis.from_url(server.url()) as client:
        for number in range(64):
            client.set(f"key:{number}", b"x" * 200_000)

        assert client.info("stats")["evicted_keys"] > 0
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lfu"}
    server.stop()


def test_a_valkey_with_a_secret_lets_nobody_else_in(folder: Path) -> None:
    server = Valkey(folder=folder / "broker", log=folder / "log", keep=True, secret="hush")
    server.start()

    with (
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    with redis.Redis.from_url(server.url(3)) as friend:
        assert friend.ping()
    server.stop()


def test_the_inbox_keeps_letters_in_any_script_with_their_addresses(folder: Path) -> None:
    inbox = Inbox(folder=folder / "inbox", log=folder / "inbox.log")
    inbox.start()
    letter = EmailMessage()
    letter["From"], letter["To"] = "ada@example.test", "bén@example.test"
    letter["Subject"] = "Hafen"
    letter.set_content("Grüße vom Hafen")
    letter["X-RcptTo"] = "forged@example.test"

    with smtplib.SMTP("127.0.0.1", inbox.port) as client:
        client.send_message(letter)
    inbox.stop()

    (kept,) = mailbox.Maildir(inbox.folder, create=False)
    # The first is ours, whatever the letter itself says.
    assert str(make_header(decode_header(kept["X-RcptTo"]))) == "bén@example.test"
    assert kept["X-MailFrom"] == "ada@example.test"
    assert kept["Subject"] == "Hafen"
    assert kept.get_payload(decode=True) == "Grüße vom Hafen\n".encode()


def test_a_program_ends_with_the_one_that_started_it(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from devstack.servers import Valkey\n"
        "folder = Path(sys.argv[1])\n"
        "server = Valkey(folder=folder / 'valkey', log=folder / 'log').start()\n"
        "print(server.pid, flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())

        starter.kill()

        wait_until(lambda: not _runs(pid), what="the server to end")


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
