"""Seats: how many runs may be under way at once.

No more than this process may have open files for, whoever else needs some; and fewer while it is short of the
processor, so that those under way end in time and say something of their targets. Whoever waits gets the next free seat
in order of its due time, and asks once however long that took: everything is asked more rarely, nothing is left out.
"""

import os
import resource
from contextlib import suppress

FEWEST = 4  # runs that are let in however few descriptors there are …
LEAST = 16  # … and however little of the processor: a run takes little of it, and most of its time somebody else's
SPARE = 8  # descriptors for what comes and goes: files of the site, mails, look-ups
READERS = 4  # of all descriptors, one part in so many is for readers (`web.patience`)
WANTED = 65_536  # descriptors, where the machine lets a process have as many
STARVED, FED = 0.6, 0.4  # share of time lost to ourselves above which seats are taken away, below which they come back
STEP = 0.2  # of the seats, at each look


def raise_limit() -> None:
    """As many descriptors as this machine lets us have without asking anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_runs() -> int:
    """How many runs there are descriptors for, besides all that is open now and what readers may take."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return WANTED
    try:
        used = len(os.listdir("/proc/self/fd"))
    except OSError:
        used = SPARE * 4
    return max(FEWEST, limit - limit // READERS - used - SPARE)


class Seats:
    """`most` runs at once; `allowed` is how many of these at the moment, `taken` how many there are."""

    def __init__(self, most: int) -> None:
        self.most = self.allowed = most
        self.taken = 0

    def is_free(self) -> bool:
        """Whether one more run may begin."""
        return self.taken < self.allowed

    def look(self, lost: float) -> None:
        """Takes seats away while so large a share of time is lost, gives them back when it is over."""
        if lost > STARVED:
            self.allowed = max(min(LEAST, self.most), int(min(self.allowed, self.taken) * (1 - STEP)))
        elif lost < FED and self.allowed < self.most:
            self.allowed = min(self.most, int(self.allowed * (1 + STEP)) + 1)

    @property
    def is_short_of_files(self) -> bool:
        """Whether it is the limit of open files that keeps runs waiting."""
        return self.taken >= self.allowed == self.most
