from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import translation

from apps.caching.explaining import EntryState, Explanation, TagState, explain
from apps.caching.functions import CachedFunction, functions
from apps.caching.management.console import Answer, BadUsage, CacheCommand
from apps.caching.management.tables import Cell, size, span, table
from apps.caching.naming import (
    UnknownName,
    WrongArguments,
    find_function,
    find_page,
    is_address,
    read_call,
)
from apps.caching.pages import CachedView, views
from apps.caching.widgets import Widget

WRONG = {"away": "The server does not answer.", "unreadable": "The entry cannot be read."}
MEANINGS = {
    "fresh": "shown as it is",
    "stale": "past its timeout: shown while the next one is computed",
    "outdated": "never shown again",
    "absent": "computed by the next who asks",
    "unreadable": "taken for absent",
    "away": "computed for each who asks until the server is back",
}
LONGEST_VALUE = 2000


class Command(CacheCommand):
    help = (
        "Show why an entry is, or is not, an answer. Without a name: all that is cached.\n\n"
        "  manage.py explain_cache\n"
        "  manage.py explain_cache shop.popular days=7\n"
        "  manage.py explain_cache list_orders 17 --value\n"
        "  manage.py explain_cache https://example.org/orders/"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "name",
            nargs="?",
            help="a function or widget, the end of it will do; or an address",
        )
        parser.add_argument(
            "arguments", nargs="*", help="what it is called with: 17, 2026-01-31, days=7, '[1, 2]'"
        )
        parser.add_argument(
            "--language",
            choices=[code for code, _ in settings.LANGUAGES],
            help="of a widget, or of another entry that differs by language",
        )
        parser.add_argument("--value", action="store_true", help="show the value too")

    def answer(self, **options: Any) -> Answer:
        if options["name"] is None:
            listed = [_describe(functions[name]) for name in sorted(functions)]
            listed += [_describe_view(views[name]) for name in sorted(views)]
            return Answer({"functions": listed}, _list(listed))
        with translation.override(options["language"] or translation.get_language()):
            found = self._explain(options["name"], options["arguments"])
        document = asdict(found)
        if found.entry is not None and not options["value"]:
            del document["entry"]["value"]
        lines = list(_tell(found, with_value=options["value"]))
        return Answer(document, lines, WRONG.get(found.state, ""))

    def _explain(self, name: str, words: list[str]) -> Explanation:
        try:
            if is_address(name):
                return _explain_page(name, words)
            return explain(read_call(find_function(name), words))
        except (UnknownName, WrongArguments) as error:
            raise BadUsage(str(error)) from error


def _explain_page(address: str, words: list[str]) -> Explanation:
    if words:
        raise WrongArguments("a page has no arguments beside its address")
    view, call = find_page(address)
    return explain(call, title=f"{address} by {view.name}")


def _describe(function: CachedFunction[Any, Any]) -> dict[str, Any]:
    policy = function.policy
    tags = "computed" if callable(policy.tags) else [*function.tag_templates]
    return {
        "name": function.name,
        "kind": "widget" if isinstance(function, Widget) else "function",
        "signature": str(function.signature.replace(return_annotation=function.signature.empty)),
        "timeout": policy.timeout.total_seconds(),
        "stale_for": policy.stale_for.total_seconds(),
        "refresh_ahead": policy.ahead is not None,
        "refresh": policy.refresh.value,
        "by_language": policy.by_language,
        "bulk": policy.bulk is not None,
        "tags": tags,
    }


def _describe_view(view: CachedView[Any]) -> dict[str, Any]:
    tags = view.policy.tags
    return {
        "name": view.name,
        "kind": "page",
        "timeout": view.policy.timeout.total_seconds(),
        "stale_for": view.policy.stale_for.total_seconds(),
        "refresh_ahead": view.policy.ahead is not None,
        "refresh": view.policy.refresh.value,
        "by_language": True,
        "tags": "computed" if callable(tags) else [*tags, "those of what it shows"],
    }


def _list(listed: list[dict[str, Any]]) -> list[str]:
    head = ["name", "kind", "timeout", "stale for", "refresh", "tags"]
    rows: list[list[Cell]] = [
        [
            one["name"],
            one["kind"],
            span(one["timeout"]),
            span(one["stale_for"]) if one["stale_for"] else None,
            "ahead" if one["refresh_ahead"] else one["refresh"],
            one["tags"] if isinstance(one["tags"], str) else ", ".join(one["tags"]),
        ]
        for one in listed
    ]
    return table(head, rows)


def _tell(found: Explanation, *, with_value: bool) -> Iterator[str]:
    language = f" in {found.language}" if found.language else ""
    yield f"{found.call}{language}"
    yield ""
    yield _line("state", f"{found.state}: {_why(found)}")
    yield _line("server", found.server)
    yield _line("key", found.key)
    if found.entry is not None:
        yield from _tell_entry(found.entry)
    if found.lease_held:
        yield _line("lease", "somebody computes it now")
    if found.undelivered:
        yield _line("owed", f"{found.undelivered} invalidations wait in the database")
    if found.tags:
        yield ""
        yield from table(["tag", "version", "written", "the entry"], _tag_rows(found))
    if with_value and found.entry is not None:
        yield ""
        yield _shortened(found.entry.value)


def _tell_entry(entry: EntryState) -> Iterator[str]:
    yield _line("computed", f"{span(entry.age)} ago, in {span(entry.seconds_computing)}")
    left = f"{span(entry.fresh_for)} more" if entry.fresh_for > 0 else "no more"
    yield _line("fresh for", left)
    packed = f", {size(entry.payload_bytes)} before compression" if entry.compressed else ""
    yield _line("size", f"{size(entry.bytes)}{packed}, {entry.codec}")


def _line(word: str, text: str) -> str:
    return f"  {word:<10}{text}"


def _why(found: Explanation) -> str:
    if found.outdated_by:
        return f"{', '.join(found.outdated_by)} has changed since"
    return MEANINGS[found.state]


def _tag_rows(found: Explanation) -> list[list[Cell]]:
    return [
        [
            tag.tag,
            tag.version,
            f"{span(max(0.0, time.time() - tag.written))} ago" if tag.written else None,
            _compare(tag),
        ]
        for tag in found.tags
    ]


def _compare(tag: TagState) -> str | None:
    if tag.stamped is None:
        return None
    return "the same" if tag.agrees else tag.stamped


def _shortened(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} …"
