"""The site's processes: how they are started, and when they count as ready."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from devstack.problems import WrongSetting
from devstack.processes import Program, free_port
from devstack.programs import Beat, Prepare, Web, Worker
from tests.support.wait import wait_until


class Answering(BaseHTTPRequestHandler):
    """Answers with the status its class was given."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def answering() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    Answering.status = 200


def a_web(log: Path, port: int) -> Web:
    return Web(name="web", target="project.wsgi:application", port=port, log=log, variables={})


def a_worker(log: Path) -> Worker:
    return Worker(
        name="mail", queues="mail", pool="threads", concurrency=4, log=log, variables={"A": "1"}
    )


@pytest.mark.parametrize(("status", "ready"), [(200, True), (404, True), (500, False)])
def test_pages_are_ready_when_the_application_answers(
    answering: HTTPServer, tmp_path: Path, status: int, ready: bool
) -> None:
    Answering.status = status

    assert a_web(tmp_path / "log", answering.server_port).is_ready() is ready


def test_pages_are_not_ready_while_nobody_listens(tmp_path: Path) -> None:
    assert not a_web(tmp_path / "log", free_port()).is_ready()


def test_pages_are_served_on_loopback(tmp_path: Path) -> None:
    command = list(map(str, a_web(tmp_path / "log", 8123).command()))

    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "8123"


def test_a_worker_is_ready_when_it_says_so_and_not_because_an_earlier_one_did(
    tmp_path: Path,
) -> None:
    worker = a_worker(tmp_path / "mail.log")
    ready = Path(worker.environment()["READY_FILE"])
    ready.touch()

    assert worker.is_ready()
    worker.prepare()
    assert not worker.is_ready()


def test_a_worker_keeps_its_name_through_a_restart_and_shares_it_with_nobody(
    tmp_path: Path,
) -> None:
    worker = a_worker(tmp_path / "log")

    assert worker.command() == worker.command()
    assert worker.node != a_worker(tmp_path / "log").node


def test_a_process_sees_its_variables_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREIGN", "yes")

    environment = a_worker(tmp_path / "log").environment()

    assert environment["A"] == "1"
    assert "FOREIGN" not in environment


def test_the_clock_keeps_its_schedule_where_the_data_is(tmp_path: Path) -> None:
    schedule = tmp_path / "a folder" / "beat"

    command = Beat(log=tmp_path / "log", variables={}, schedule=schedule).command()

    assert schedule in command


@pytest.mark.parametrize(("code", "ready"), [(0, True), (3, False)])
def test_the_preparation_is_ready_when_it_ended_well(
    tmp_path: Path, code: int, ready: bool
) -> None:
    class Quick(Prepare):
        def command(self) -> list[str | Path]:
            return [sys.executable, "-c", f"raise SystemExit({code})"]

    prepare = Quick(log=tmp_path / "prepare.log", variables={})
    assert not prepare.is_ready()

    prepare.spawn()
    prepare.wait_dead(20)

    assert prepare.is_ready() is ready


def test_a_site_that_refuses_its_settings_says_why_in_its_own_words(tmp_path: Path) -> None:
    class Refusing(Prepare):
        def command(self) -> list[str | Path]:
            code = f"open({str(self._refusal)!r}, 'w').write('LOG_LEVEL takes INFO.')"
            return [sys.executable, "-c", f"{code}; raise SystemExit(1)"]

    prepare = Refusing(log=tmp_path / "prepare.log", variables={})
    prepare.spawn()
    prepare.wait_dead(20)

    with pytest.raises(WrongSetting, match=r"^LOG_LEVEL takes INFO\.$"):
        prepare.is_ready()


def test_what_an_earlier_start_was_refused_for_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "refusal").write_text("LOG_LEVEL takes INFO.")

    Prepare(log=tmp_path / "prepare.log", variables={}).prepare()

    assert not (tmp_path / "refusal").exists()


def test_what_a_program_printed_can_be_told_to_a_person(tmp_path: Path) -> None:
    program = Program(log=tmp_path / "log")
    assert program.last_words() == ""

    program.log.write_text("one\ntwo\nthree\n")

    assert program.last_words(2) == "Its log ends: two | three"


class Sleeping(Program):
    """A program that does nothing for long."""

    def command(self) -> list[str | Path]:
        return ["sleep", "1000"]


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[Program]:
    program = Sleeping(log=tmp_path / "log").start()
    yield program
    program.kill()


def test_a_frozen_program_stands_still_at_once_and_goes_on_when_it_is_told(
    sleeping: Program,
) -> None:
    process = psutil.Process(sleeping.pid)

    for _ in range(20):
        sleeping.freeze()
        assert process.status() == psutil.STATUS_STOPPED
        sleeping.thaw()
        wait_until(lambda: process.status() != psutil.STATUS_STOPPED)


def test_a_program_that_is_dead_can_be_frozen(sleeping: Program) -> None:
    sleeping.kill()

    sleeping.freeze()

    assert not sleeping.is_running()


def test_a_program_that_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    program = Program(log=tmp_path / "log")

    program.stop()
    program.freeze()

    assert not program.is_running()
