"""The benchmark of open pages counts what it says, and each of its happenings is news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from apps.accounts.models import User
from apps.social import selectors
from benchmarks.bench_live import Happenings
from benchmarks.crowd import Ear, Heard, Of, Tally, count
from tests.support.social import make_follow

ADAS, BENS = "user:1", "user:2"


class ScriptedEar(Ear):
    """Two pages of ada and one of ben, which hear what the test says."""

    def __init__(self, answers: Sequence[dict[Of, Heard]]) -> None:
        self.pages = Counter({"ada": 2, "ben": 1})
        self._answers = [{}, *answers]

    def heard(self) -> dict[Of, Heard]:
        return self._answers.pop(0) if self._answers else {}


def counted(*answers: dict[Of, Heard]) -> Tally:
    tally = Tally()
    count(ScriptedEar(answers), tally, ADAS, {"ada"}, lambda: None)
    return tally


def heard(*pages: int) -> Heard:
    return Heard(Counter(pages), [0.0] * len(pages))


def test_each_page_that_heard_is_counted_once() -> None:
    tally = counted({("ada", ADAS): heard(0)}, {("ada", ADAS): heard(2)})

    assert (tally.due, tally.heard, tally.doubled, tally.others) == (2, 2, 0, 0)
    assert len(tally.delays) == 2


def test_what_a_page_hears_twice_and_what_is_not_its_own_shows() -> None:
    tally = counted(
        {("ada", ADAS): heard(0, 2, 2), ("ben", ADAS): heard(1)}, {("ada", BENS): heard(0)}
    )

    assert (tally.due, tally.heard, tally.doubled, tally.others) == (2, 2, 1, 2)


def test_what_is_not_heard_in_time_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.crowd.HEARD_SECONDS", 0.1)

    tally = counted({("ada", ADAS): heard(0)})

    assert (tally.due, tally.heard) == (2, 1)


@pytest.mark.django_db
def test_each_time_somebody_follows_or_no_longer_does_the_bell_says_so(
    ada: User, ben: User, cyd: User
) -> None:
    make_follow(follower=ben, followed=ada)
    happenings = Happenings()
    bells = [selectors.count_unseen(person_id=ada.pk)]

    for _ in range(4):
        happenings.follow_or_not("ada")
        bells.append(selectors.count_unseen(person_id=ada.pk))

    assert bells == [0, 1, 0, 1, 0]
