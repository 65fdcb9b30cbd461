"""The pictures of the README, of the real program: `.venv/bin/python scripts/screenshots.py`, about four minutes.

It starts the demo, waits for its second fault, in which Logistics takes Checkout along, and writes `docs/images/`.
Needs Chromium, which is looked for at `/usr/bin/chromium`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
PAGE, OPS = 21730, 21731
PATIENCE = 260.0  # seconds; the second fault begins after 130 and is told a little later
COLOURS = 128  # of a picture: enough for letters and bars, and a third of the bytes


def wait_until(so: Callable[[], bool], within: float) -> None:
    """Raises TimeoutError when it does not come to pass."""
    until = time.monotonic() + within
    while not so():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(1)


def logistics_is_named() -> bool:
    """Whether an open incident has its root there, and somebody suffers from it."""
    try:
        with urlopen(f"http://127.0.0.1:{PAGE}/api/v1/incidents.json", timeout=5) as answer:
            incidents = json.load(answer)["incidents"]
    except OSError:
        return False
    return any(
        one["resolved_at"] is None and one["cause"]["module"] == "logistics" and len(one["modules"]) > 1
        for one in incidents
    )


def take(browser: Browser, name: str, address: str, height: int) -> None:
    """A picture of what stands at the top of a page."""
    page = browser.new_page(viewport={"width": 1120, "height": height}, color_scheme="light")
    page.goto(address)
    page.wait_for_timeout(1500)  # plots are drawn once their figures have come
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    small = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(IMAGES / name, optimize=True)
    page.close()
    print(f"{name}: {(IMAGES / name).stat().st_size // 1000} kB")


def main() -> None:
    demo = [sys.executable, "-m", "monitor", "demo", "--port", str(PAGE), "--ops-port", str(OPS)]
    process = subprocess.Popen(demo, stdout=subprocess.DEVNULL)
    try:
        wait_until(logistics_is_named, PATIENCE)
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            take(browser, "page.png", f"http://127.0.0.1:{PAGE}/en/", 900)
            take(browser, "healthcheck.png", f"http://127.0.0.1:{PAGE}/en/healthcheck/", 800)
            take(browser, "module.png", f"http://127.0.0.1:{OPS}/healthcheck/modules/logistics?lang=en", 900)
            browser.close()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
