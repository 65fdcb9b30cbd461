"""Faults: what is struck now, how hard, and which requests it hits.

Which requests of a partial fault are hit is not a matter of luck: the n-th request is hit when the n-th point of a
golden-ratio sequence falls below the ratio. So 0.75 hits three of every four, evenly spread, the same in every run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from hashlib import blake2b
from time import monotonic
from typing import Any

from monitor.simulator.hosts import HOSTS, KINDS, kind_of
from monitor.simulator.modules import GATEWAY, STRUCK, version_after

FAULTS = (
    "http_500",
    "http_429",
    "http_503",
    "slow",
    "timeout",
    "refuse",
    "reset",
    "truncate",
    "garbage",
    "wrong_json",
    "stale",
    "stall",
    "certificate_expired",
    "version_change",
)

OPTIONS = ("ratio", "delay", "locations", "ramp", "tail")

# Seconds when nothing was said. A timeout outlasts every probe; a reset comes while the answer is being made.
DELAYS = {"slow": 3.0, "timeout": 60.0, "reset": 0.05}

MOST_SECONDS = 86400.0  # of a ramp or a tail
REMEMBERED = 50  # faults that are over

STALE_BY = timedelta(hours=2)  # how old the copy is that a stale module serves

# Faults that leave what a module does in the background alone.
_GOES_ON = ("slow", "http_429", "certificate_expired", "version_change")

_NOT_OF_REQUESTS = ("certificate_expired", "version_change")  # they strike handshakes and headers instead

_GOLDEN = 0.6180339887498949


class WrongFault(ValueError):
    """A strike that cannot be: its text says what is wrong and names the nearest right word."""


@dataclass(slots=True)
class Strike:
    """One fault on one module. `since` is on the monotonic clock, `at` the same moment on the wall's."""

    fault: str
    ratio: float = 1.0
    delay: float = 0.0
    locations: tuple[str, ...] = ()
    ramp: float = 0.0
    tail: float = 0.0
    since: float = 0.0
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    cleared: float | None = None  # on the monotonic clock: when its tail began
    seen: int = 0
    hit: int = 0

    def share(self, now: float) -> float:
        """How much of its strength is there: it grows along the ramp, and fades along the tail once cleared."""
        grown = 1.0 if self.ramp <= 0 else min(1.0, max(0.0, (now - self.since) / self.ramp))
        return grown if self.cleared is None else grown * (1.0 - self.faded(now))

    def faded(self, now: float) -> float:
        """How far along its tail it is, from 0 to 1."""
        if self.cleared is None:
            return 0.0
        return 1.0 if self.tail <= 0 else min(1.0, (now - self.cleared) / self.tail)

    @property
    def frozen_at(self) -> datetime | None:
        """The moment the module's data stopped at; None while it goes on."""
        return {"stale": self.at - STALE_BY, "stall": self.at}.get(self.fault)

    @property
    def shuts_the_door(self) -> bool:
        """Whether every connection is refused, for good: only then can a port stop listening."""
        return self.fault == "refuse" and self.ratio >= 1 and self.cleared is None and not (self.ramp or self.locations)

    @property
    def stops_work(self) -> bool:
        """Whether nothing at all is done in the background: a module struck now and then tries again."""
        return self.fault not in _GOES_ON and self.ratio >= 1 and self.cleared is None and not self.locations

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "fault": self.fault,
            "ratio": self.ratio,
            "delay": self.delay,
            "locations": list(self.locations),
            "ramp": self.ramp,
            "tail": self.tail,
            "clearing": self.cleared is not None,
            "since": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "seen": self.seen,
            "hit": self.hit,
        }


