"""What the model of a site reads and writes: a row counts upwards, an answer tells its age."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from apps import caching
from tests.support.views import a_request, text

MINUTE = timedelta(minutes=1)
THINGS = [1, 2, 3]
ALL = [f"thing:{number}" for number in THINGS]
# Done once, by the next computation, between its query and its end.
meanwhile: list[Callable[[], None]] = []


def counted(group: Group) -> int:
    return int(group.name.partition(":")[2])  # names are unique, so the key stands in front


def select(number: int) -> int:
    return counted(Group.objects.get(pk=number))


def select_many(numbers: Iterable[int]) -> dict[int, int]:
    return {group.pk: counted(group) for group in Group.objects.filter(pk__in=numbers)}


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def one(number: int) -> int:
    value = select(number)
    while meanwhile:
        meanwhile.pop()()
    return value


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], stale_for=MINUTE)
def soft(number: int) -> int:
    return select(number)


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], bulk=select_many)
def bulky(number: int) -> int:
    return select(number)


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def nested(number: int) -> int:
    return one(number)


@caching.cached(timeout=MINUTE, tags=ALL, stale_for=MINUTE)
def everything() -> list[int]:
    return [*one.many([(number,) for number in THINGS[:2]]), nested(THINGS[2])]


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], refresh=caching.REWRITE)
def hot(number: int) -> int:
    return one.fresh(number)


@caching.cached_view(timeout=MINUTE)
def page(request: HttpRequest, number: int) -> HttpResponse:
    """Finds out by being computed what it is built from."""
    return HttpResponse(str(nested(number)))


@caching.cached_view(timeout=MINUTE, stale_for=MINUTE)
def soft_page(request: HttpRequest, number: int) -> HttpResponse:
    """One that also has a query of its own."""
    value = one.fresh(number)
    caching.uses(f"thing:{number}")
    return HttpResponse(str(min(value, of_many(number))))


def of_page(number: int) -> int:
    return int(text(page(a_request(), number=number)))


def of_soft_page(number: int) -> int:
    return int(text(soft_page(a_request(), number=number)))


def rewritten(number: int) -> int:
    return one.refresh(number)


def of_many(number: int) -> int:
    return bulky.many([(other,) for other in THINGS])[THINGS.index(number)]


def of_all(number: int) -> int:
    return everything()[THINGS.index(number)]


def in_transaction(number: int) -> int:
    with transaction.atomic():
        return nested(number)


def in_snapshot(number: int) -> int:
    with transaction.atomic():
        connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return one(number)


READERS: list[Callable[[int], int]] = [
    *(one, soft, hot, nested, rewritten, of_many, of_all, of_page, of_soft_page),
    *(in_transaction, in_snapshot),
]
# Those in whose computation something can be done.
COMPUTERS: list[Callable[[int], int]] = [
    *(one, hot, nested, of_all, rewritten, of_page, of_soft_page),
]


def set_and_tell(number: int, value: int) -> None:
    Group.objects.filter(pk=number).update(name=f"{number}:{value}")
    caching.invalidate(f"thing:{number}")


def write(number: int, value: int) -> None:
    with transaction.atomic():
        set_and_tell(number, value)


def write_in_vain(number: int, read: Callable[[int], int]) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=number).update(name=f"{number}:-1")
        if read is not in_snapshot:
            read(number)  # nobody has been told yet
        caching.invalidate(f"thing:{number}")
        if read is not in_snapshot:
            assert read(number) == -1
        transaction.set_rollback(True)
