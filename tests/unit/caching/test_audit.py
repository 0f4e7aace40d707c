"""What an operator asks: whether the cache keeps its promise here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import translation
from pytest_django import Settings

from apps import caching
from apps.caching import audit
from apps.caching.audit import Verdict
from apps.caching.engine import engine
from apps.caching.functions import functions
from apps.caching.prefill import prefills
from tests.support.caching import Flaky, serving

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["group:{pk}"])
def get_name(pk: int) -> str:
    return Group.objects.values_list("name", flat=True).get(pk=pk)


@caching.cached(timeout=MINUTE, tags=["group:{pk}"])
def greet(pk: int, word: str = "Hello") -> str:
    return f"{word} {get_name(pk)}"


@caching.cached(timeout=MINUTE, tags=["groups"], by_language=True)
def list_names() -> list[str]:
    names = Group.objects.order_by("name").values_list("name", flat=True)
    return [f"{translation.get_language()} {name}" for name in names]


@caching.cached(timeout=MINUTE, tags=["groups"])
def find_name(start: str) -> str:
    return Group.objects.filter(name__startswith=start).values_list("name", flat=True)[0]


@caching.cached(timeout=MINUTE, tags=["group:{pk}"])
def find_overtaken(pk: int) -> str:
    meanwhile()
    return Group.objects.values_list("name", flat=True).get(pk=pk)


def meanwhile() -> None:
    """What another process does while somebody computes: nothing, if a test does not say so."""


OURS = (get_name, greet, list_names, find_name, find_overtaken)


@pytest.fixture(autouse=True)
def _only_ours() -> Iterator[None]:
    """Only our functions: those of other tests need no database, and more besides."""
    known, others = dict(prefills), dict(functions)
    prefills.clear()
    functions.clear()
    functions.update({function.name: function for function in OURS})
    yield
    prefills.clear()
    prefills.update(known)
    functions.clear()
    functions.update(others)


@pytest.fixture
def group() -> Group:
    """Return a group whose name is in the cache, and who is named by a prefill."""
    group = Group.objects.create(name="old")

    def named() -> Iterator[caching.Call[Any]]:
        yield get_name.call(group.pk)

    caching.prefill(named)
    assert get_name(group.pk) == "old"
    return group


def look(**options: Any) -> audit.Audit:
    return audit.audit(**{"sample": 100, "patience": 0, **options})


def rename_in_silence(group: Group) -> None:
    """Do what no service does: change a row and say nothing."""
    Group.objects.filter(pk=group.pk).update(name="new")


def verdicts(seen: audit.Audit) -> dict[str, dict[Verdict, int]]:
    return {name.rpartition(".")[2]: dict(counted) for name, counted in seen.verdicts.items()}


def test_what_is_true_is_found_to_be_so(group: Group) -> None:
    list_names()

    seen = look()

    assert verdicts(seen) == {"get_name": {Verdict.SAME: 1}, "list_names": {Verdict.SAME: 1}}
    assert seen.findings == []


def test_what_a_change_has_passed_over_is_found(group: Group) -> None:
    rename_in_silence(group)

    seen = look()

    ((known, verdict),) = seen.findings
    assert (known.call.name, known.call.arguments) == (get_name.name, (group.pk,))
    assert verdict is Verdict.DIFFERENT


def test_what_cannot_be_computed_any_more_is_found(group: Group) -> None:
    Group.objects.all().delete()

    assert verdicts(look())["get_name"] == {Verdict.FAILED: 1}


def test_an_entry_is_not_taken_for_true_for_one_that_it_was_built_from(group: Group) -> None:
    greet(group.pk)
    rename_in_silence(group)

    assert verdicts(look(function=greet.name)) == {"greet": {Verdict.DIFFERENT: 1}}


def test_a_tag_of_what_is_known_tells_of_more(group: Group) -> None:
    greet(group.pk)

    assert verdicts(look())["greet"] == {Verdict.SAME: 1}


def test_a_tag_that_is_given_tells_of_what_nobody_names() -> None:
    group = Group.objects.create(name="old")
    get_name(group.pk)
    rename_in_silence(group)

    assert look().kept == 0
    assert verdicts(look(tags=[f"group:{group.pk}"])) == {"get_name": {Verdict.DIFFERENT: 1}}


def test_what_nothing_tells_of_is_said_to_be_unknown(group: Group) -> None:
    find_name("o")

    assert look().unreached == [find_name.name]


def test_each_language_is_looked_at(group: Group, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French")]
    for language in ("en", "de"):
        with translation.override(language):
            list_names()
    rename_in_silence(group)

    seen = look(function=list_names.name)

    assert (seen.known, seen.kept) == (3, 2)
    assert {known.language for known, _ in seen.findings} == {"en", "de"}


def test_what_changes_meanwhile_is_no_finding(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_overtaken(group.pk)
    rename_in_silence(group)
    eng = engine()
    monkeypatch.setattr(
        sys.modules[__name__],
        "meanwhile",
        lambda: eng.servers.bump([eng.keys.tag(f"group:{group.pk}")], everything=eng.keys.epoch),
    )

    assert verdicts(look(function=find_overtaken.name)) == {"find_overtaken": {Verdict.CHANGED: 1}}


def test_what_is_mended_before_the_second_look_is_no_finding(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename_in_silence(group)
    # As a sweep does for a writer that was killed.
    monkeypatch.setattr("time.sleep", lambda _: caching.invalidate(f"group:{group.pk}"))

    seen = look(patience=5)

    assert verdicts(seen) == {"get_name": {Verdict.CHANGED: 1}}
    assert seen.findings == []


def test_no_more_is_compared_than_was_asked_for(group: Group) -> None:
    for number in range(5):
        get_name(Group.objects.create(name=f"{number}").pk)

    seen = look(sample=2, tags=[f"group:{pk}" for pk in Group.objects.values_list("pk", flat=True)])

    assert seen.kept == 6
    assert sum(counted.total() for counted in seen.verdicts.values()) == 2


def test_an_audit_changes_nothing_in_the_cache(group: Group) -> None:
    server = Flaky()
    with serving(server):
        greet(group.pk)
        before = dict(server._items)

        look()

        assert server._items == before


def test_a_server_that_is_away_holds_nothing_to_compare(group: Group) -> None:
    server = Flaky()
    server.away = True

    with serving(server):
        assert look().kept == 0


def run(*words: str) -> tuple[str, bool]:
    """Return what the command says, and whether it ends well."""
    out = StringIO()
    try:
        call_command("audit_cache", "--patience=0", *words, stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode == 0
    return out.getvalue(), True


def test_the_command_ends_well_if_all_is_true(group: Group) -> None:
    said, is_well = run()

    assert is_well
    assert "1 of them are in the cache" in said
    assert f"no call is known of: {find_name.name}" in said


def test_the_command_fails_and_names_what_is_not_true(group: Group) -> None:
    rename_in_silence(group)

    said, is_well = run()

    assert not is_well
    assert f"different: <{get_name.name}({group.pk},)> in en" in said


def test_the_command_speaks_json(group: Group) -> None:
    rename_in_silence(group)

    said, is_well = run("--json", f"--function={get_name.name}")

    seen = json.loads(said)
    assert not is_well
    assert (seen["known"], seen["kept"]) == (1, 1)
    assert seen["functions"] == {get_name.name: {"different": 1}}
    assert seen["findings"] == [
        {
            "function": get_name.name,
            "arguments": f"({group.pk},)",
            "language": "en",
            "verdict": "different",
        }
    ]
    assert seen["unreached"] == [find_name.name]


@pytest.mark.parametrize("word", ["--function=nobody", "--sample=0", "--patience=-1"])
def test_a_wrong_option_is_a_sentence(word: str) -> None:
    with pytest.raises(CommandError, match=r"no cached function|at least"):
        call_command("audit_cache", word)
