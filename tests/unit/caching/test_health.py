"""What a readiness probe is told."""

from __future__ import annotations

import pytest

from apps import caching
from apps.caching.health import see_servers
from tests.support.caching import Flaky, serving


def test_a_server_that_answers_is_no_news() -> None:
    caching.ping()

    assert list(see_servers().values()) == [True]


def test_a_server_that_is_away_is_named() -> None:
    here, away = Flaky("memory://here"), Flaky("memory://away")
    away.away = True

    with serving(here, away), pytest.raises(caching.ServersAway, match=r"^memory://away$"):
        caching.ping()


def test_a_probe_sees_a_server_that_pages_still_leave_alone() -> None:
    store = Flaky("memory://flaky")
    with serving(store) as servers:
        store.away = True
        for _ in range(3):
            servers.nodes[0].get(["a"])
        store.away = False

        assert servers.nodes[0].get(["a"]) is None
        caching.ping()
