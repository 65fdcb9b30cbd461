"""How long 5,000 subscribers by mail and 1,000 by a call wait for an event, and what the event loop notices of it.

`python -m tests.bench.subscribers [MAILS] [CALLS]`: a real store, mail server and receivers, all in one process.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP

from monitor.circulation import Circulation
from monitor.clock import SystemClock
from monitor.core.board import Board
from monitor.core.incident import Incident
from monitor.core.subscriber import Subscriber
from monitor.store import open_store
from monitor.web.ticket import new_id
from tests.store.past import saved
from tests.test_circulation import OPENED, SPEECH, Hooks, Postbox, World


async def main(mails: int, calls: int) -> None:
    """Prints seconds until the last one was told, and the longest pause of the loop."""
    hooks, postbox, app, loop = Hooks(), Postbox(), web.Application(), asyncio.get_running_loop()
    app.add_routes([web.post("/{name}", hooks.take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await loop.create_server(lambda: SMTP(postbox, hostname="mx", loop=loop), "127.0.0.1", 0)
    config = World(server.sockets[0].getsockname()[1], hooks, postbox).config
    with tempfile.TemporaryDirectory() as folder:
        clock, store = SystemClock(), await open_store(f"sqlite:///{Path(folder) / 'monitor.db'}")
        now = clock.now()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        for number in range(mails + calls):
            kind = "email" if number < mails else "webhook"
            address = f"c{number}@example.com" if kind == "email" else f"{url}/h{number}"
            await store.subscribers.add(Subscriber(new_id(), kind, address, "en", now, confirmed_at=now))
        one = Circulation(config, store, clock, lambda: Board(config.platform), lambda: SPEECH, b"s" * 32)
        running = asyncio.create_task(one.run())
        await asyncio.sleep(3)
        began, worst, told = time.monotonic(), 0.0, dict[str, float]()
        await store.commit([saved(_now())])
        one.nudge()
        while "mails" not in told or "calls" not in told:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            worst = max(worst, time.monotonic() - before - 0.01)
            if len(hooks.got) >= calls:
                told.setdefault("calls", time.monotonic() - began)
            if len(postbox.mails) >= mails:
                told.setdefault("mails", time.monotonic() - began)
        print({**{key: round(seconds, 1) for key, seconds in told.items()}, "longest_pause": round(worst, 3)})
        running.cancel()
        await asyncio.wait({running})
        await one.close()
        await store.close()
    server.close()
    await runner.cleanup()


def _now() -> Incident:
    """An incident that opened a moment ago."""
    now = SystemClock().now()
    update = replace(OPENED.updates[0], at=now)
    return replace(OPENED, started_at=now, detected_at=now, published_at=now, updates=(update,))


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    asyncio.run(main(*(given or (5000, 1000))))
