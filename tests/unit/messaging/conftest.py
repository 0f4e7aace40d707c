from __future__ import annotations

import pytest

from tests.support import jobs as tasks


@pytest.fixture
def trace():
    tasks.trace.clear()
    return tasks.trace
