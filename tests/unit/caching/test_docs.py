"""docs/caching.md says what the code does."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from apps import caching
from apps.caching import checks, codecs, keeping, testing
from apps.caching.envelope import COMPRESSED, HEAD, MAGIC
from apps.caching.keys import Keyspace
from apps.caching.options import Options
from apps.caching.stores.opening import SCHEMES
from apps.caching.versions import CLOCK_BITS, RANDOM_BITS, VERSION_BYTES

TEXT = (Path(__file__).parents[3] / "docs" / "caching.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", sorted(set(caching.__all__) - {"CachedFunction", "Call", "Widget", "UnknownWidget"})
)
def test_what_the_front_door_opens_is_described(name: str) -> None:
    assert re.search(rf"\b{name}\b", TEXT)


def test_the_layout_is_the_one_that_is_written_down() -> None:
    assert MAGIC == b"K1"
    assert HEAD.size == 20
    assert COMPRESSED == 0x10
    assert VERSION_BYTES == 8
    assert (CLOCK_BITS, RANDOM_BITS) == (44, 20)
    assert "20 + 8 *n*" in TEXT
    assert "`0x10`: compressed" in TEXT
    assert f"{CLOCK_BITS} bits of milliseconds, {RANDOM_BITS} random bits" in TEXT


def test_the_codecs_have_the_numbers_that_are_written_down() -> None:
    numbers = [codecs.NONE, codecs.TEXT, codecs.HTML, codecs.MSGPACK, codecs.BYTES]

    assert numbers == [0, 1, 2, 3, 4]
    assert "0 `None`, 1 text (UTF-8), 2 HTML" in TEXT
    assert "3 MessagePack, 4 bytes" in TEXT


def test_the_keys_are_those_that_are_written_down() -> None:
    keys = Keyspace("<prefix>", "<version>")

    assert f"`{keys.prefix}:{keys.version}:<function>:<hash>`" in TEXT
    assert f"`{keys.epoch}`" in TEXT
    assert "`<prefix>:t:<tag>`" in TEXT
    assert keys.tag("a") == "<prefix>:t:a"
    assert keys.function("f") == "<prefix>:f:f"
    assert keys.lease("e", []).startswith("<prefix>:l:")
    assert keys.report(1) == "<prefix>:s:1"


def test_the_limits_are_those_that_are_written_down() -> None:
    options = Options()

    assert f"{options.max_bytes:,}".replace(",", " ") in TEXT
    assert options.compress_from == 2048
    assert "2 KB or more" in TEXT
    assert options.socket_timeout == 0.1
    assert "time-outs of 100 ms" in TEXT
    assert options.jitter == 0.1
    assert "up to a tenth shorter" in TEXT


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_kind_of_address_is_described(scheme: str) -> None:
    assert scheme.removesuffix("s") in TEXT or scheme in TEXT


@pytest.mark.parametrize("identifier", ["caching.E003", "caching.W001"])
def test_a_check_that_is_named_exists(identifier: str) -> None:
    source = Path(keeping.__file__).with_name("checks.py").read_text(encoding="utf-8")

    assert identifier in TEXT
    assert identifier in source


def test_the_files_that_are_named_exist() -> None:
    root = Path(__file__).parents[3]

    for name in re.findall(r"`(tests/[\w/.]+\.py)`", TEXT):
        assert (root / name).is_file(), name


def test_every_setting_has_its_row_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `(.+?)` \|", TEXT, flags=re.MULTILINE))
    defaults = {
        field.name.upper(): list(value) if isinstance(value, tuple) else value
        for field in fields(Options)
        for value in [getattr(Options(), field.name)]
    }

    assert {name: ast.literal_eval(default) for name, default in rows.items()} == defaults


def test_every_check_is_described() -> None:
    numbers = {f"W{number:03}" for number in range(1, 7)} | {"E001", "E003", "E004"}
    source = Path(checks.__file__).read_text(encoding="utf-8")

    for number in numbers:
        assert number in TEXT, number
        assert number in source, number


def test_every_command_is_described() -> None:
    folder = Path(checks.__file__).parent / "management" / "commands"

    for path in folder.glob("[a-z]*.py"):
        assert f"`{path.stem}" in TEXT or f"manage.py {path.stem}" in TEXT, path.stem


def test_what_is_there_for_tests_is_described() -> None:
    for name in set(testing.__all__) - {"Trace"}:
        assert f"`{name}" in TEXT or f"{name}(" in TEXT, name
