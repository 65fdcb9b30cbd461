"""Settings: what one store has set up, and how long the slow parts of the platform take. Changed while it runs.

Times are the documented ones; a test makes them short, a rehearsal leaves them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from monitor.simulator.faults import WrongFault, nearest

# The only words some settings take, the default first.
_WORDS = {
    "recaptcha": ("vtexCriteria", "never", "always"),
    "feed": ("schema", "guide", "removed"),
}

_MOST = {"limits": 1.0}
_MOST_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers are seconds where nothing else is said.

    `cache` is the longest that any cache keeps a copy: 0 keeps none, 3600 gives every route its documented time.
    `index` passes from a change in the catalog until search shows it, `order_index` until the order list does.
    `touch` is how often the store's own job rewrites the specification that a freshness probe reads; 0 for never.
    `payment_window` is how long an order waits for its payment, `order_step` how long it stays in each status.
    `page_delay` is how late the platform's own status page tells of a fault: the quickest of a real one.
    `limits` is the share of the documented limits that is granted. `feed` is how the feed's configuration is spelt.
    """

    cache: float = 0.0
    index: float = 360.0
    order_index: float = 240.0
    touch: float = 60.0
    payment_window: float = 300.0
    order_step: float = 20.0
    page_delay: float = 1080.0
    limits: float = 1.0
    active: bool = True
    recaptcha: str = "vtexCriteria"
    feed: str = "schema"

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
        return asdict(self)

    def changed(self, wanted: Mapping[str, Any]) -> "Settings":
        """These with some others. Raises WrongFault for a name or value that cannot be."""
        known = {one.name: one.type for one in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise WrongFault(f"no setting {name!r}" + nearest(name, [*known]))
            if name in _WORDS:
                if value not in _WORDS[name]:
                    raise WrongFault(f"{name} must be one of {', '.join(_WORDS[name])}, not {value!r}")
            elif isinstance(getattr(self, name), bool):
                if not isinstance(value, bool):
                    raise WrongFault(f"{name} must be true or false, not {value!r}")
            else:
                most = _MOST.get(name, _MOST_SECONDS)
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                    raise WrongFault(f"{name} must be a number from 0 to {most:g}, not {value!r}")
        return replace(self, **wanted)
