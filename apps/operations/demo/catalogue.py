"""What hangs in the demo: each picture with its scene, colours, words and camera."""

from __future__ import annotations

from dataclasses import dataclass

# Above, low in the sky, the light, far away, near: what the scenes are painted with.
PALETTES = {
    "dawn": ("#3d5a80", "#e0a58a", "#ffe3b8", "#b98d86", "#1d2836"),
    "autumn": ("#8a6f6a", "#e9b872", "#ffe2a6", "#b5714a", "#2b1a1d"),
    "blue hour": ("#16264d", "#5a78ab", "#dfe6f2", "#546f9c", "#0c1630"),
    "alpenglow": ("#27406e", "#c58ea3", "#ffd9c0", "#6d7aa3", "#151d2e"),
    "winter noon": ("#3f74ad", "#b6d3e8", "#ffffff", "#7c98b8", "#22344a"),
    "sahara": ("#6fa3c7", "#f0c69a", "#f4b26b", "#b8683a", "#4b2420"),
    "rose dunes": ("#7d86b2", "#f2c4b8", "#f0b8a0", "#a8576a", "#3a1d33"),
    "fog": ("#a9b8b0", "#8fa39a", "#e9ecdf", "#6c8079", "#172320"),
    "gold fog": ("#d9b98a", "#c99f6a", "#fff0c9", "#9c7a4e", "#2c2013"),
    "june": ("#86a9c4", "#f3cfa0", "#ffd98a", "#8c8f4e", "#23331d"),
    "sundown": ("#34557e", "#e9a37e", "#ffd9a0", "#2f5570", "#10243a"),
    "silver": ("#5f6f80", "#b9c4cc", "#f4f7f8", "#5d7383", "#1c2a35"),
    "moonlight": ("#1c2b52", "#5e6f9e", "#e9d9d2", "#4b5a80", "#0d1526"),
    "pink lake": ("#6a5a8c", "#e8a8ac", "#ffe8d6", "#8a6a94", "#2a1d3c"),
    "galaxy": ("#060a1c", "#16224a", "#c98f74", "#101a33", "#04070f"),
    "north": ("#050b1f", "#10274a", "#5ff0a8", "#a06be0", "#0a1424"),
    "violet": ("#0b0820", "#251a4d", "#c58bff", "#4fd8e0", "#120c28"),
    "dusk": ("#23305e", "#c97f86", "#ffd08a", "#6a5a86", "#151427"),
    "rain": ("#1d2a38", "#47607a", "#ffcf8f", "#3c5268", "#0c131b"),
    "fern": ("#dfe7b4", "#9fbf73", "#fbf6c8", "#4f7a4a", "#0f2a1c"),
    "neon": ("#0c1024", "#2a2444", "#ffb45e", "#e0556a", "#080a14"),
    "wall": ("#d9b79a", "#b98a6c", "#ffe9c0", "#ffc98a", "#5e3b2c"),
    "dahlia": ("#1f3a34", "#2f5a4a", "#ffd3c4", "#d9536f", "#f2b134"),
    "lotus": ("#2b2f52", "#454a78", "#fff4e6", "#b79ae0", "#f6d365"),
}

LANDSCAPE = (2400, 1600)
PORTRAIT = (1600, 2400)
SQUARE = (1800, 1800)


@dataclass(frozen=True, kw_only=True)
class Camera:
    make: str
    model: str
    lens: str


