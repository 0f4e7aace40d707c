"""Addresses for the views of tests: ROOT_URLCONF of a test that asks for a page by its address."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from tests.support.views import counted, shelf

urlpatterns = [
    path("shelf/<int:pk>/", require_safe(shelf)),
    path("counted/", counted),
    path("bare/", lambda request: HttpResponse("bare")),
]
