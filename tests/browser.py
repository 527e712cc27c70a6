"""A headless browser without network, and what every test with one asserts."""

import base64
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY_MS = 120_000
"""A shared machine may be slow; a page that never gets ready still fails."""
COUNT_COLOURS = """async (source) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  return 1 - Math.max(...counts.values()) / pixels.length;
}"""


def find_browser():
    """The path of a browser, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def launched():
    """A browser that is closed in the end; the test is skipped where there is none."""
    if find_spec("playwright") is None or find_browser() is None:
        pytest.skip("needs playwright and Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Look:
    """One window: opens addresses, and notes errors and requests that leave the place allowed."""

    page: object
    allowed: tuple[str, ...]
    faults: list[str] = field(default_factory=list)

    def open(self, address):
        """Open an address and wait until its view is drawn."""
        self.page.goto("about:blank")
        self.page.goto(address)
        self.page.wait_for_selector("body[data-drawn]", timeout=READY_MS)

    def n_drawn(self):
        """How many views this page has drawn."""
        return int(self.page.evaluate("document.body.dataset.drawn || 0"))

    def after(self, act, *values):
        """Do something that draws a view anew, and wait for it."""
        before = self.n_drawn()
        act(*values)
        self.page.wait_for_function(
            "before => Number(document.body.dataset.drawn) > before", arg=before, timeout=READY_MS
        )

    def go(self, state):
        """Change the address of the page that is open, as a link would."""
        self.after(lambda: self.page.evaluate("state => { location.hash = state }", state))

    def share_drawn(self, locator):
        """The share of an element's pixels that differ from its most frequent colour."""
        locator.scroll_into_view_if_needed()
        locator.locator(".main-svg").first.wait_for(state="attached", timeout=READY_MS)
        source = "data:image/png;base64," + base64.b64encode(locator.screenshot()).decode()
        blank = self.page.context.new_page()
        share = blank.evaluate(COUNT_COLOURS, source)
        blank.close()
        return share


@contextmanager
def window(browser, allowed, *, width=1440, height=1000, dark=False):
    """A window in which errors and outside requests fail the test that uses it."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
        bypass_csp=True,
    )
    look = Look(page=context.new_page(), allowed=tuple(allowed))
    watch(look, context)
    yield look
    context.close()
    assert look.faults == []


def watch(look, context):
    """Note what a page should not do."""

    def pass_or_stop(route):
        address = route.request.url
        if address.startswith((*look.allowed, "data:", "blob:", "about:")):
            route.continue_()
        else:
            look.faults.append(f"request to {address}")
            route.abort()

    context.route("**/*", pass_or_stop)
    page = look.page
    page.on("pageerror", lambda error: look.faults.append(f"error: {error}"))
    page.on(
        "console",
        lambda message: (
            look.faults.append(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on("dialog", lambda dialog: (look.faults.append("dialog"), dialog.dismiss()))


def file_address(path):
    """The address of a file."""
    return Path(path).resolve().as_uri()
