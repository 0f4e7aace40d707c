from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory

from apps.operations import selectors, views
from apps.operations.middleware import name_requests
from apps.operations.selectors.inspection import Inspection
from apps.operations.selectors.probes import PROBES


@pytest.fixture(autouse=True)
def a_fresh_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what an earlier test found."""
    monkeypatch.setattr(selectors, "_inspection", Inspection(PROBES, limit=5, remembered=0))


def test_the_process_answers(client: Client) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.content == b"ok"
    assert "no-store" in response["Cache-Control"]


def test_only_reading_is_answered(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_all_that_the_site_leans_on_is_there(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200, response.content
    answer = response.json()
    assert answer["status"] == "ready"
    assert {name: check["ok"] for name, check in answer["checks"].items()} == {
        "database": True,
        "migrations": True,
        "cache": True,
        "broker": True,
        "media": True,
    }


@pytest.mark.django_db(transaction=True)
def test_tables_older_than_the_code_are_not_ready(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, app, name, applied FROM django_migrations ORDER BY id DESC")
        newest = cursor.fetchone()
        cursor.execute("DELETE FROM django_migrations WHERE id = %s", [newest[0]])
    try:
        response = client.get("/readyz")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations VALUES (%s, %s, %s, %s)", newest)

    assert response.status_code == 503
    assert response.json()["checks"]["migrations"]["error"] == "MigrationsMissing"
    assert response.json()["checks"]["database"]["ok"]


@pytest.mark.django_db(transaction=True)
def test_a_folder_that_cannot_be_written_is_not_ready(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    occupied = tmp_path / "media"
    occupied.write_text("a file where the folder should be")
    settings.MEDIA_ROOT = occupied

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["media"]["error"] == "FileExistsError"


@pytest.mark.django_db(transaction=True)
def test_without_a_cache_the_site_works_but_slower(client: Client, settings: Any) -> None:
    settings.CACHING = {**settings.CACHING, "SERVERS": ["redis://127.0.0.1:9/0"]}

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["cache"] | {"milliseconds": 0} == {
        "ok": False,
        "required": False,
        "milliseconds": 0,
        "error": "ServersAway",
    }


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_nothing_would_develop(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Celery reads it anew for each connection; its settings could not be put back as they were.
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/0")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert not response.json()["checks"]["broker"]["ok"]


def test_the_error_page_needs_nothing_and_names_the_request() -> None:
    answer = name_requests(views.server_error)

    response = answer(RequestFactory().get("/", headers={"X-Request-ID": "edge-7f3a9c20"}))

    assert response.status_code == 500
    assert isinstance(response, HttpResponse)
    assert b"<code>edge-7f3a9c20</code>" in response.content


def test_a_view_that_fails_gives_the_error_page(client: Client, settings: Any) -> None:
    client.raise_request_exception = False
    settings.ROOT_URLCONF = "tests.support.broken_urls"

    response = client.get("/broken/", headers={"X-Request-ID": "edge-7f3a9c20"})

    assert response.status_code == 500
    assert b"edge-7f3a9c20" in response.content
    assert response["X-Request-ID"] == "edge-7f3a9c20"
