"""What the people of the demo say to a picture, each in their own way."""

from __future__ import annotations

from apps.operations.demo.cast import PEOPLE
from apps.operations.demo.catalogue import Shot

# By scene and person; {} is the name of the owner.
REMARKS: dict[str, dict[str, str]] = {
    "hills": {
        "ben": "I count five. Where are the other two?",
        "dina": "The haze between them does all the work. Beautiful.",
        "finn": "How long did you wait for the sun to touch that edge?",
        "eike": "This is the first one I have wanted to walk into.",
    },
    "peaks": {
        "cyd": "I got cold just looking at it.",
        "ben": "That line where the light ends. Perfect.",
        "ada": "Which side did you come up from, {}?",
    },
    "dunes": {
        "ada": "No, keep the left. It is where the eye comes in.",
        "cyd": "The shadows look like they were ironed.",
        "dina": "Not a single plant. I respect it, but I would worry.",
    },
    "forest": {
        "dina": "Beech, I think? The bark gives it away even in this fog.",
        "eike": "You can hear how quiet it is.",
        "ada": "More of these, please.",
    },
    "meadow": {
        "finn": "I can smell this one.",
        "ada": "Did you lie down for it? It looks as if you did.",
    },
    "sea": {
        "ada": "The path leads straight to me. I moved my chair, it still does.",
        "eike": "What a calm evening, {}.",
        "finn": "Is that the real colour or did you warm it up a little?",
    },
    "lake": {
        "finn": "I turned my phone around to check which half is real.",
        "cyd": "The kind of picture that makes a room quieter.",
        "dina": "You waited well.",
    },
    "stars": {
        "ada": "Unreal. How dark is it up there?",
        "finn": "Twenty seconds at 3200 and this clean? I need to talk to you.",
        "ben": "One of your best, {}.",
    },
    "aurora": {
        "ada": "I have wanted to see this since I was six.",
        "cyd": "Nature does neon better.",
        "ben": "Were your batteries as cold as I imagine?",
        "finn": "Printed, framed, on the wall. Hope that is all right!",
    },
    "town": {
        "ben": "Third row, second house from the right: somebody is reading.",
        "eike": "So many lamps. Up here I can see exactly one.",
        "ada": "This is a whole novel.",
    },
    "bokeh": {
        "eike": "I take my glasses off too and see this for free.",
        "finn": "Love the two red ones that touch.",
    },
    "window": {
        "dina": "Is that the fern I gave you? It has grown!",
        "ada": "Twelve minutes well spent.",
        "ben": "I walked past a wall like this today and stopped because of you.",
    },
    "fern": {
        "cyd": "Green you can drink.",
        "ada": "The blur behind it is just right.",
        "finn": "What do you focus on, the tip or the stem?",
    },
    "petals": {
        "eike": "It looks warm. I forgot that flowers are warm.",
        "ben": "Nobody gets this close but you.",
        "cyd": "The middle is like a little sun.",
    },
}


def remarks(shot: Shot) -> list[tuple[str, str]]:
    """Who says what to this picture, in order; nobody talks to themselves."""
    first = next(person.name.split()[0] for person in PEOPLE if person.username == shot.owner)
    said = REMARKS[shot.scene]
    return [(who, text.format(first)) for who, text in said.items() if who != shot.owner]


def admirers(shot: Shot) -> list[str]:
    """Who likes it: their friends, those who say something, and one in three of the others."""
    talking = {who for who, _ in remarks(shot)}
    return [
        person.username
        for number, person in enumerate(PEOPLE)
        if person.username != shot.owner
        and (
            person.username in talking
            or shot.owner in person.follows
            or (number + len(shot.title)) % 3 == 0
        )
    ]