CAMERAS = {
    "ada": Camera(make="FUJIFILM", model="X-T5", lens="XF16-55mmF2.8 R LM WR"),
    "ben": Camera(make="NIKON CORPORATION", model="NIKON Z 6_2", lens="NIKKOR Z 24-120mm f/4 S"),
    "cyd": Camera(
        make="RICOH IMAGING COMPANY, LTD.", model="RICOH GR III", lens="GR LENS 18.3mm F2.8"
    ),
    "dina": Camera(make="Canon", model="Canon EOS R6", lens="RF100mm F2.8 L MACRO IS USM"),
    "eike": Camera(make="SONY", model="ILCE-7M4", lens="FE 14mm F1.8 GM"),
    "finn": Camera(make="OM Digital Solutions", model="OM-5", lens="OM 12-45mm F4.0 PRO"),
}


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture: `scene` names a function of land, sky or near."""

    slug: str
    owner: str
    scene: str
    palette: str
    title: str
    alt: str
    words: str = ""
    size: tuple[int, int] = LANDSCAPE
    taken: str = "2026:10:03 06:41:00"
    # f-number, exposure, sensitivity and focal length, as EXIF writes them
    exposure: tuple[str, str, int, str] = ("8/1", "1/125", 200, "35/1")

    @property
    def file_name(self) -> str:
        return f"{self.slug}.jpg"


SHOTS = (
    Shot(
        slug="seven-ridges", owner="ada", scene="hills", palette="dawn",
        title="Seven ridges before breakfast",
        alt="Ridge behind ridge in pink haze, the sun just above the farthest",
        words="Up at four, coffee at nine. In between, this.",
        taken="2026:09:12 06:22:14", exposure=("11/1", "1/60", 160, "55/1"),
    ),
    Shot(
        slug="last-light-on-the-north-face", owner="ada", scene="peaks", palette="alpenglow",
        title="Last light on the north face",
        alt="Snowy peaks, half of them in warm light, over two lines of dark firs",
        taken="2026:02:20 17:31:40", exposure=("8/1", "1/80", 200, "50/1"),
    ),
    Shot(
        slug="copper-valley", owner="ada", scene="hills", palette="autumn",
        title="Copper valley",
        alt="Hills in copper and gold under a low sun",
        words="The whole valley smelled of leaves.",
        taken="2026:10:18 17:02:11", exposure=("9/1", "1/100", 160, "40/1"),
    ),
    Shot(
        slug="harbour-of-nothing", owner="ben", scene="sea", palette="sundown",
        title="Harbour of nothing",
        alt="The sun a hand above the sea, its path broken by the waves",
        words="No boat, no bird, no phone signal.",
        taken="2026:08:02 20:48:33", exposure=("11/1", "1/250", 100, "70/1"),
    ),
    Shot(
        slug="two-moons", owner="ben", scene="lake", palette="moonlight",
        title="Two moons",
        alt="A full moon over dark hills, and once more in the lake",
        taken="2026:08:28 22:10:05", exposure=("4/1", "2/1", 800, "35/1"),
    ),
    Shot(
        slug="pewter", owner="ben", scene="sea", palette="silver",
        title="Pewter",
        alt="A grey sea under a white sun",
        taken="2026:03:09 08:15:50", exposure=("8/1", "1/500", 100, "90/1"),
    ),
    Shot(
        slug="blush", owner="ben", scene="lake", palette="pink lake",
        title="Blush",
        alt="A pink evening twice: above the shore and below it",
        words="I waited for the wind to stop. It did, for about a minute.",
        taken="2026:09:05 19:40:21", exposure=("8/1", "1/15", 100, "30/1"),
    ),
    Shot(
        slug="everybody-home", owner="cyd", scene="town", palette="dusk",
        title="Everybody home",
        alt="Roofs at dusk, a few hundred windows lit",
        words="I always wonder who turns on the first lamp.",
        taken="2026:10:30 17:55:02", exposure=("28/10", "1/30", 1600, "183/10"),
    ),
    Shot(
        slug="tram-stop", owner="cyd", scene="bokeh", palette="neon", size=SQUARE,
        title="Tram stop, glasses off",
        alt="Round lights in orange and red, far out of focus",
        taken="2026:10:30 19:12:44", exposure=("28/10", "1/20", 3200, "183/10"),
    ),
    Shot(
        slug="half-past-four", owner="cyd", scene="window", palette="wall", size=PORTRAIT,
        title="Half past four",
        alt="Light through a window falls on a warm wall, the shadow of a plant in it",
        words="It is there for twelve minutes a day, in October only.",
        taken="2026:10:11 16:30:09", exposure=("4/1", "1/60", 400, "183/10"),
    ),
    Shot(
        slug="wet-roofs", owner="cyd", scene="town", palette="rain",
        title="Wet roofs",
        alt="A town in blue rain, windows in yellow",
        taken="2026:11:02 18:20:30", exposure=("28/10", "1/40", 3200, "183/10"),
    ),
    Shot(
        slug="first-fronds", owner="dina", scene="fern", palette="fern", size=PORTRAIT,
        title="First fronds",
        alt="Fern leaves before bright green light",
        words="Dryopteris, unrolled since Tuesday.",
        taken="2026:04:25 10:05:47", exposure=("35/10", "1/200", 400, "100/1"),
    ),
    Shot(
        slug="dahlia-at-noon", owner="dina", scene="petals", palette="dahlia", size=SQUARE,
        title="Dahlia, very close",
        alt="A pink flower that fills the picture, its middle yellow",
        taken="2026:07:19 12:02:36", exposure=("56/10", "1/160", 320, "100/1"),
    ),
    Shot(
        slug="hay-week", owner="dina", scene="meadow", palette="june",
        title="The week before hay",
        alt="Tall grass and white flowers before a yellow evening sky",
        taken="2026:06:21 21:12:00", exposure=("4/1", "1/320", 200, "100/1"),
    ),
    Shot(
        slug="night-lotus", owner="dina", scene="petals", palette="lotus", size=SQUARE,
        title="Night lotus",
        alt="A pale violet flower on dark blue",
        words="She opens at eight and does not wait for anybody.",
        taken="2026:07:30 20:44:10", exposure=("4/1", "1/60", 1600, "100/1"),
    ),
    Shot(
        slug="the-road-home", owner="eike", scene="stars", palette="galaxy", size=PORTRAIT,
        title="The road home",
        alt="The Milky Way stands on a dark ridge",
        words="Twenty seconds, and I held my breath for all of them.",
        taken="2026:09:23 23:51:18", exposure=("18/10", "20/1", 3200, "14/1"),
    ),
    Shot(
        slug="green-noise", owner="eike", scene="aurora", palette="north",
        title="Green noise",
        alt="Curtains of green light over snow",
        words="It makes no sound. You listen anyway.",
        taken="2026:01:17 22:30:45", exposure=("18/10", "6/1", 1600, "14/1"),
    ),
    Shot(
        slug="minus-nineteen", owner="eike", scene="peaks", palette="winter noon",
        title="Minus nineteen",
        alt="White peaks under a clear blue sky",
        taken="2026:01:30 12:08:22", exposure=("11/1", "1/500", 100, "14/1"),
    ),
    Shot(
        slug="violet-hour", owner="eike", scene="aurora", palette="violet",
        title="Violet hour",
        alt="Violet and turquoise light over a dark plain",
        taken="2026:02:11 21:18:59", exposure=("18/10", "8/1", 2000, "14/1"),
    ),
    Shot(
        slug="one-step-per-minute", owner="finn", scene="dunes", palette="sahara",
        title="One step per minute",
        alt="Dunes in orange, their shadows brown",
        words="Walking up is two steps forward and one back.",
        taken="2026:04:03 07:12:40", exposure=("10/1", "1/250", 200, "30/1"),
    ),
    Shot(
        slug="quiet-please", owner="finn", scene="forest", palette="fog", size=PORTRAIT,
        title="Quiet, please",
        alt="Bare trunks that vanish in the fog",
        taken="2026:11:07 09:03:15", exposure=("56/10", "1/60", 640, "25/1"),
    ),
    Shot(
        slug="the-hill-behind-us", owner="finn", scene="hills", palette="blue hour",
        title="The hill behind us",
        alt="Blue hills in the last light, a pale moon over them",
        taken="2026:10:24 18:11:26", exposure=("56/10", "1/30", 800, "45/1"),
    ),
    Shot(
        slug="rose-sand", owner="finn", scene="dunes", palette="rose dunes",
        title="Rose sand",
        alt="Dunes in rose and violet",
        words="Same dune, twelve hours later. I would crop the left. Would you?",
        taken="2026:04:03 19:26:08", exposure=("8/1", "1/125", 200, "24/1"),
    ),
    Shot(
        slug="sun-in-the-pines", owner="finn", scene="forest", palette="gold fog", size=PORTRAIT,
        title="Sun in the pines",
        alt="Golden fog between trunks",
        taken="2026:10:15 08:20:55", exposure=("8/1", "1/100", 400, "35/1"),
    ),
)  # fmt: skip
