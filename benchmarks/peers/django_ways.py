"""Django's own ways, on its backends and on django-redis: `get_or_set` and `{% cache %}`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.utils import make_template_fragment_key
from django.db import transaction
from django.template import Context, Engine

from benchmarks.peers.kept import Function, Kept, Way


class GetOrSet(Kept):
    """`cache.get_or_set`; a change deletes the key when it commits."""

    many_by = "`get_many`"

    def __init__(self, function: Function, seconds: int, *, alias: str) -> None:
        super().__init__(function)
        self.alias = alias
        self.seconds = seconds

    def __call__(self, number: int) -> Any:
        return self.cache.get_or_set(self.key(number), partial(self.function, number), self.seconds)

    def many(self, numbers: Sequence[int]) -> list[Any]:
        keys = {self.key(number): number for number in numbers}
        found = self.cache.get_many(keys)
        for key in keys.keys() - found.keys():
            found[key] = self(keys[key])
        return [found[key] for key in keys]

    def tell(self, number: int) -> None:
        transaction.on_commit(lambda: self.cache.delete(self.key(number)))

    @property
    def cache(self) -> BaseCache:
        """The cache of this thread: no two may share one."""
        return caches[self.alias]

    def key(self, number: int) -> str:
        return f"{self.name}:{number}"


class Fragment(Kept):
    """`{% cache %}`; a change deletes the fragment when it commits."""

    def __init__(self, function: Function, seconds: int, *, alias: str) -> None:
        super().__init__(function)
        self.alias = alias
        self.template = Engine(builtins=["django.templatetags.cache"]).from_string(
            f'{{% cache {seconds} {self.name} number using="{alias}" %}}{{{{ text }}}}'
            "{% endcache %}"
        )

    def __call__(self, number: int) -> Any:
        # A template calls what it finds, so the text is computed only where it is missing.
        context = Context({"number": number, "text": partial(self.function, number)})
        return self.template.render(context)

    def tell(self, number: int) -> None:
        key = make_template_fragment_key(self.name, [number])
        transaction.on_commit(lambda: caches[self.alias].delete(key))


def get_or_set(alias: str) -> Callable[[Function, int], Kept]:
    """Return how `get_or_set` keeps a function in this cache."""
    return lambda function, seconds: GetOrSet(function, seconds, alias=alias)


def fragment(alias: str) -> Callable[[Function, int], Kept]:
    """Return how `{% cache %}` keeps a text in this cache."""
    return lambda function, seconds: Fragment(function, seconds, alias=alias)


WAYS = [
    Way(name="get_or_set, django-redis", keep=get_or_set("django-redis"), package="django_redis"),
    Way(name="get_or_set, core RedisCache", keep=get_or_set("core")),
    Way(
        name="get_or_set, PyMemcacheCache",
        keep=get_or_set("memcached"),
        server="memcached",
    ),
    Way(
        name="`{% cache %}`, django-redis",
        keep=fragment("django-redis"),
        only_text=True,
        package="django_redis",
    ),
]
