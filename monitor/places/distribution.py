"""Distribution: each place is given its share of the configuration, as a message the broker keeps for it.

It is published whenever the core has connected and whenever the configuration has changed; a place that was away finds
the newest one there. A place that is no more in the configuration is given an empty share.
"""

import logging
from datetime import datetime
from pathlib import Path

from monitor.config import Config
from monitor.places import topics
from monitor.places.seal import Refused, Seal
from monitor.places.share import Shares, canonical, nothing
from monitor.places.wire import Configuration, pack

log = logging.getLogger(__name__)


class Distribution:
    """The shares of the configuration in force. `digests` names by location the one that each place was given;
    `trouble` says by location why a place has none."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        self.trouble: dict[str, str] = {}
        self._given: dict[str, str] = {}

    def messages(self, config: Config, now: datetime) -> dict[str, bytes]:
        """What is to be retained under which topic. Takes a while for thousands of probes: not for the event loop."""
        shares, messages = Shares(config, _authorities(config)), dict[str, bytes]()
        left = self._given.keys() - config.place_secrets.keys()
        self.digests, self.trouble = {}, {}
        for location, secret in config.place_secrets.items():
            seal, share = Seal(secret, location), shares.of(location)
            topic, digest = topics.configuration(location), seal.digest(canonical(share))
            try:
                messages[topic] = pack(seal, topic, Configuration(digest, now, share))
                self.digests[location] = digest
            except Refused as error:
                self.trouble[location] = str(error)
                log.error("place %s is not told its configuration: %s", location, error, extra=_about(location))
        for location in left:
            seal, topic = Seal(self._given[location], location), topics.configuration(location)
            share = Shares(nothing(location)).of(location)
            messages[topic] = pack(seal, topic, Configuration(seal.digest(canonical(share)), now, share))
        self._given = dict(config.place_secrets)
        return messages


def _authorities(config: Config) -> str | None:
    """Those that every place is to trust as well; which file that is was looked at when the configuration was read."""
    name = config.network.ca_file
    if name is None:
        return None
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        log.error("monitor.ca_file cannot be read, and no place is given it: %s", error)
        return None


def _about(location: str) -> dict[str, dict[str, str]]:
    return {"about": {"location": location}}
