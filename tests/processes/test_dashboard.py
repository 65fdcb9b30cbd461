"""The operators' dashboard of the real program: a fault followed on it alone, without a script."""

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest

from tests.processes.running import Monitor, Shop, eventually, get

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Browser:
    """Follows links and sends forms, as a browser without script does."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))

    def page(self, path: str) -> str:
        with self._opener.open(Request(self.root + path, headers={"Accept-Language": "en"}), timeout=5) as answer:
            return str(answer.read().decode())

    def send(self, path: str, seen_on: str, **fields: str) -> str:
        """The page that a form leads to."""
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.page(seen_on))
        assert csrf is not None
        data = urlencode({"csrf": csrf[1], **{name.replace("__", "."): text for name, text in fields.items()}}).encode()
        headers = {"Accept-Language": "en", "Origin": self.root}
        with self._opener.open(Request(self.root + path, data, headers), timeout=10) as answer:
            return str(answer.read().decode())


async def test_a_fault_is_followed_on_the_dashboard_alone(monitor: Monitor, shop: Shop) -> None:
    """Seen with its reason, taken, told to readers, probed, over; a broken configuration is told as well."""
    browser = Browser(monitor.ops)
    async with monitor.start() as process:
        await monitor.until("up")
        well = "The monitor sees everything it should."  # once it is over that it began beside other work
        await eventually(lambda: well in browser.page("/healthcheck"), 60, "nothing is wrong with the monitor")
        assert "No open incident." in browser.page("/healthcheck")
        await shop.shut()
        await eventually(lambda: "tcp.refused" in browser.page("/healthcheck"), 60, "the reason is on the board")
        await monitor.until("down")
        board = browser.page("/healthcheck")
        id = re.findall(r'id="incident-(\w{12})"', board)[0]
        here = f"/healthcheck/incidents/{id}"
        assert "Acknowledged" in browser.send(f"{here}/acknowledge", here, back="board")
        told = browser.send(f"{here}/update", here, message__en="We look into it.", status="identified")
        assert "Done, and on disk." in told
        public = f"http://127.0.0.1:{monitor.page}/en/incidents/{id}/"
        await eventually(lambda: "We look into it." in get(public)[1], 10, "readers are told")
        monitor.file.write_text(monitor.configuration() + "nonsense: 1\n")
        await eventually(
            lambda: "The configuration file has a mistake" in browser.page("/healthcheck"), 20, "the mistake is told"
        )
        monitor.file.write_text(monitor.configuration())
        await shop.open()
        module = "/healthcheck/modules/files"
        assert "The probes were asked once more" in browser.send(f"{module}/probe", module)
        await eventually(lambda: "HTTP/1.0 200" in browser.page(module), 20, "what the probe saw is there")
        await monitor.until("up", within=120)
        await eventually(lambda: "No open incident." in browser.page("/healthcheck"), 20, "it is over")
        assert "The configuration file" not in browser.page("/healthcheck")
        assert "do-postmortem" in browser.page(here)
        assert await process.leave() == 0
