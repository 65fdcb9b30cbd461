"""Session: who has logged in with a browser. It lives in memory: a restart, a logout, twelve hours, or two without a
request end it, and so does a configuration in which whoever it is of is no longer named, or has another password.

A browser sends its cookie along with whatever page asks it to, so a change made with a session needs the session's own
`csrf` as well, which no other page can read.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic

from monitor.core.roster import Person, Roster, Token, User

LASTS = 12 * 3600.0  # seconds
IDLE = 2 * 3600.0  # … without a request
MOST = 1000  # sessions; past it the oldest end
LONGEST_BROWSER = 60  # characters

NEVER = datetime.min.replace(tzinfo=UTC)

Opener = User | Token | None


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of a person, since when (aware UTC), from where. `id` names it and opens nothing; `opener` is what of
    the configuration let it in, None where nobody has to be let in. `begun` and `used` are monotonic."""

    csrf: str = field(repr=False)
    person: Person | None = None
    id: str = ""
    since: datetime = NEVER
    address: str = ""
    browser: str = ""
    opener: Opener = field(default=None, repr=False)
    begun: float = 0.0
    used: float = 0.0

    def vouches_for(self, csrf: str) -> bool:
        """Whether this is what was written into the pages of this session."""
        return same(csrf, self.csrf)


class Sessions:
    """Every session by the hash of its cookie. `anybody` is whoever needs none, where nobody is named."""

    def __init__(self, time: Callable[[], float] = monotonic) -> None:
        self.anybody = Session(secrets.token_urlsafe())
        self._time = time
        self._known: dict[bytes, Session] = {}
        self._roster: Roster | None = None

    def begin(self, person: Person, opener: Opener, now: datetime, address: str = "", browser: str = "") -> str:
        """A new session; gives its cookie, which nobody has seen before."""
        cookie, at = secrets.token_urlsafe(), self._time()
        self._known = {key: one for key, one in self._known.items() if self._lives(one)}
        for key in list(self._known)[: max(0, len(self._known) - MOST + 1)]:
            del self._known[key]
        self._known[_key(cookie)] = Session(
            csrf=secrets.token_urlsafe(),
            person=person,
            id=secrets.token_hex(6),
            since=now,
            address=address,
            browser=browser,
            opener=opener,
            begun=at,
            used=at,
        )
        return cookie

    def of(self, cookie: str, *, used: bool = True) -> Session | None:
        """The session of a cookie; None for one that has ended or never was. `used`: it is asked for a request."""
        found = self._known.get(_key(cookie))
        if found is None or not self._lives(found):
            return None
        if used:
            found = self._known[_key(cookie)] = replace(found, used=self._time())
        return found

    def listed(self) -> list[tuple[Session, float]]:
        """Those that live, the one used last first, with the seconds since then."""
        alive = sorted((one for one in self._known.values() if self._lives(one)), key=lambda one: -one.used)
        return [(one, self._time() - one.used) for one in alive]

    def end(self, which: Callable[[Session], bool]) -> int:
        """These sessions open nothing from now on; how many they were."""
        kept = {key: one for key, one in self._known.items() if not which(one)}
        ended, self._known = len(self._known) - len(kept), kept
        return ended

    def agree(self, roster: Roster) -> None:
        """What was opened by what the configuration no longer has ends, and everybody has the role it says now."""
        if roster is self._roster:
            return
        self._roster = roster
        agreed = {key: _agreed(one, roster) for key, one in self._known.items()}
        self._known = {key: one for key, one in agreed.items() if one is not None}

    def _lives(self, one: Session) -> bool:
        now = self._time()
        return now < one.begun + LASTS and now < one.used + IDLE


def _agreed(session: Session, roster: Roster) -> Session | None:
    """The session as this roster has it; None where it has it no more."""
    match session.opener:
        case User(name, password):
            user = roster.user(name)
            if user is None or user.password != password:
                return None
            return replace(session, person=user.person, opener=user)
        case Token():
            return session if session.opener in roster.tokens else None
    return session if roster.is_empty else None


def browser_of(agent: str) -> str:
    """A browser in brief, such as `Firefox · Linux`, as it calls itself; empty for one that does not."""
    brands = ("Edg", "OPR", "Firefox", "Chrome", "Safari", "curl")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    found = [next((one for one in names if one in agent), "") for names in (brands, systems)]
    known = " · ".join({"Edg": "Edge", "OPR": "Opera", "Mac OS": "macOS"}.get(one, one) for one in found if one)
    return known or "".join(one for one in agent if one.isprintable())[:LONGEST_BROWSER]


def same(given: str, kept: str) -> bool:
    """Whether two secrets are one, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), kept.encode("utf-8", "surrogateescape"))


def _key(cookie: str) -> bytes:
    return sha256(cookie.encode("utf-8", "surrogateescape")).digest()
