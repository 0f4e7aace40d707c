"""What the page of sessions calls a device."""

from __future__ import annotations

import pytest

from apps.accounts.templatetags.accounts import device

APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
GOOGLE = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "(iPhone; CPU iPhone OS 19_0 like Mac OS X)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {GOOGLE} Chrome/156 Safari/537", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {GOOGLE} Chrome/156 Edg/156", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 16; K) {GOOGLE} Chrome/156 Mobile", "Chrome on Android"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Safari/605", "Safari on Mac"),
        (f"Mozilla/5.0 {IPHONE} {APPLE} Safari/604", "Safari on iPhone"),
        (f"Mozilla/5.0 {IPHONE} {APPLE} CriOS/156 Safari/604", "Chrome on iPhone"),
    ],
)
def test_a_device_has_the_name_its_owner_gives_it(user_agent: str, name: str) -> None:
    assert device(user_agent) == name


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [("", "An unknown device"), ("<script>", "An unknown device"), ("curl (Linux)", "Linux")],
)
def test_of_another_only_what_is_known_is_said(user_agent: str, name: str) -> None:
    assert device(user_agent) == name
