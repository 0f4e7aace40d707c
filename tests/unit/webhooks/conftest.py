from __future__ import annotations

import pytest

from tests.support.webhooks import Receiver


@pytest.fixture
def receiver():
    """A service outside."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def public(settings):
    """The site as it is on the internet: the private network is none of a webhook's business."""
    settings.WEBHOOKS = {"ALLOW_PRIVATE_NETWORKS": False}
