from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from apps.operations.selectors.inspection import Inspection, Probe


class Server:
    """Something a probe looks at: there, away, or silent until it is released."""

    def __init__(self) -> None:
        self.looks = 0
        self.away = False
        self.silence = threading.Event()
        self.silence.set()

    def look(self) -> None:
        self.looks += 1
        self.silence.wait(10)
        if self.away:
            raise ConnectionRefusedError("db.internal:5432 as app:secret")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.silence.set()


def inspect(check: Callable[[], None], **options: bool) -> Inspection:
    probes = [
        Probe(name="rock", check=lambda: None),
        Probe(name="server", check=check, **options),
    ]
    return Inspection(probes, limit=0.2, remembered=0)


def test_all_is_there(server: Server) -> None:
    report = inspect(server.look).report()

    assert report.status == "ready"
    assert report.is_ready
    assert [(name, found.ok) for name, found in report.checks.items()] == [
        ("rock", True),
        ("server", True),
    ]
    assert report.checks["server"].milliseconds < 200


def test_without_what_is_required_it_is_not_ready(server: Server) -> None:
    server.away = True

    report = inspect(server.look).report()

    assert report.status == "failed"
    assert not report.is_ready
    assert report.checks["rock"].ok
    assert not report.checks["server"].ok


def test_without_what_only_helps_it_is_ready_but_degraded(server: Server) -> None:
    server.away = True

    report = inspect(server.look, required=False).report()

    assert report.status == "degraded"
    assert report.is_ready


def test_the_words_of_an_error_stay_inside(server: Server) -> None:
    server.away = True

    report = inspect(server.look).report()

    assert report.checks["server"].error == "ConnectionRefusedError"


def test_the_words_of_an_error_are_in_the_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.away = True

    inspect(server.look).report()

    assert "check=server" in caplog.text
    assert "db.internal:5432" in caplog.text


def test_one_that_does_not_answer_costs_no_more_than_the_limit(server: Server) -> None:
    server.silence.clear()

    report = inspect(server.look).report()

    assert report.checks["server"].error == "no answer in time"
    assert 190 < report.checks["server"].milliseconds < 2000


def test_one_that_hangs_is_not_asked_again_until_it_answers(server: Server) -> None:
    server.silence.clear()
    inspection = inspect(server.look)

    inspection.report()
    inspection.report()

    assert server.looks == 1


def test_one_that_answers_again_is_found_again(server: Server) -> None:
    server.silence.clear()
    inspection = inspect(server.look)
    inspection.report()
    hanging = inspection._hanging["server"]

    server.silence.set()
    hanging.join(5)

    assert inspection.report().status == "ready"


def test_many_questions_at_once_are_one_look(server: Server) -> None:
    inspection = Inspection([Probe(name="server", check=server.look)], limit=1, remembered=60)
    askers = [threading.Thread(target=inspection.report) for _ in range(20)]

    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(5)

    assert server.looks == 1
    assert inspection.report().is_ready