@dataclass
class Faults:
    """Every strike by module id, `shared:HOST` or `shared:gateway`, and the deploys that happened meanwhile."""

    account: str
    now: Callable[[], float] = monotonic
    strikes: dict[str, Strike] = field(default_factory=dict)
    deploys: dict[str, int] = field(default_factory=dict)
    past: list[tuple[str, Strike, datetime]] = field(default_factory=list)  # what was struck, how, and until when

    def strike(self, module: str, fault: str, **options: Any) -> Strike:
        """Puts a fault on a module, in place of the one that was there. Raises WrongFault."""
        key = self.key(module)
        strike = replace(checked(fault, options), since=self.now(), at=datetime.now(UTC))
        if fault == "version_change":
            for id in self.behind(key):
                self.deploys[id] = self.deploys.get(id, 0) + 1
        self._end(key)
        self.strikes[key] = strike
        return strike

    def clear(self, module: str | None = None, tail: float | None = None) -> bool:
        """Ends one fault, or all; a deploy that came with it is rolled back. False when there was none.

        One with a tail, its own or the one given here, fades over so many seconds instead; cleared once more, it ends.
        Raises WrongFault.
        """
        if tail is not None:
            _number({"tail": tail}, "tail", 0.0, MOST_SECONDS)
        keys = list(self.strikes) if module is None else [self.key(module)]
        if module is None:
            self.deploys.clear()
        found = False
        for key in keys:
            for id in self.behind(key):
                self.deploys.pop(id, None)
            strike = self.strikes.get(key)
            if strike is None:
                continue
            found = True
            strike.tail = tail if tail is not None else strike.tail if strike.cleared is None else 0.0
            strike.cleared = self.now()
            self._drop_faded(key)
        return found

    def _drop_faded(self, key: str) -> Strike | None:
        """The strike that is there, once one that has faded altogether is gone."""
        strike = self.strikes.get(key)
        if strike is not None and strike.faded(self.now()) >= 1:
            self._end(key)
            return None
        return strike

    def _end(self, key: str) -> None:
        strike = self.strikes.pop(key, None)
        if strike is not None:
            self.past = [*self.past[1 - REMEMBERED :], (key, strike, datetime.now(UTC))]

    def standing(self) -> dict[str, Strike]:
        """Every strike that still has an effect, by key."""
        return {key: strike for key in list(self.strikes) if (strike := self._drop_faded(key)) is not None}

    def still_since(self, module: str) -> datetime | None:
        """Since when a module does nothing in the background; None while it works."""
        strike = self._drop_faded(module)
        if strike is None or not strike.stops_work:
            return None
        return strike.frozen_at or strike.at

    def draw(self, key: str, location: str | None) -> Strike | None:
        """The strike that hits this request, weakened by its ramp; None when it passes. Counts the request."""
        strike = self._drop_faded(key)
        if strike is None or strike.fault in _NOT_OF_REQUESTS:
            return None
        if strike.locations and location not in strike.locations:
            return None
        return self._hit(key, strike)

    def draw_handshake(self, key: str) -> bool:
        """Whether a handshake is struck. It comes before any header, so `locations` cannot matter to it."""
        strike = self._drop_faded(key)
        return strike is not None and self._hit(key, strike) is not None

    def _hit(self, key: str, strike: Strike) -> Strike | None:
        strike.seen += 1
        share = strike.share(self.now())
        if (strike.seen * _GOLDEN + _offset(key)) % 1.0 >= strike.ratio * share:
            return None
        strike.hit += 1
        return strike if share >= 1 else replace(strike, delay=strike.delay * share)

    def version(self, module: str) -> str:
        """Application and version that answer for a module now."""
        return version_after(STRUCK[module], self.deploys.get(module, 0))

    def key(self, module: str) -> str:
        """The one name of what is struck: `shared:` takes a host name, its kind, or `gateway`. Raises WrongFault."""
        if module in STRUCK:
            return module
        shared, _, what = module.partition(":")
        if shared == "shared":
            if what == "gateway":
                return GATEWAY
            kind = what if what in KINDS else kind_of(what, self.account)
            if kind is not None:
                return f"shared:{KINDS[kind].named(self.account)}"
        words = [*STRUCK, "shared:gateway", *(f"shared:{host.named(self.account)}" for host in HOSTS)]
        raise WrongFault(f"no module {module!r}" + nearest(module, words))

    def behind(self, key: str) -> tuple[str, ...]:
        """The modules whose version a strike changes: the module itself; a host has none of its own."""
        return (key,) if key in STRUCK else ()


def checked(fault: Any, options: Mapping[str, Any]) -> Strike:
    """A strike with every option looked at. Raises WrongFault."""
    if not isinstance(fault, str) or fault not in FAULTS:
        raise WrongFault(f"no fault {fault!r}" + nearest(str(fault), FAULTS))
    for name in options:
        if name not in OPTIONS:
            raise WrongFault(f"no field {name!r}" + nearest(name, OPTIONS))
    locations = options.get("locations", ())
    if not isinstance(locations, list | tuple) or not all(isinstance(one, str) for one in locations):
        raise WrongFault('locations must be a list of names, such as ["here"]')
    return Strike(
        fault,
        ratio=_number(options, "ratio", 1.0, 1.0),
        delay=_number(options, "delay", DELAYS.get(fault, 0.0), 3600.0),
        locations=tuple(locations),
        ramp=_number(options, "ramp", 0.0, MOST_SECONDS),
        tail=_number(options, "tail", 0.0, MOST_SECONDS),
    )


def _number(options: Mapping[str, Any], name: str, default: float, most: float) -> float:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise WrongFault(f"{name} must be a number from 0 to {most:g}, not {value!r}")
    return float(value)


def nearest(word: str, words: tuple[str, ...] | list[str]) -> str:
    """`; did you mean 'slow'?`, or the whole list when nothing is near."""
    close = get_close_matches(word, words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; one of {', '.join(words)}"


def _offset(key: str) -> float:
    """Where a module's sequence starts, so that two partial faults do not hit in step."""
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) / 2**32
