"""ThumbHash, held against hashes that the reference implementation (JavaScript, 1.1.1) made."""

from __future__ import annotations

import base64

import pytest

from apps.thumbnails.darkroom import thumbhash


def pattern(width: int, height: int, *, is_clear: bool) -> bytes:
    """Return pixels that anyone can make again in any language, with no symmetry.

    In a symmetric picture terms are exactly zero, and rounding depends on the order of a sum.
    """
    return bytes(
        value
        for y in range(height)
        for x in range(width)
        for value in (
            (x * 37 + y * y * 3) % 256,
            (y * 53 + x * 5) % 256,
            x * y * 7 % 256,
            (x * 11 + y * 5) % 256 if is_clear else 255,
        )
    )


@pytest.mark.parametrize(
    ("width", "height", "is_clear", "expected"),
    [
        (32, 24, False, "X/gBFYIzMzQwZndSdSdlct58f1dv"),
        (24, 32, False, "HggCFQISI1CFBFQ2dVMnOP2c/EWV"),
        (100, 100, False, "H/gBBwAhASVSiIV0eSVIBXRl4vzZBIcH"),
        (1, 1, False, "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        (3, 40, False, "WvkJQQJAcxqIhIRIz2tHWgA="),
        (20, 20, True, "H/iBDQAodlZRTGQLKdtMf2P9MGlGW5Z3iA=="),
        (31, 17, True, "HviBC4AnZqSCl1Cnjv9HiAi1ZqZ3iIc="),
        (100, 2, True, "GuqFKYR3dVaAZ4eHf8iQiHd3eHiHeAg="),
    ],
)
def test_a_hash_is_that_of_the_reference(
    width: int, height: int, *, is_clear: bool, expected: str
) -> None:
    hashed = thumbhash.encode(width, height, pattern(width, height, is_clear=is_clear))

    assert base64.b64encode(hashed).decode() == expected


def test_a_picture_that_is_all_clear_has_a_hash() -> None:
    assert len(thumbhash.encode(4, 4, bytes(64))) > 5


@pytest.mark.parametrize(("width", "height", "size"), [(101, 1, 404), (2, 2, 15), (2, 2, 17)])
def test_what_is_too_large_or_short_is_not_hashed(width: int, height: int, size: int) -> None:
    with pytest.raises(ValueError, match="at most 100 x 100"):
        thumbhash.encode(width, height, bytes(size))
