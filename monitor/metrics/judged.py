"""Judged: one series per probe out of what several places saw, since alert rules know nothing of places.

Durations are the median over the places whose last run succeeded (over all when none did), certificates the earliest
end that was seen, the status code the most frequent one and the worse on a tie. Everything else is what the place
saw that stands for the majority.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from monitor.metrics.facts import SUCCESS, Facts, Sample

STATUS: Sample = ("probe_http_status_code", "")
EARLIEST = ("probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_expiry_timestamp_seconds")


def judged(places: Sequence[Facts]) -> Facts:
    """The facts of one probe over all its places, in order of the configuration. `probe_success` is not judged here."""
    if len(places) == 1:
        return places[0]
    well = [one for one in places if one[SUCCESS]] or list(places)
    status = _status([one[STATUS] for one in places if STATUS in one])
    chosen = next((one for one in places if one.get(STATUS) == status), well[0])
    found = dict(chosen)
    for sample in chosen:
        name = sample[0]
        if name.endswith("duration_seconds") or name == "probe_dns_lookup_time_seconds":
            found[sample] = median([one[sample] for one in well if sample in one] or [chosen[sample]])
        elif name in EARLIEST:
            found[sample] = min(one[sample] for one in places if sample in one)
    return found


def _status(seen: Sequence[float]) -> float | None:
    """The most frequent status; on a tie the worse, and no answer at all is worse than any."""
    count = Counter(seen)
    return max(count, key=lambda code: (count[code], code == 0, code), default=None)
