"""Intent: a message that is to be sent, or that is kept back, and why."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one channel, and why it is sent: first, escalated, reopened, resolved, reminder, cause_changed,
    acknowledged, lowered, silence_ended, work_ended, `clock:PLAN:PROMISE:PERCENT`; or the change by which an incident
    became one of a route's: worsened, member_added, cause_changed.

    `opens`: as far as the channel knew, nothing of the kind was going on.
    """

    at: datetime
    why: str
    incident: str
    channel: str
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Withheld:
    """A message that is not sent, and why not: `explained_by:MODULE`, `hours:CALENDAR`, `acknowledged`,
    `maintenance:ID`, `silenced:ID`, `flapping`, `low`. `module` is whose message it would have been, where it is a
    member's."""

    at: datetime
    why: str
    incident: str
    module: str | None = None


Intent = Notice | Withheld
