from __future__ import annotations

import pytest

from apps.messaging.topics import matches


@pytest.mark.parametrize(
    ("pattern", "topic", "is_match"),
    [
        ("photo.developed", "photo.developed", True),
        ("photo.developed", "photo.published", False),
        ("photo.*", "photo.developed", True),
        ("photo.*", "photo.comment.added", False),
        ("photo.*", "photo", False),
        ("photo.#", "photo.comment.added", True),
        ("*.developed", "photo.developed", True),
        ("#", "anything.at.all", True),
        ("photo.dev", "photo.developed", False),
        ("photo.developed", "photoXdeveloped", False),
        ("user.+", "user.+", True),
    ],
)
def test_a_pattern_matches_words(pattern, topic, is_match):
    assert matches(pattern, topic) is is_match
