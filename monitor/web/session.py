"""Session: who has logged in with a browser. It lives in memory: a restart, a logout or twelve hours end it.

A browser sends its cookie along with whatever page asks it to, so a change made with a session needs the session's own
`csrf` as well, which no other page can read.
"""

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic

LASTS = 12 * 3600.0  # seconds
MOST = 1000  # sessions; past it the oldest end
ATTEMPTS = 5  # wrong tokens a minute from one address
ATTEMPTS_OF_ALL = 50  # … and from all of them together
MINUTE = 60.0
LONGEST_LIST = 10_000  # addresses that are remembered


@dataclass(frozen=True, slots=True)
class Session:
    """One browser. `by` is the name that the person gave, for the record of operators; `ends_at` is monotonic."""

    csrf: str = field(repr=False)
    by: str | None = None
    ends_at: float = float("inf")

    def vouches_for(self, csrf: str) -> bool:
        """Whether this is what was written into the pages of this session."""
        return same(csrf, self.csrf)


class Sessions:
    """Every session by the hash of its cookie. `anybody` is whoever needs none, where no token is set."""

    def __init__(self, time: Callable[[], float] = monotonic) -> None:
        self.anybody = Session(secrets.token_urlsafe())
        self._time = time
        self._known: dict[bytes, Session] = {}
        self._wrong: dict[str, deque[float]] = {}
        self._all_wrong: deque[float] = deque(maxlen=ATTEMPTS_OF_ALL)

    def begin(self, by: str | None) -> str:
        """A new session; gives its cookie."""
        cookie, now = secrets.token_urlsafe(), self._time()
        alive = {key: one for key, one in self._known.items() if one.ends_at > now}
        self._known = dict(list(alive.items())[-MOST + 1 :])
        self._known[_key(cookie)] = Session(secrets.token_urlsafe(), by, now + LASTS)
        return cookie

    def of(self, cookie: str) -> Session | None:
        """The session of a cookie; None for one that has ended or never was."""
        found = self._known.get(_key(cookie))
        return found if found is not None and found.ends_at > self._time() else None

    def end(self, cookie: str) -> None:
        """From now on the cookie opens nothing."""
        self._known.pop(_key(cookie), None)

    # -- wrong tokens -------------------------------------------------------------------------------------------------

    def wait(self, address: str) -> float:
        """Seconds before this address may try again; 0 when it may."""
        since = self._time() - MINUTE
        own = [at for at in self._wrong.get(address, ()) if at > since]
        everybody = [at for at in self._all_wrong if at > since]
        if len(own) >= ATTEMPTS:
            return own[0] - since
        return everybody[0] - since if len(everybody) >= ATTEMPTS_OF_ALL else 0.0

    def failed(self, address: str) -> None:
        """Somebody there sent a wrong token."""
        now = self._time()
        if len(self._wrong) >= LONGEST_LIST:
            self._wrong = {one: tries for one, tries in self._wrong.items() if tries[-1] > now - MINUTE}
        self._wrong.setdefault(address, deque(maxlen=ATTEMPTS)).append(now)
        self._all_wrong.append(now)


def same(given: str, kept: str) -> bool:
    """Whether two secrets are one, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), kept.encode("utf-8", "surrogateescape"))


def _key(cookie: str) -> bytes:
    return sha256(cookie.encode("utf-8", "surrogateescape")).digest()
