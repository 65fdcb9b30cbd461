"""Plan: the support an operator offers, and whom it is offered to.

What the operator has not written is None and is shown nowhere: nothing about a plan is invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from monitor.core.hours import Hours
from monitor.core.text import Text

Cut = tuple[float, bool]  # a number, and whether what lies above begins after it (True) or with it (False)


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number; all that are given hold."""

    at_least: float | None = None
    at_most: float | None = None
    more_than: float | None = None
    less_than: float | None = None

    def holds(self, number: float) -> bool:
        """Whether a number lies in it."""
        return (
            (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
            and (self.more_than is None or number > self.more_than)
            and (self.less_than is None or number < self.less_than)
        )

    def cuts(self) -> set[Cut]:
        """Where the answer changes."""
        with_it = {(float(one), False) for one in (self.at_least, self.less_than) if one is not None}
        return with_it | {(float(one), True) for one in (self.at_most, self.more_than) if one is not None}


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` in a currency of ISO 4217, for each `period`: month, quarter or year."""

    amount: float
    currency: str
    period: str


@dataclass(frozen=True, slots=True)
class Opening:
    """Working hours as people read them: `days` count from Monday, 0; `since` and `until` are times such as 09:00."""

    days: tuple[int, ...]
    since: str
    until: str
    timezone: str


ALWAYS: tuple[()] = ()  # at any time; an Opening where there are hours


@dataclass(frozen=True, slots=True)
class Feature:
    """A further row of the comparison."""

    name: Text
    included: bool | None = None
    text: Text | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. `response` and `update` are times by priority: to the first answer, to the next public word; `objective`
    is the wanted ratio of the whole platform.

    `hours` and `phone` are an Opening or ALWAYS; `clock` are the hours as one reckons with them, None: always.
    `is_unlimited`: its tickets have as many users as one likes. `suggested_when` holds ranges by measure.
    """

    id: str
    name: Text
    description: Text | None = None
    price: Price | None = None
    first_contact: Text | None = None
    hours: Opening | tuple[()] | None = None
    clock: Hours | None = field(default=None, compare=False)
    objective: float | None = None
    response: Mapping[str, timedelta] = field(default_factory=dict)
    update: Mapping[str, timedelta] = field(default_factory=dict)
    phone: Opening | tuple[()] | None = None
    phone_urgent_outside: bool | None = None
    ticket_users: int | None = None
    is_unlimited: bool = False
    key_account: bool | None = None
    quarterly_review: bool | None = None
    suggested_when: Mapping[str, Range] | None = None
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """A store that is supported: its plan (empty: none), and the channels that take reports for it; those of its `team`
    and of its key `account`, whose name is `contact`; and how many `users` of the ticket tool it has."""

    id: str
    name: str
    plan: str
    channels: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    contact: str | None = None
    users: int | None = None
