from __future__ import annotations

from functools import partial

import pytest


@pytest.fixture
def mail_worker(worker, smtp_server):
    """Start a mail worker that delivers to the scripted server and loses no time."""
    return partial(
        worker,
        "mail",
        EMAIL_URL=smtp_server.url,
        EMAIL_TIMEOUT="30",
        JOB_LEASE_SECONDS="2",
        JOB_SWEEP_SECONDS="0.2",
        JOB_RING_AGAIN_SECONDS="1",
    )
