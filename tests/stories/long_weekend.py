"""Three plans and five stores before a long weekend, as a configuration and as a story under a fake clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.config.parse import parse
from monitor.core.board import Board
from monitor.core.deadline import BREACHED, WARNING
from monitor.core.effect import Happened
from monitor.core.incident import Incident
from monitor.core.intent import Notice
from monitor.core.module import Platform
from tests.stories.beats import Story, observation

ZONE = "America/Sao_Paulo"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
YAML = """
version: 1
site: {{languages: [en], timezone: {zone}}}
calendars:
  business: {{timezone: {zone}, days: mon-fri, from: "09:00", until: "18:00", holidays: [{holidays}]}}
  outside: {{outside: business}}
channels:
  pager: {{kind: webhook, url: "{hook}/pager"}}
  chat: {{kind: webhook, url: "{hook}/chat", hours: business}}
  phone: {{kind: webhook, url: "{hook}/phone", content_type: application/x-www-form-urlencoded,
          template: "To=%2B551199990000&Body={{{{ short | urlencode }}}}"}}
  acme-team: {{kind: webhook, url: "{hook}/acme-team"}}
  bolt-team: {{kind: webhook, url: "{hook}/bolt-team"}}
  cora-team: {{kind: webhook, url: "{hook}/cora-team"}}
  dune-team: {{kind: webhook, url: "{hook}/dune-team"}}
  echo-team: {{kind: webhook, url: "{hook}/echo-team"}}
  ana: {{kind: webhook, url: "{hook}/ana"}}
plans:
  - {{id: community, name: Community}}
  - {{id: enterprise, name: Enterprise, hours: business, response: {{urgent: 1h, high: 4h}}}}
  - {{id: global, name: Global, response: {{urgent: 1h}}, update: {{urgent: 2h}},
     phone: {{hours: business, urgent_outside: true}}, key_account: true}}
stores:
  - {{id: acme, name: Acme, plan: global, channels: [acme-team], key_account: {{name: Ana, channels: [ana]}}}}
  - {{id: bolt, name: Bolt, plan: global, channels: [bolt-team]}}
  - {{id: cora, name: Cora, plan: enterprise, channels: [cora-team]}}
  - {{id: dune, name: Dune, plan: enterprise, channels: [dune-team]}}
  - {{id: echo, name: Echo, plan: community, channels: [echo-team]}}
notify:
  - match: {{priority: [urgent, high]}}
    steps:
      - {{to: [pager, chat]}}
      - {{plan: global, to: team}}
      - {{plan: enterprise, to: team, hours: business}}
      - {{after: 15m, unless: acknowledged, plan: global, hours: outside, to: phone}}
      - {{after: 45m, unless: acknowledged, plan: global, to: key_account}}
components:
  - group: {{id: shop, name: Shop}}
    items: [{{id: buying, name: Buying, modules: [checkout]}}]
modules:
  - id: checkout
    name: Checkout
    priority: {priority}
    probes: [{{id: ask, kind: http, url: "{target}", interval: 1h, allow_private: true}}]
"""


def written(
    zone: str = ZONE,
    holidays: str = "2026-11-02",
    priority: str = "urgent",
    hook: str = "http://127.0.0.1:9",
    target: str = "http://127.0.0.1:9",
) -> str:
    """The file."""
    return YAML.format(zone=zone, holidays=holidays, priority=priority, hook=hook, target=target)


def platform(**more: str) -> Platform:
    """The same as judging reads it."""
    return parse(written(**more), "probes.yaml", {}, lambda path: "").platform


def there(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of 2026 by the clock on some wall."""
    return datetime(2026, month, day, hour, minute)  # noqa: DTZ001 - whose wall is said later


class Weekend:
    """An incident that the monitor opens at a moment there, and what follows from it minute by minute."""

    def __init__(self, began: datetime, **more: str) -> None:
        self.zone = ZoneInfo(more.get("zone", ZONE))
        self.story = Story(Board(platform(**more)), now=self.at(began) - HOUR)
        self.story.tick()
        self.outcome = "x"
        self._see()
        self.until(began)
        (one,) = self.story.board.incidents.values()
        self.id, self.since = one.id, one.detected_at

    def _see(self) -> None:
        self.seen = self.story.now
        at = self.story.now - timedelta(seconds=0.05 if self.outcome == "+" else 0.01)
        self.story.feed(observation("checkout", at, self.outcome))

    def at(self, there: datetime) -> datetime:
        """A moment of that place."""
        return there.replace(tzinfo=self.zone).astimezone(UTC)

    def until(self, there: datetime) -> None:
        """Time passes, looked at in the minutes in which something is due, and seen once an hour."""
        story, end = self.story, self.at(there)
        while story.now < end:
            due = story.board.turn_at or end
            whole = due.replace(second=0, microsecond=0)
            due = whole if whole == due else whole + MINUTE
            story.now = min(end, self.seen + HOUR, max(due, story.now + MINUTE))
            if story.now == self.seen + HOUR:
                self._see()
            story.tick()

    @property
    def incident(self) -> Incident:
        """The incident as it is now."""
        return self.story.board.incidents[self.id]

    def told(self) -> list[str]:
        """Day and time there, event or why, and to whom, of every notice but reminders."""
        found = []
        for one in (one for one in self.story.effects if isinstance(one, Happened)):
            at = f"{one.at.astimezone(self.zone):%a %H:%M}"
            said = [each for each in one.said if isinstance(each, Notice) and each.why != "reminder"]
            for why in dict.fromkeys(each.why for each in said):
                names = " ".join(each.channel for each in said if each.why == why)
                found.append(f"{at} {why} {names}")
        return found

    def clocks(self) -> list[str]:
        """Only what was said of clocks."""
        return [one for one in self.told() if " clock:" in one]

    def events(self) -> list[str]:
        """What clocks are called as events."""
        return [
            one.event
            for one in self.story.effects
            if isinstance(one, Happened) and one.event in (WARNING, BREACHED) and one.said
        ]

    def restart(self) -> None:
        """The monitor ends and begins again with what it stored."""
        before = self.story.board.platform
        self.story.restart(replace(before))
