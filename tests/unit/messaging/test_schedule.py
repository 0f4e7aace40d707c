from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from apps.messaging import tasks
from project.celery import app

app.loader.import_default_modules()


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_what_beat_starts_exists_and_does_not_pile_up(name):
    entry: Any = settings.CELERY_BEAT_SCHEDULE[name]

    assert entry["task"] in app.tasks
    # Messages that nobody took in time are dropped, or a worker that comes back does all at once.
    assert entry["options"]["expires"] <= entry["schedule"].total_seconds()


@pytest.mark.django_db
def test_pruning_is_a_task_that_anybody_may_repeat():
    tasks.prune()
    tasks.prune()


def test_threads_that_did_not_import_it_find_the_same_application():
    import threading

    from celery import current_app

    found = []
    thread = threading.Thread(target=lambda: found.append(current_app.main))
    thread.start()
    thread.join()

    assert found == [app.main]
