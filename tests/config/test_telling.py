"""Whom the rules of `notify` tell: by store and plan, and what they must agree on."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.config import ConfigError
from monitor.core.route import Route

from .support import messages, parsed

FILE = """
channels:
  pager: {kind: slack, url: "https://pager.example/"}
  red: {kind: slack, url: "https://red.example/"}
  blue: {kind: slack, url: "https://blue.example/"}
  ana: {kind: slack, url: "https://ana.example/"}
calendars: {business: {timezone: America/Sao_Paulo}}
plans: [{id: global, name: Global, hours: business}, {id: community, name: Community}]
stores:
  - {id: acme, plan: global, channels: [red], key_account: {name: Ana, channels: [ana]}}
  - {id: bolt, plan: community, channels: [blue]}
"""


def complaints(text: str) -> list[str]:
    """All that is wrong with it."""
    with pytest.raises(ConfigError) as wrong:
        parsed(text)
    return messages(wrong.value.problems)


def routes(notify: str) -> list[tuple[tuple[str, ...], list[str] | None]]:
    """Whom each route tells, and of which stores."""
    found: tuple[Route, ...] = parsed(f"{FILE}\nnotify: {notify}").platform.routes
    return [(one.channels, None if one.stores is None else sorted(one.stores)) for one in found]


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ("[]", [(("red",), ["acme"]), (("blue",), ["bolt"])]),
        ("[{steps: [{to: pager}]}]", [(("pager",), None), (("red",), ["acme"]), (("blue",), ["bolt"])]),
        ("[{steps: [{to: [pager, red]}]}]", [(("pager", "red"), None), (("blue",), ["bolt"])]),
        ("[{steps: [{to: [pager, team]}]}]", [(("pager",), None), (("red",), ["acme"]), (("blue",), ["bolt"])]),
        (
            "[{match: {plan: global}, steps: [{to: pager}, {after: 1h, to: [team, key_account]}]}]",
            [(("pager", "red", "ana"), ["acme"]), (("blue",), ["bolt"])],
        ),
        (
            "[{match: {store: bolt}, steps: [{to: [pager, red, blue]}]}]",
            [(("pager", "red", "blue"), ["bolt"])],
        ),
        (
            "[{steps: [{to: [red, blue]}, {after: 1h, plan: global, to: pager}]}]",
            [(("red", "blue"), None), (("pager",), ["acme"])],
        ),
        ("[{match: {store: bolt, plan: global}, steps: [{to: [red, blue]}]}]", [(("red", "blue"), [])]),
    ],
    ids=[
        "teams hear of their stores",
        "beside what a rule says",
        "unless a rule names their channel",
        "or names them as teams",
        "a plan",
        "a store",
        "a step for a plan",
        "nobody",
    ],
)
def test_who_is_told_for_which_stores(notify: str, expected: list[tuple[tuple[str, ...], list[str] | None]]) -> None:
    """Each step belongs to the route of its stores."""
    assert routes(notify) == expected


def test_the_hours_of_a_plan_are_those_of_its_teams() -> None:
    """For what is not urgent; a plan without hours is there at any time."""
    found = parsed(f"{FILE}\nnotify: [{{steps: [{{to: [pager, team]}}]}}]").platform.routes
    offices = {one.channels: [step.office.name if step.office else None for step in one.steps] for one in found}
    assert offices == {("pager",): [None], ("red",): ["business"], ("blue",): [None]}


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        ("[{match: {store: acm}, steps: [{to: red}]}]", "`store` names an unknown store, `acm`; did you mean `acme`?"),
        ("[{match: {plan: globl}, steps: [{to: red}]}]", "names an unknown plan, `globl`; did you mean `global`?"),
        ("[{steps: [{to: red, plan: globl}]}]", "`plan` names an unknown plan, `globl`; did you mean `global`?"),
        ("[{steps: [{to: read}]}]", "`to` names an unknown channel, `read`; did you mean `red`?"),
        ("[{steps: [{to: teams}]}]", "`to` names an unknown channel, `teams`; did you mean `team`?"),
        ("[{steps: [{to: red, hours: busines}]}]", "unknown calendar, `busines`; did you mean `business`?"),
        ("[{steps: [{to: red, after: 5m}], digest: 1h}]", "`after` is not for a rule with `digest`"),
        ("[{steps: [{to: red}], digest: 1h, repeat: 1h}]", "`repeat` is not for a rule with `digest`"),
        ("[{steps: [{to: red}], digest: 1h, hours: business}]", "`hours` is not for a rule with `digest`"),
        ("[{steps: [{to: red}], digest: hourly}]", "must be `daily at 09:00` or a duration from 1m to 31d"),
        ("[{steps: [{to: red}], digest: daily at 9:00}]", "must be `daily at 09:00` or a duration from 1m to 31d"),
        ("[{steps: [{to: red}], digest: 1s}]", "must be `daily at 09:00` or a duration from 1m to 31d"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_told_with_the_nearest_right_one(notify: str, said: str) -> None:
    """All of them, where they stand."""
    assert any(said in one for one in complaints(f"{FILE}\nnotify: {notify}"))


def test_a_team_needs_stores() -> None:
    """A word for nobody is a mistake, or where it may become somebody, a warning."""
    bare = 'channels: {red: {kind: slack, url: "https://red.example/"}}\n'
    (said,) = complaints(bare + "notify: [{steps: [{to: team}]}]")
    assert "stands for channels of `stores`, and there are none" in said
    warnings = parsed(bare + "stores: [{id: acme}]\nnotify: [{steps: [{to: [red, team]}]}]").warnings
    assert any("tells nobody: no store names channels" in one.message for one in warnings)
    own = parsed(bare.replace("red", "team") + "stores: [{id: acme}]\nnotify: [{steps: [{to: team}]}]")
    assert [one.channels for one in own.platform.routes] == [("team",)], "a channel of that name is that channel"


def test_a_daily_digest_ends_at_its_time_in_the_zone_of_the_site() -> None:
    """Also on the days on which clocks change."""
    text = "site: {timezone: Europe/Berlin}\nnotify: [{steps: [{to: red}], digest: daily at 02:30}]"
    (rhythm,) = [one.digest for one in parsed(f"{FILE}\n{text}").platform.routes if one.digest]
    zone, utc = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
    at = datetime(2026, 3, 27, 12, tzinfo=utc)
    ends = []
    for _ in range(4):
        at = rhythm.next_at(at)
        ends.append(at.astimezone(zone).strftime("%d %H:%M"))
    assert ends == ["28 02:30", "29 03:30", "30 02:30", "31 02:30"]
    assert rhythm.next_at(datetime(2026, 3, 28, 1, 30, tzinfo=utc)).astimezone(zone).strftime("%d %H:%M") == "29 03:30"


def test_more_users_of_the_ticket_tool_than_a_plan_is_for_are_a_warning() -> None:
    """Of each store; a plan that says nothing, or is unlimited, is for any number."""
    plans = "plans: [{id: a, name: A, ticket_users: 3}, {id: b, name: B, ticket_users: null}, {id: c, name: C}]\n"
    users = {"x": ("a", 4), "y": ("a", 3), "z": ("b", 99)}
    stores = "stores:" + "".join(
        f"\n- {{id: {id}, plan: {plan}, ticket_users: {n}}}" for id, (plan, n) in users.items()
    )
    (said,) = (one.message for one in parsed(plans + stores).warnings if "ticket_users" in one.message)
    assert said == "`ticket_users` is 4, and plan `a` is for 3 users of the ticket tool"


def test_help_is_for_codes_that_exist() -> None:
    """The nearest right one is told."""
    assert parsed("site: {help: {tls: 'https://h.example/', CHK0233: 'https://h.example/'}}").site.help["tls"]
    (said,) = complaints("site: {help: {http.429x: 'https://h.example/'}}")
    assert said.endswith("`help` names an unknown code, `http.429x`; did you mean `http.429`?")
