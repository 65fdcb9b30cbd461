"""`channels`, `notify`, `calendars` and `maintenance`: who is told what, when, and what is planned."""

import re
from datetime import date, datetime, timedelta
from email.utils import getaddresses, parseaddr
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic import Tag as UnionTag
from pydantic_core import PydanticCustomError

from monitor.config.addresses import HeaderName, HeaderValue, HostPort, MqttUrl, Url
from monitor.config.daysoff import wrong_with as unknown_region
from monitor.config.expect import Section, listed, mapped, whole
from monitor.config.kinds import kind_tag
from monitor.config.recurrence import wrong_with
from monitor.config.scalars import Boolean, Delay, Duration, Id, Tag, Text, Texts, Title, Zone, duration, refuse
from monitor.config.table import Withheld
from monitor.core.codes import CODES

Priority = Literal["urgent", "high", "normal", "low"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOLIDAYS = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_ADDRESS = re.compile(r"[!#-'*+./0-9=?A-Z^_`a-z{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
TOPIC = r"^[^#+$\x00][^#+\x00]*$"  # that one may publish below
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_RULE = {
    "FREQ": r"YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY",
    "INTERVAL": r"[1-9][0-9]{0,3}",
    "COUNT": r"[1-9][0-9]{0,5}",
    "UNTIL": r"[0-9]{8}(T[0-9]{6}Z?)?",
    "BYDAY": r"[+-]?[0-9]{0,2}(MO|TU|WE|TH|FR|SA|SU)(,[+-]?[0-9]{0,2}(MO|TU|WE|TH|FR|SA|SU))*",
    "BYMONTHDAY": r"-?[0-9]{1,2}(,-?[0-9]{1,2})*",
    "BYMONTH": r"[0-9]{1,2}(,[0-9]{1,2})*",
    "BYYEARDAY": r"-?[0-9]{1,3}(,-?[0-9]{1,3})*",
    "BYWEEKNO": r"-?[0-9]{1,2}(,-?[0-9]{1,2})*",
    "BYHOUR": r"[0-9]{1,2}(,[0-9]{1,2})*",
    "BYMINUTE": r"[0-9]{1,2}(,[0-9]{1,2})*",
    "BYSETPOS": r"-?[0-9]{1,3}(,-?[0-9]{1,3})*",
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
}


def _rrule(value: Any) -> str:
    """The text of an RFC 5545 recurrence rule, upper case, without `RRULE:`."""
    if not isinstance(value, str):
        raise refuse("must be an RFC 5545 rule, such as FREQ=WEEKLY;BYDAY=SU")
    parts: dict[str, str] = {}
    for part in value.upper().removeprefix("RRULE:").split(";"):
        name, _, what = part.partition("=")
        if name not in _RULE or name in parts or not re.fullmatch(_RULE[name], what):
            raise refuse("is not an RFC 5545 rule, such as FREQ=WEEKLY;BYDAY=SU")
        parts[name] = what
    if "FREQ" not in parts or ("COUNT" in parts and "UNTIL" in parts):
        raise refuse("needs FREQ, and at most one of COUNT and UNTIL")
    rule = ";".join(f"{name}={what}" for name, what in parts.items())
    wrong = wrong_with(rule)
    if wrong is not None:
        raise refuse(wrong)
    return rule


KINDS_OF_FAULT = ("slow", "degraded", *sorted({code.partition(".")[0] for code in CODES}), *CODES)


def _fault(value: Any) -> str:
    """`slow`, `degraded`, a code of a cause, or the family a code belongs to."""
    if value not in KINDS_OF_FAULT:
        raise refuse("must be slow, degraded, a code such as http.503, or its family such as tls")
    return str(value)


def moment(value: Any) -> datetime:
    """A date and a time, with or without an offset."""
    try:
        if not isinstance(value, str) or len(value) < 16:
            raise ValueError
        return datetime.fromisoformat(value)
    except ValueError:
        raise refuse("must be a date and a time, such as 2026-11-27T02:00") from None


def _clock(value: Any) -> str:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise refuse('must be a time of day, such as "09:00"')
    return str(value)


def _days(value: Any) -> list[str]:
    """`mon-fri`, `mon,wed`, or a list of either, as names in the order of the week."""
    found: set[str] = set()
    parts = value if isinstance(value, list) else [value]
    for part in (one for text in parts for one in (text.split(",") if isinstance(text, str) else [""])):
        first, dash, last = (one.strip().lower() for one in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise refuse("must be days such as mon-fri, or a list such as [mon, wed, sat]")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found.update(DAYS[start : end + 1] if start <= end else (*DAYS[start:], *DAYS[: end + 1]))
    return [day for day in DAYS if day in found]


def _holidays(value: Any) -> list[str]:
    """Regions (`BR-SP`) and dates."""
    listed = [] if value is None else value if isinstance(value, list) else [value]
    for index, one in enumerate(listed):
        try:
            region = isinstance(one, str) and _HOLIDAYS.fullmatch(one)
            if not isinstance(one, str) or not (region or date.fromisoformat(one)):
                raise ValueError
        except ValueError:
            raise refuse(
                "must be a region such as BR-SP, a date such as 2026-12-25, or a list of those", index=index
            ) from None
        if region and (wrong := unknown_region(one)) is not None:
            raise refuse(wrong, index=index)
    return [str(one) for one in listed]


DAILY = re.compile(r"daily at (([01][0-9]|2[0-3]):[0-5][0-9])")
SHORTEST_DIGEST, LONGEST_DIGEST = timedelta(minutes=1), timedelta(days=31)


def _digest(value: Any) -> str:
    """How often what was gathered is told, as it is written."""
    if isinstance(value, str) and DAILY.fullmatch(value):
        return value
    try:
        if SHORTEST_DIGEST <= duration(value) <= LONGEST_DIGEST:
            return str(value)
    except PydanticCustomError:
        pass
    raise refuse("must be `daily at 09:00` or a duration from 1m to 31d, such as 1h")


OWN_LABELS = ("alertname", "incident", "module", "code", "class", "priority")


def _mailbox(value: Any) -> str:
    """`status@example.com` or `Status <status@example.com>`."""
    if isinstance(value, Withheld):
        return str(value)
    found = getaddresses([value]) if isinstance(value, str) else []
    # The parser forgives: what it found must stand there, word for word.
    if len(found) != 1 or not _ADDRESS.fullmatch(found[0][1]) or found[0][1] not in value or not value.isprintable():
        raise refuse("must be an e-mail address, such as status@example.com")
    return str(value)


def _address(value: Any) -> str:
    """`status@example.com` and nothing around it."""
    if not isinstance(value, Withheld) and value != parseaddr(_mailbox(value))[1]:
        raise refuse("must be a bare e-mail address, such as team@example.com")
    return str(value)


def _label(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) or value in OWN_LABELS:
        own = ", ".join(OWN_LABELS)
        raise refuse(f"must be letters, digits and underscores, and none of {own}, which each alert has")
    return value


Mailbox = Annotated[str, PlainValidator(_mailbox), WithJsonSchema({"type": "string", "pattern": "@"})]
Mailboxes = Annotated[
    list[Annotated[str, PlainValidator(_address)]],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Label = Annotated[str, PlainValidator(_label), WithJsonSchema({"type": "string"})]
Digest = Annotated[
    str,
    PlainValidator(_digest),
    WithJsonSchema({"type": "string", "pattern": r"^(daily at [0-2][0-9]:[0-5][0-9]|[0-9]+(\.[0-9]+)?(ms|s|m|h|d))$"}),
]
Clock = Annotated[str, PlainValidator(_clock), WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"})]
Moment = Annotated[datetime, PlainValidator(moment), WithJsonSchema({"type": "string"})]
Rule = Annotated[str, PlainValidator(_rrule), WithJsonSchema({"type": "string", "pattern": "FREQ="})]
Fault = Annotated[str, PlainValidator(_fault), WithJsonSchema({"type": "string"})]
_LISTED = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Days = Annotated[list[str], PlainValidator(_days), WithJsonSchema(_LISTED)]
Holidays = Annotated[list[str], PlainValidator(_holidays), WithJsonSchema(_LISTED)]
_PRIORITY = {"enum": ["urgent", "high", "normal", "low"]}
Priorities = Annotated[
    list[Priority],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    WithJsonSchema({"anyOf": [_PRIORITY, {"type": "array", "items": _PRIORITY}]}),
]


class Channel(Section):
    """What every kind of channel takes."""

    hours: str = Field("always", description="`always`, or the calendar outside of which `high` notices wait.")
    language: Tag | None = Field(None, description="Language of the text; null: the first of `site.languages`.")


class MqttChannel(Channel):
    """Publishes state and notices to a broker."""

    kind: Literal["mqtt"] = Field(description="The kind of channel.")
    url: MqttUrl = Field(description="The broker: mqtt://, mqtts://, ws:// or wss://.")
    prefix: str = Field("vtex-status", min_length=1, pattern=TOPIC, description="What every topic begins with.")
    username: str | None = Field(None, description="Name to log in with.")
    password: str | None = Field(None, description="Password to log in with.")
    ca_file: str | None = Field(None, description="Authorities to trust beside the system's.")
    cert_file: str | None = Field(None, description="Our certificate, where the broker asks for one.")
    key_file: str | None = Field(None, description="The key of that certificate; null: it stands in `cert_file`.")
    verify: Boolean = Field(True, description="Whether the broker's certificate is checked.")
    discovery: str | None = Field(
        None,
        min_length=1,
        pattern=TOPIC,
        description="Topic under which a home-automation hub looks for devices, such as `homeassistant`; null: none.",
    )


class Dialled(Channel):
    """What kinds take that speak to a server of their service themselves."""

    timeout: Duration = Field(
        "10s", validate_default=True, description="How long one exchange with the service may take."
    )
    ca_file: str | None = Field(
        None, description="PEM file of authorities trusted beside the system's; null: `monitor.ca_file`."
    )


class WebhookChannel(Dialled):
    """Posts each notice, signed."""

    kind: Literal["webhook"] = Field(description="The kind of channel.")
    url: Url = Field(description="Where notices are posted.")
    secret: str | None = Field(None, description="Key of the signature; null: notices are not signed.")
    headers: dict[HeaderName, HeaderValue] = mapped("Request headers by name.")
    body: Literal["notice", "statuspage"] = Field(
        "notice", description="`notice`: the notice as JSON; `statuspage`: as Statuspage tells its subscribers."
    )
    template: str | None = Field(None, description="A body of its own, as a Jinja template; excludes `body`.")
    content_type: str = Field("application/json", description="Content type of the body.")


class EmailChannel(Dialled):
    """Sends mail."""

    kind: Literal["email"] = Field(description="The kind of channel.")
    server: HostPort = Field(description="HOST:PORT of the mail server.")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="How the connection is protected.")
    username: str | None = Field(None, description="Name to log in with.")
    password: str | None = Field(None, description="Password to log in with.")
    from_: Mailbox = Field(alias="from", description="The sender's address, a name before it if you like.")
    to: Mailboxes = Field(min_length=1, description="The address, or addresses, that receive it.")


class SlackChannel(Dialled):
    """Posts to a Slack incoming webhook."""

    kind: Literal["slack"] = Field(description="The kind of channel.")
    url: Url = Field(description="The incoming webhook's address.")


class PagerdutyChannel(Dialled):
    """Sends PagerDuty events (v2)."""

    kind: Literal["pagerduty"] = Field(description="The kind of channel.")
    routing_key: str = Field(min_length=1, description="The integration's key.")
    url: Url = Field("https://events.pagerduty.com/v2/enqueue", description="Where events are sent.")


class AlertmanagerChannel(Dialled):
    """Sends alerts to Alertmanager's API (v2)."""

    kind: Literal["alertmanager"] = Field(description="The kind of channel.")
    url: Url = Field(description="Base address of Alertmanager.")
    headers: dict[HeaderName, HeaderValue] = mapped("Request headers by name.")
    labels: dict[Label, str] = mapped("Labels added to each alert.")
    expires: Duration = Field(
        "7d", validate_default=True, description="How long an alert stands without another notice of its incident."
    )


class ZendeskChannel(Dialled):
    """Keeps one ticket per incident, its updates as comments."""

    kind: Literal["zendesk"] = Field(description="The kind of channel.")
    url: Url = Field(description="Base address of the account, https://NAME.zendesk.com.")
    username: str = Field(min_length=1, description="E-mail of the agent the token belongs to.")
    token: str = Field(min_length=1, description="The API token.")
    tags: list[str] = listed("Tags of each ticket.")
    public: Boolean = Field(False, description="Whether the requester sees the comments.")


class AppriseChannel(Channel):
    """Hands notices to Apprise, for the services it knows."""

    kind: Literal["apprise"] = Field(description="The kind of channel.")
    url: Texts = Field(min_length=1, description="Apprise address, or addresses.")


AnyChannel = Annotated[
    Annotated[MqttChannel, UnionTag("kind=mqtt")]
    | Annotated[WebhookChannel, UnionTag("kind=webhook")]
    | Annotated[EmailChannel, UnionTag("kind=email")]
    | Annotated[SlackChannel, UnionTag("kind=slack")]
    | Annotated[PagerdutyChannel, UnionTag("kind=pagerduty")]
    | Annotated[AlertmanagerChannel, UnionTag("kind=alertmanager")]
    | Annotated[ZendeskChannel, UnionTag("kind=zendesk")]
    | Annotated[AppriseChannel, UnionTag("kind=apprise")],
    kind_tag(None),
]
CHANNELS = ("mqtt", "webhook", "email", "slack", "pagerduty", "alertmanager", "zendesk", "apprise")


class Match(Section):
    """Which incidents a rule is about; all that is written must fit, and what is not written fits everything."""

    priority: Priorities | None = Field(None, description="Priority, or priorities, of the incident.")
    group: Texts | None = Field(None, description="Group, or groups, of components that are touched.")
    component: Texts | None = Field(None, description="Component, or components, that are touched.")
    module: Texts | None = Field(None, description="Module, or modules, that are touched.")
    store: Texts | None = Field(None, description="Store, or stores, that are concerned.")
    plan: Texts | None = Field(None, description="Plan, or plans, of stores that are concerned.")


class EscalationStep(Section):
    """Who is told, and when."""

    to: Texts = Field(
        min_length=1, description="Channel, or channels, that are told; `team`, `key_account`: those of each store."
    )
    after: Delay = Field("0s", validate_default=True, description="How long after the incident opened.")
    unless: Literal["acknowledged"] | None = Field(None, description="`acknowledged`: skipped once a person said mine.")
    hours: str = Field("always", description="`always`, or the calendar outside of which this step waits.")
    plan: Texts | None = Field(None, description="Plan, or plans, of stores for whose incidents this step is.")


class NotifyRule(Section):
    """One way of telling people about matching incidents."""

    match: Match = whole(Match, "Which incidents; empty: all.")
    hours: str = Field("always", description="`always`, or the calendar in which this rule holds.")
    steps: list[EscalationStep] = Field(min_length=1, description="Who is told, in the order of escalation.")
    repeat: Duration | None = Field(None, description="How often an open incident is repeated; null: by its priority.")
    digest: Digest | None = Field(
        None, description="One message for all that happened in a time, such as `1h` or `daily at 09:00`; null: none."
    )


class Calendar(Section):
    """Working hours."""

    outside: str | None = Field(None, description="A calendar: every hour that is none of its own. Excludes the rest.")
    timezone: Zone | None = Field(None, description="Time zone of the hours; null: `site.timezone`.")
    days: Days = Field(["mon", "tue", "wed", "thu", "fri"], description="Days such as `mon-fri`, or a list of days.")
    from_: Clock = Field("09:00", alias="from", description="When the day begins.")
    until: Clock = Field("18:00", description="When the day ends; before `from`: on the next day.")
    holidays: Holidays = listed("Days off: a region such as BR-SP, for its public holidays; dates; or a list of both.")


class Window(Section):
    """Planned work: once, from `from` until `until`; or again and again by an RFC 5545 rule."""

    id: Id | None = Field(None, description="Name of the window; null: made from its place and beginning.")
    title: Title = Field(description="What people read, in one text or one per language.")
    message: Text | None = Field(None, description="More about it, in one text or one per language.")
    modules: list[str] = listed("What is worked on; empty: everything.")
    excuses: list[Fault] = listed("Kinds of fault it excuses, such as `slow` or `http.503`; empty: every fault.")
    from_: Moment = Field(alias="from", description="Beginning, the first one when it repeats.")
    until: Moment | None = Field(None, description="End, of the first one when it repeats; excludes `duration`.")
    duration: Duration | None = Field(None, description="How long it takes; excludes `until`.")
    rrule: Rule | None = Field(None, description="How it repeats, such as FREQ=WEEKLY;BYDAY=SU; null: it does not.")
    timezone: Zone | None = Field(None, description="Time zone of `from` and the rule; null: `site.timezone`.")
