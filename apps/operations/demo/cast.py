"""Who is in the demo, and who follows whom."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "safelight"  # noqa: S105 - printed at each start, for a site that nobody else reaches
ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Person:
    username: str
    name: str
    bio: str
    # The colours of the avatar: above, below, and the sun between.
    colours: tuple[str, str, str]
    follows: tuple[str, ...]


PEOPLE = (
    Person(
        username="ada",
        name="Ada Okafor",
        bio="Early riser. Mountains, mist, and the ten minutes before the sun is there.",
        colours=("#3d5a80", "#1d2836", "#ffe3b8"),
        follows=("ben", "dina", "finn"),
    ),
    Person(
        username="ben",
        name="Ben Hartmann",
        bio="I carry a tripod to places where I then do not use it. Mostly water.",
        colours=("#e9a37e", "#2f5570", "#fff1cf"),
        follows=("ada", "cyd"),
    ),
    Person(
        username="cyd",
        name="Cyd Moreau",
        bio="Streets after rain, windows, other people's lamps.",
        colours=("#2a2444", "#e0556a", "#ffb45e"),
        follows=("ada", "ben", "dina", "eike"),
    ),
    Person(
        username="dina",
        name="Dina Rahmani",
        bio="Botanist by day. My garden has more portraits than my family.",
        colours=("#9fbf73", "#0f2a1c", "#ffd3c4"),
        follows=("eike", "ada"),
    ),
    Person(
        username="eike",
        name="Eike Solberg",
        bio="North of the trees, long exposures, cold fingers.",
        colours=("#10274a", "#050b1f", "#5ff0a8"),
        follows=("ada", "finn"),
    ),
    Person(
        username="finn",
        name="Finn Castellanos",
        bio="Learning. Tell me what you would have cropped.",
        colours=("#f4b26b", "#b8683a", "#fff3d6"),
        follows=("ada", "ben", "cyd", "dina", "eike"),
    ),
)
