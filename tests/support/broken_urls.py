"""The addresses of the site and one that always fails."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from project.urls import handler500
from project.urls import urlpatterns as urls_of_the_site

__all__ = ["handler500", "urlpatterns"]


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("somebody divided by zero")


urlpatterns = [*urls_of_the_site, path("broken/", fail)]
