"""The layout of an entry, byte by byte."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.caching.envelope import COMPRESSED, MAX_PAYLOAD, Envelope, Unreadable, pack, unpack

U32 = 2**32 - 1

envelopes = st.builds(
    Envelope,
    codec=st.integers(0, 15),
    created_ms=st.integers(0, 2**63),
    fresh_ms=st.integers(0, U32),
    delta_us=st.integers(0, U32),
    stamps=st.lists(st.binary(min_size=8, max_size=8), max_size=20).map(b"".join),
    payload=st.one_of(st.binary(max_size=200), st.binary(max_size=20).map(lambda b: b * 200)),
)


def make(**fields: object) -> Envelope:
    values: dict[str, object] = {
        "codec": 3,
        "created_ms": 1_700_000_000_000,
        "fresh_ms": 60_000,
        "delta_us": 1500,
        "stamps": b"AAAAAAAABBBBBBBB",
        "payload": msgspec.msgpack.encode(["Harbour"]),
    }
    return Envelope(**{**values, **fields})  # type: ignore[arg-type]


@given(envelopes, st.integers(0, 500))
def test_what_was_packed_comes_back(envelope: Envelope, compress_from: int) -> None:
    assert unpack(pack(envelope, compress_from=compress_from)) == envelope


def test_the_layout_is_the_documented_one() -> None:
    assert pack(make(), compress_from=2048) == (
        b"K1"
        b"\x03\x02"
        b"\x00\x00\x01\x8b\xcf\xe5\x68\x00"
        b"\x00\x00\xea\x60"
        b"\x00\x00\x05\xdc"
        b"AAAAAAAABBBBBBBB"
        b"\x91\xa7Harbour"
    )


def test_a_long_payload_is_compressed_where_it_helps() -> None:
    text = make(payload=b"photo " * 1000)
    noise = make(payload=bytes(range(256)) * 8)

    raw = pack(text, compress_from=2048)

    assert raw[2] == 3 | COMPRESSED
    assert len(raw) < 200
    assert int.from_bytes(raw[36:40], "little") == 6000
    assert pack(noise, compress_from=10**6)[2] == 3


def test_what_grows_by_compression_stays_as_it_is() -> None:
    assert pack(make(payload=b"x"), compress_from=0)[2] == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:19],
        lambda raw: raw[:30],
        lambda raw: b"K2" + raw[2:],
        lambda raw: raw[:2] + b"\x23" + raw[3:],
        lambda raw: raw[:2] + b"\x13" + raw[3:],
        lambda raw: raw[:2] + b"\x13" + raw[3:36] + b"\xff\xff\xff\x7f" + raw[40:],
    ],
)
def test_anything_else_is_unreadable(damage: object) -> None:
    raw = pack(make(), compress_from=2048)

    with pytest.raises(Unreadable):
        unpack(damage(raw))  # type: ignore[operator]


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_else(noise: bytes) -> None:
    for raw in (noise, b"K1" + noise, b"K1\x13\x00" + bytes(16) + noise):
        try:
            unpack(raw)
        except Unreadable:
            continue


def test_a_damaged_length_reserves_no_memory() -> None:
    length = (MAX_PAYLOAD + 1).to_bytes(4, "little")

    with pytest.raises(Unreadable, match="credible"):
        unpack(b"K1\x13\x00" + bytes(16) + length + b"x")


def test_long_times_are_cut_and_not_wrapped() -> None:
    back = unpack(pack(make(fresh_ms=2**40, delta_us=2**40), compress_from=2048))

    assert (back.fresh_ms, back.delta_us) == (U32, U32)


def test_an_entry_is_fresh_until_its_time() -> None:
    envelope = make(created_ms=1000, fresh_ms=500)

    assert envelope.is_fresh(1499)
    assert not envelope.is_fresh(1500)
