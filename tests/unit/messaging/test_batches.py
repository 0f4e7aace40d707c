"""Events from `emit` to the handler, in one process, over the broker of the tests."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.support import batches
from tests.support.batches import Rung, fold_all, keep

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_emitted_is_folded_together(events):
    for name in ("ada", "ben", "cyd"):
        keep.emit(Rung(name))

    fold_all()

    assert [name for names in events for name in names] == ["ada", "ben", "cyd"]
