from __future__ import annotations

import pytest

from apps.messaging.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(lambda: 2.0, clock=clock)


def test_a_breaker_begins_shut(breaker):
    assert not breaker.is_open


def test_a_failure_opens_it_for_its_time(breaker, clock):
    breaker.trip()
    assert breaker.is_open

    clock.now += 1.9
    assert breaker.is_open
    clock.now += 0.2
    assert not breaker.is_open


def test_only_the_first_of_several_failures_is_news(breaker, clock):
    assert breaker.trip()
    assert not breaker.trip()

    clock.now += 3
    assert breaker.trip()


def test_a_success_shuts_it_at_once(breaker):
    breaker.trip()

    breaker.reset()

    assert not breaker.is_open
