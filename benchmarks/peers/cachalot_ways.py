"""django-cachalot: every query is kept until a table of it changes."""

from __future__ import annotations

from benchmarks.peers.kept import Untouched, Way


class Queries(Untouched):
    """A function whose queries cachalot keeps. It sees each change by itself."""

    def lose_bookkeeping(self) -> bool:
        from cachalot.utils import get_table_cache_key
        from django.core.cache import caches

        # It keeps one date for each table.
        return bool(caches["django-redis"].delete(get_table_cache_key("default", "bench_thing")))


QUERIES = Way(
    name="cachalot queryset",
    keep=lambda function, _: Queries(function),
    app="cachalot",
    package="cachalot",
)
