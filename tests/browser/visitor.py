"""A person at a browser: one context, one page, and everything that went wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page

from tests.browser.site import Site
from tests.support.wait import wait_until

DEMO_PASSWORD = "safelight"
Device = Literal["desk", "phone"]
Theme = Literal["light", "dark"]
DEVICES: dict[Device, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
});
"""
SCREENSHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"


@dataclass(kw_only=True)
class Visitor:
    """What a test does with a page, in the words of a person.

    `problems` collects every console error, uncaught exception and breach of the policy; the
    fixture that made the visitor fails the test if there is one.
    """

    site: Site
    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(WATCH_POLICY)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{self.page.url}: {message.text} {message.location}")

    def open(self, path: str, *, status: int = 200) -> Page:
        """Go to an address of the site and wait until it is drawn."""
        address = path if path.startswith("http") else f"{self.site.address}{path}"
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == status, f"{address} answered {answer.status}"
        if status >= 400:
            self.expect_refusals(status)
        return self.page

    def follow(self, door: Locator) -> Page:
        """Click what leads to another page, and wait until that is drawn and its scripts listen."""
        with self.page.expect_navigation():
            door.click()
        return self.page

    def expect_refusals(self, status: int = 422) -> None:
        """Forget the line that the browser itself writes for each answer of this status."""
        line = f"the server responded with a status of {status} "
        self.problems = [text for text in self.problems if line not in text]

    def log_in(self, name: str, password: str = DEMO_PASSWORD) -> None:
        self.open("/accounts/login/")
        self.page.locator("[name=login]").fill(name)
        self.page.locator("[name=password]").fill(password)
        self.follow(self.page.locator("main form button").first)
        assert self.page.url == f"{self.site.address}/"

    def wait_until(self, condition: Callable[[], bool], *, seconds: float) -> None:
        """Wait as `expect` does, for what a browser without JavaScript must ask again."""
        wait_until(condition, seconds=seconds)

    def axe(self) -> list[str]:
        """Return what axe finds wrong with the page as it stands."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            """async (tags) => (await axe.run(document, {
                runOnly: {type: "tag", values: tags}, resultTypes: ["violations"],
                // It would copy style sheets into the page, which the policy forbids.
                preload: false,
            })).violations""",
            AXE_TAGS,
        )
        return [
            f"{self.page.url} {rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]

    def is_wider_than_the_screen(self) -> bool:
        """Tell whether the page would scroll sideways."""
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )

    def show_all_pictures(self) -> None:
        """Scroll through the page so that lazy pictures are there, and back."""
        self.page.evaluate(
            """async () => {
                for (const image of document.images) image.loading = "eager";
                const all = [...document.images];
                await Promise.all(all.map((image) => image.decode().catch(() => 0)));
            }"""
        )

    def screenshot(self, name: str) -> Path:
        """Draw what is seen without scrolling, into var/screenshots/."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.show_all_pictures()
        self.page.screenshot(path=path, animations="disabled")
        return path
