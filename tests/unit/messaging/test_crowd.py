from __future__ import annotations

import pytest

from apps.messaging import Busy
from apps.messaging.replies.crowd import Crowd


def test_with_nobody_ahead_it_is_always_worth_a_try():
    crowd = Crowd(most=1)
    crowd.learn(0, 100.0)

    assert crowd.expects(0) == 0.0


def test_what_nobody_has_seen_is_tried():
    assert Crowd(most=1).expects(1000) == 0.0


def test_a_place_in_the_queue_takes_what_it_took():
    crowd = Crowd(most=1)

    crowd.learn(9, 5.0)

    assert crowd.expects(9) == pytest.approx(5.0)
    assert crowd.expects(99) == pytest.approx(50.0)


def test_more_workers_are_noticed():
    crowd = Crowd(most=1)
    crowd.learn(9, 5.0)

    for _ in range(30):
        crowd.learn(9, 1.0)

    assert crowd.expects(9) == pytest.approx(1.0, rel=0.01)


def test_the_places_to_wait_in_are_few():
    crowd = Crowd(most=2)

    with crowd.place(), crowd.place(), pytest.raises(Busy), crowd.place():
        pass
    with crowd.place():
        pass
