"""`monitor agent`: probes from another place, until it is told to stop."""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from signal import SIG_IGN, signal

from monitor.agent import Agent
from monitor.commands.common import STOPS
from monitor.commands.run import end_on_signals
from monitor.config import Broker
from monitor.config.places import SHORTEST_SECRET
from monitor.logs import mask_with
from monitor.mask import masker
from monitor.places.outbox import OutboxFailed
from monitor.probers.seats import raise_limit
from monitor.spans import start

SECRET = "MONITOR_LOCATION_SECRET"


async def agent(location: str, broker: Broker, secret: str, data: Path) -> int:
    """Runs until SIGTERM or SIGINT. Exit status: 0 after a clean stop, 1 when the disk does not let it begin."""
    raise_limit()
    mask_with(masker(frozenset(filter(None, (secret, broker.password)))))
    one = Agent(location, secret, broker, data, version=version("vtex-monitor"))
    end_on_signals(one.stop)
    stop = start()
    try:
        await one.run()
    except OutboxFailed as error:
        print(f"{error}; choose another --data", file=sys.stderr)
        return 1
    finally:
        stop()
        for number in STOPS:
            signal(number, SIG_IGN)
    return 0


def secret_of(environment: Mapping[str, str] = os.environ) -> str:
    """The secret of the place. Raises ValueError with a sentence for whoever is to give it."""
    text, file = environment.get(SECRET), environment.get(f"{SECRET}_FILE")
    if not text and file:
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise ValueError(f"{SECRET}_FILE cannot be read ({why}): {file}") from None
    if not text:
        raise ValueError(f"{SECRET} is not set: it is the `secret` of the location in the core's configuration")
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"{SECRET} is shorter than {SHORTEST_SECRET} characters: is it whole?")
    return text


def broker_of(url: str, ca_file: str | None, cert_file: str | None, key_file: str | None) -> Broker:
    """The broker of these options; its password stands apart, so that nothing shows it. Raises ValueError."""
    from yarl import URL

    found = URL(url)
    if found.scheme not in ("mqtt", "mqtts", "ws", "wss") or not found.host:
        raise ValueError("--broker must be an address such as mqtts://NAME:PASSWORD@broker.example.com:8883")
    bare = found.with_user(None)
    return Broker(str(bare), found.user, found.password, ca_file, cert_file, key_file)
