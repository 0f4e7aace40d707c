"""Probes come by number and without a certificate, and are answered all the same."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture
def strict(settings: Settings) -> Settings:
    settings.ALLOWED_HOSTS = ["photos.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    return settings


def test_a_probe_by_number_is_told_that_the_process_lives(strict: Settings, client: Client) -> None:
    response = client.get("/healthz", headers={"host": "10.0.0.7:8000"})

    assert (response.status_code, response.content) == (200, b"ok")
    assert response.headers["X-Request-ID"]


@pytest.mark.django_db
def test_a_probe_by_number_is_told_whether_the_site_is_ready(
    strict: Settings, client: Client
) -> None:
    response = client.get("/readyz", headers={"host": "10.0.0.7:8000"})

    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["checks"]["database"]["ok"] is True


def test_no_page_is_served_to_another_host(strict: Settings, client: Client) -> None:
    response = client.get("/", headers={"host": "10.0.0.7:8000"}, secure=True)

    assert response.status_code == 400


def test_a_page_without_a_certificate_is_sent_to_one(strict: Settings, client: Client) -> None:
    response = client.get("/", headers={"host": "photos.example.org"})

    assert response.headers["Location"] == "https://photos.example.org/"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_probe_only_looks(strict: Settings, client: Client, method: str) -> None:
    assert getattr(client, method)("/healthz").status_code == 405
