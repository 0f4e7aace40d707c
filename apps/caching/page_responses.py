"""From what a view answers to what is kept of it, and from there to what a visitor gets."""

from __future__ import annotations

import re

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import (
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
)

from apps.caching.keys import short_hash

VARY = ("Cookie", "Accept-Language")
# Of one answer, or written anew for each.
NOT_KEPT = {"content-length", "date", "etag", "vary", "connection", "keep-alive", "set-cookie"}
UNSHARED = re.compile(r"\b(no-store|private)\b", re.IGNORECASE)


class Page(msgspec.Struct, frozen=True):
    """A page as it lies in the cache. `tags` are those by which it was stored, in their order."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    etag: str
    tags: list[str]


class NotKept(Exception):
    """An answer for one visitor. `response` may be sent; None: this visitor's is another."""

    def __init__(self, why: str, response: HttpResponseBase | None = None) -> None:
        super().__init__(why)
        self.response = response


def why_not_kept(response: HttpResponseBase) -> str:
    """Say what forbids to show this answer to anybody else; "" if nothing does."""
    if response.streaming:
        return "it is streamed"
    if response.status_code != HttpResponse.status_code:
        return f"its status is {response.status_code}"
    if response.cookies:
        return "it sets a cookie"
    if UNSHARED.search(response.get("Cache-Control", "")):
        return "its Cache-Control forbids it"
    varies = {name.strip().casefold() for name in response.get("Vary", "").split(",")} - {""}
    if other := varies - {name.casefold() for name in VARY}:
        return f"it varies by {min(other)}"
    return ""


def as_page(response: HttpResponse, tags: tuple[str, ...]) -> Page:
    """Return what is kept of `response`."""
    headers = [(name, value) for name, value in response.items() if name.lower() not in NOT_KEPT]
    seen = b"".join([f"{name}:{value}\n".encode() for name, value in headers])
    etag = response.get("ETag") or f'"{short_hash(seen + response.content)}"'
    return Page(response.status_code, headers, response.content, etag, list(tags))


def answer(page: Page, request: HttpRequest) -> HttpResponseBase:
    """Return the page, or 304 to a visitor who has it.

    Unless the view said otherwise a browser keeps the page and asks each time whether it is still
    true; a proxy keeps none.
    """
    response = HttpResponse(page.body, status=page.status, headers=dict(page.headers))
    response["ETag"] = page.etag
    if "Cache-Control" not in response:
        patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, VARY)
    return get_conditional_response(request, etag=page.etag, response=response) or response
