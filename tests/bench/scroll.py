"""How smoothly a Healthcheck of very many modules scrolls in Chromium on a slow machine.

    python -m tests.bench.scroll [--modules 1000] [--slower 4]

Measured between animation frames while the page is scrolled from top to bottom, once as it is and once with every box
laid out and painted from the start.
"""

import argparse
import re
import statistics
from typing import Any

from playwright.sync_api import sync_playwright

from monitor.pages.render import html_files
from tests.pages.conftest import THEME, loaded
from tests.pages.maps import picture_of, platform_of
from tests.pages.test_browser import CHROMIUM, ORIGIN, Shop, status

SCROLL = """async () => {
  const times = [], step = 120;
  let last = performance.now();
  for (let count = 0; count < 180; count++) {
    scrollBy(0, step);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times;
}"""
TIMING = """() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd"""


def measure(browser: Any, page_bytes: bytes, files: dict[str, bytes], slower: float) -> tuple[list[float], float]:
    """Milliseconds between frames, and from the start to the page being there."""
    shop = Shop({**files, "healthcheck/index.html": page_bytes, "api/v1/status.json": status()})
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.route("**/*", shop.serve)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(f"{ORIGIN}/healthcheck/")
    page.wait_for_selector("#filter_by:not([hidden])")
    ready = page.evaluate(TIMING)
    times = page.evaluate(SCROLL)
    page.context.close()
    return times, ready


def main() -> None:
    """Prints both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--slower", type=float, default=4)
    options = parser.parse_args()
    picture = picture_of(platform_of(options.modules), "module-0003", ("module-0700", "module-0701"))
    files = html_files(picture, loaded(), THEME)
    page = files["healthcheck/index.html"]
    eager = re.sub(rb"content-visibility: auto;", b"", page)
    assert eager != page
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for name, content in (("everything", eager), ("as it is", page), ("everything", eager), ("as it is", page)):
            times, ready = measure(browser, content, files, options.slower)
            late = sum(one > 50 for one in times)
            print(
                f"{name:<12} there after {ready:6.0f} ms; frames: median {statistics.median(times):5.1f} ms, "
                f"95 % {statistics.quantiles(times, n=20)[-1]:5.1f} ms, longest {max(times):6.1f} ms, "
                f"{late} of {len(times)} over 50 ms",
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()
