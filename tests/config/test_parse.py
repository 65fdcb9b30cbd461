"""From text to the objects of the other rooms."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.config import Address, ConfigError
from monitor.config.expect import Expect as ExpectSection
from monitor.config.kinds import KINDS, LOOKS_AT
from monitor.core.clause import Clause
from monitor.core.expectation import Expect, Fresh
from monitor.core.module import Dependency, Group, Priority, Strength
from monitor.core.probe import Role
from monitor.core.target import (
    DnsTarget,
    HeartbeatTarget,
    HttpTarget,
    MqttTarget,
    PageTarget,
    PrometheusTarget,
    TcpTarget,
    TlsTarget,
)
from tests.config.support import messages, parsed, probe_of, with_probe

URL = "url: https://shop.example.com/"
FULL = (Path(__file__).parent / "full.yml").read_text()


def test_a_version_is_enough() -> None:
    """Everything has a default."""
    config = parsed("version: 1")

    assert config.platform.modules == {}
    assert config.platform.locations == {"here": "default"}
    assert config.site.languages == ("pt-BR", "en", "es")
    assert config.settings.public == Address("127.0.0.1", 8080)
    assert config.settings.ops == Address("127.0.0.1", 9464)
    assert config.settings.keep_observations == timedelta(days=7)
    assert config.settings.keep_rollups == timedelta(days=400)
    assert config.warnings == ()


def test_a_key_without_a_value_is_as_good_as_left_out() -> None:
    """`probes:` with nothing under it is no mistake."""
    config = parsed(
        "version: 1\nsite:\nmonitor:\n  canaries:\ndefaults:\n  interval:\nchannels:\nmodules:\n"
        "  - id: a\n    depends_on:\n    probes:\n"
        "  - id: b\n    probes:\n      - {id: p, kind: , url: 'https://x', headers: , expect: , timeout: 29s}\n"
    )

    assert config.platform.modules["a"].probes == ()
    assert config.platform.probes["b", "p"].interval == timedelta(seconds=30)


def test_the_whole_example_parses() -> None:
    """Every key of the manual, filled in."""
    config = parsed(FULL, VTEX_ACCOUNT="shop", MONITOR_OPS_TOKEN="an-ops-token-of-24-chars", CHAT_SECRET="chat-secret")
    checkout = config.platform.modules["checkout"]

    assert config.warnings == ()
    assert checkout.depends_on == (
        Dependency("catalog", Strength.MEDIUM),
        Dependency("logistics", Strength.HARD),
        Dependency("gift-card", Strength.SOFT),
    )
    assert checkout.priority is Priority.URGENT
    assert checkout.objective == 0.999
    assert checkout.aliases == ("old-id",)
    assert checkout.signals == ("CHK0233", "ORD003")
    assert checkout.verdicts["simulation"][0].module == "logistics"
    assert config.network.connect_to == (("*.vtexcommercestable.com.br:443", "127.0.0.1:8443"),)
    assert config.network.canaries == ("https://www.example.com/", "1.1.1.1:443")
    assert config.platform.canaries == 2
    assert config.secrets == {"an-ops-token-of-24-chars", "chat-secret"}
    assert isinstance(config.platform.groups[0], Group)


def test_a_probe_of_the_example_says_exactly_what_is_asked() -> None:
    """Body encoded, header names lower case, what is unset left out."""
    probe = parsed(FULL).platform.probes["checkout", "simulation"]

    assert probe.ask == HttpTarget(
        url="https://demostore.vtexcommercestable.com.br/api/checkout/pub/orderForms/simulation?sc=1",
        method="POST",
        headers=(("content-type", "application/json"),),
        body=b'{"items":[{"id":"1","quantity":1,"seller":"1"}],"country":"BRA","postalCode":"01310-100"}',
    )
    assert probe.instance == "https://demostore.vtexcommercestable.com.br/api/checkout/pub/orderForms/simulation"
    assert probe.expect == Expect(
        status=((200, 200),),
        slow_after=timedelta(milliseconds=800),
        content_type="application/json",
        header=(("x-vtex-cache-status-janus-edge", (Clause("not", "HIT"),)),),
        contains=("logisticsInfo",),
        json=(
            ("items[0].availability", (Clause("equals", "available"),)),
            ("length(logisticsInfo[0].slas)", (Clause("at_least", 1),)),
            ("messages[?status=='error']", (Clause("empty", True),)),
            ("updatedAt", (Clause("newer_than", timedelta(minutes=15)),)),
        ),
        certificate_valid_for=timedelta(days=21),
    )


def test_a_heartbeat_is_late_after_its_time_and_its_grace() -> None:
    """It runs where the ops side is, whatever `defaults` say; an empty secret is none."""
    elsewhere = "defaults: {locations: [sp]}\nlocations: [{id: sp}]"
    probe = probe_of("kind: heartbeat\nevery: 5m\ngrace: 30s\nsecret: knock-knock", elsewhere)

    limit = timedelta(minutes=5, seconds=30)
    assert probe.expect.fresh == Fresh("called_at", max_age=limit, since="listening_since")
    assert (probe.ask, probe.locations, probe.instance) == (HeartbeatTarget("knock-knock"), ("here",), "")
    assert "knock" not in repr(probe)
    assert probe_of("kind: heartbeat\nevery: 5m\nsecret: ''").ask == HeartbeatTarget(None)
    assert probe_of("kind: heartbeat\nevery: 5m\ninterval: 1h").interval == timedelta(hours=1)


def test_a_query_is_part_of_the_address_that_is_asked() -> None:
    """Under the base address, beside what it asks for already; the label of metrics shows neither."""
    probe = probe_of("kind: prometheus\nurl: https://u:p@prom/thanos/?dedup=true\nquery: up == 1 and a{b=~'.+'}")

    query = "up == 1 and a{b=~'.+'}"
    assert isinstance(probe.ask, PrometheusTarget)
    asked = "https://u:p@prom/thanos/api/v1/query?dedup=true&query=up+%3D%3D+1+and+a%7Bb%3D~%27.%2B%27%7D"
    assert (probe.ask.url, probe.ask.query, probe.expect.query) == (asked, query, query)
    assert probe.instance == "https://prom/thanos/"
    assert probe_of("kind: prometheus\nurl: http://prom:9090\nquery: up").ask.url == (  # type: ignore[union-attr]
        "http://prom:9090/api/v1/query?query=up"
    )


def test_a_broker_and_its_credentials() -> None:
    """What is empty is not there; the label of metrics shows no user."""
    probe = probe_of("kind: mqtt\nurl: mqtt://u:p@broker:1883\nusername: ''\npassword: knock-knock")

    assert probe.ask == MqttTarget("mqtt://u:p@broker:1883", "monitor/probe", None, "knock-knock")
    assert probe.instance == "mqtt://broker:1883"
    assert "knock" not in repr(probe)


def test_a_place_of_a_heartbeat_is_warned_about() -> None:
    """It is well written, and makes no difference."""
    config = parsed(
        "locations: [{id: sp}]\nmodules: [{id: a, probes: [{id: p, kind: heartbeat, every: 1m, locations: [sp]}]}]"
    )
    assert ["heartbeat" in str(one) for one in config.warnings] == [True]


def test_what_a_probe_does_not_say_comes_from_defaults() -> None:
    """`defaults` of the file, else those of the program."""
    probe = probe_of(URL, "defaults: {interval: 1m, timeout: 5s, confirm: 90s, locations: [sp]}\nlocations: [{id: sp}]")

    assert (probe.interval, probe.timeout) == (timedelta(minutes=1), timedelta(seconds=5))
    assert probe.confirm == timedelta(seconds=90)
    assert probe.locations == ("sp",)
    assert probe_of(f"{URL}\nconfirm: auto", "defaults: {confirm: 90s}").confirm is None
    assert probe_of(f"{URL}\nconfirm: null", "defaults: {confirm: 90s}").confirm == timedelta(seconds=90)


def test_an_inherited_timeout_gives_way_to_a_shorter_interval() -> None:
    """Who shortens only the interval means it."""
    assert probe_of(f"{URL}\ninterval: 5s").timeout == timedelta(seconds=4)


def test_here_exists_without_being_named() -> None:
    """A list of other locations does not remove it."""
    assert parsed("locations: [{id: sp, domain: aws}]").platform.locations == {"here": "default", "sp": "aws"}


def test_a_disabled_probe_is_off_and_says_so() -> None:
    """It stays in the configuration."""
    assert probe_of(f"{URL}\nenabled: false").off == "disabled in the configuration"


@pytest.mark.parametrize(
    ("written", "ranges"),
    [
        ("200", ((200, 200),)),
        ("2xx", ((200, 299),)),
        ('"200-299"', ((200, 299),)),
        ("[200, 206]", ((200, 200), (206, 206))),
        ("[2xx, 304]", ((200, 299), (304, 304))),
    ],
)
def test_forms_of_a_status(written: str, ranges: tuple[tuple[int, int], ...]) -> None:
    """All are inclusive ranges."""
    assert probe_of(f"{URL}\nexpect: {{status: {written}}}").expect.status == ranges


@pytest.mark.parametrize(
    ("written", "clauses"),
    [
        ("available", [("equals", "available")]),
        ("null", [("equals", None)]),
        ("[1, 2]", [("equals", [1, 2])]),
        ("{equals: {a: 1}}", [("equals", {"a": 1})]),
        ("{at_most: 5, at_least: 1}", [("at_least", 1), ("at_most", 5)]),
        ("{not: null}", [("not", None)]),
        ("{one_of: [a, 1]}", [("one_of", ("a", 1))]),
        ("{older_than: 2h}", [("older_than", timedelta(hours=2))]),
        ("{baseline: 5%}", [("baseline", 0.05)]),
        ("{exists: false, type: 'null'}", [("exists", False), ("type", "null")]),
    ],
)
def test_a_value_is_equals_and_a_mapping_is_operators(written: str, clauses: list[tuple[str, object]]) -> None:
    """All operators that are written must hold."""
    [(_, found)] = probe_of(f"{URL}\nexpect: {{json: {{a: {written}}}}}").expect.json

    assert found == tuple(Clause(*clause) for clause in clauses)


def test_a_pattern_on_a_value_is_compiled_and_on_the_body_is_text() -> None:
    """The engine is linear-time; equal patterns are one object, so equal configurations compare equal."""
    one, two = (probe_of(f"{URL}\nexpect: {{matches: ok, json: {{a: {{matches: '^v[0-9]+'}}}}}}") for _ in range(2))

    assert one.expect.matches == ("ok",)
    assert one.expect.json[0][1][0].operand.search("v12")
    assert one.expect == two.expect


def test_bodies_bring_their_content_type_unless_it_is_written() -> None:
    """`json` and `form` do, `body` is sent as it is."""
    form = probe_of(f"{URL}\nmethod: POST\nform: {{a: 'b c', d: é}}").ask
    json = probe_of(f"{URL}\nheaders: {{Content-Type: application/vnd.x+json}}\njson: [é]").ask
    body = probe_of(f"{URL}\nbody: plain").ask

    assert isinstance(form, HttpTarget)
    assert form.body == b"a=b+c&d=%C3%A9"
    assert form.headers == (("content-type", "application/x-www-form-urlencoded"),)
    assert json.headers == (("content-type", "application/vnd.x+json"),)
    assert json.body == '["é"]'.encode()
    assert (body.body, body.headers) == (b"plain", ())


@pytest.mark.parametrize(
    ("keys", "target", "instance"),
    [
        (
            "kind: tcp\naddress: db.example.com:5432\nsend: hé",
            TcpTarget("db.example.com", 5432, "hé".encode()),
            "db.example.com:5432",
        ),
        ("kind: tls\naddress: '[::1]:443'", TlsTarget("::1", 443, "::1"), "[::1]:443"),
        (
            "kind: tls\naddress: edge.example.com:443\nserver_name: Shop.example.com\nallow_private: true",
            TlsTarget("edge.example.com", 443, "shop.example.com", allow_private=True),
            "edge.example.com:443",
        ),
        ("kind: dns\nname: shop.example.com\ntype: MX", DnsTarget("shop.example.com", "MX"), "shop.example.com"),
        (
            "kind: dns\nname: MÜNCHEN.example.\nserver: ns1.example.com",
            DnsTarget("xn--mnchen-3ya.example", "A", ("ns1.example.com", 53)),
            "ns1.example.com/xn--mnchen-3ya.example",
        ),
        (
            "kind: dns\nname: _dmarc.example.com\ntype: TXT\nserver: '2001:db8::53'",
            DnsTarget("_dmarc.example.com", "TXT", ("2001:db8::53", 53)),
            "[2001:db8::53]/_dmarc.example.com",
        ),
        (
            "kind: dns\nname: .\ntype: NS\nserver: '[2001:db8::53]:5353'",
            DnsTarget(".", "NS", ("2001:db8::53", 5353)),
            "[2001:db8::53]:5353/.",
        ),
    ],
)
def test_ports_and_names_are_targets_of_their_own(keys: str, target: object, instance: str) -> None:
    """Hosts and ports apart, names as they go over the wire."""
    probe = probe_of(keys)

    assert probe.ask == target
    assert probe.instance == instance


@pytest.mark.parametrize(
    ("kind", "expect", "takes"),
    [
        ("tcp\naddress: 'a:1'", "status: 200", "`slow_after`, `contains`, `not_contains`, `matches`"),
        ("tls\naddress: 'a:1'", "contains: x", "`slow_after`, `certificate`"),
        ("dns\nname: a.example", "header: {x: y}", "`slow_after`, `contains`, `not_contains`, `matches`, `json`"),
        ("mqtt\nurl: mqtt://a", "json: {a: 1}", "`slow_after`"),
        ("heartbeat\nevery: 5m", "matches: x", "`slow_after`"),
        ("flow\nsteps: [{url: 'https://a'}]", "content_type: text/html", "`slow_after`"),
        ("prometheus\nurl: http://a\nquery: up", "status: 200", "`slow_after`, `json`"),
    ],
)
def test_an_expectation_that_a_kind_cannot_look_at_is_warned_about(kind: str, expect: str, takes: str) -> None:
    """At its key; what the kind does look at is said."""
    config = with_probe(f"kind: {kind}\nexpect: {{{expect}, slow_after: 1s}}", "monitor: {canaries: ['a:1', 'b:1']}")
    key = expect.partition(":")[0]

    [warning] = config.warnings
    name = kind.partition("\n")[0]
    assert warning.message == f"`{key}` says nothing of a probe of kind `{name}`, which looks at {takes}"
    assert warning.line == 8 + kind.count("\n")
    assert warning.column > 1


def test_every_kind_says_what_it_looks_at() -> None:
    """Of the keys that there are."""
    assert LOOKS_AT.keys() == KINDS.keys()
    keys = {field.alias or name for name, field in ExpectSection.model_fields.items()}
    assert set(LOOKS_AT["http"]) == keys
    assert all(set(looks_at) <= keys for looks_at in LOOKS_AT.values())


def test_a_freshness_probe_is_a_request_and_a_limit() -> None:
    """The request is that of an http probe."""
    probe = probe_of(f"kind: freshness\n{URL}\nvalue: updatedAt\nmax_age: 10m")

    assert probe.ask == HttpTarget("https://shop.example.com/")
    assert probe.expect.fresh == Fresh("updatedAt", timedelta(minutes=10), None)


def test_a_flow_is_its_steps() -> None:
    """Each blames its own module, else that of the probe."""
    [step] = probe_of("kind: flow\nsteps:\n  - {url: 'https://shop.example.com/a?b=c', expect: {status: 201}}").steps

    assert (step.module, step.name, step.ask.save) == ("checkout", "GET /a", ())
    assert step.ask.http.url == "https://shop.example.com/a?b=c"
    assert step.expect.status == ((201, 201),)
    assert not step.withheld


def test_what_another_status_page_says_is_only_evidence() -> None:
    """Never a verdict, and what cannot be read blames nobody; its key is masked like any other."""
    probe = probe_of(
        "kind: statuspage\nurl: https://status.example.com\ncomponent: Cart\nheaders: {Authorization: Bearer abcdef}"
    )
    assert probe.role is Role.EVIDENCE
    assert probe.expect.hearsay
    assert isinstance(probe.ask, PageTarget)
    assert (probe.ask.component, probe.ask.headers) == ("Cart", (("authorization", "Bearer abcdef"),))
    assert probe.instance == "https://status.example.com"


def test_a_text_written_once_stands_for_every_language() -> None:
    """A mapping is taken as it is; without a name the id is shown."""
    config = parsed(
        "site: {languages: [pt-BR, en]}\n"
        "modules: [{id: a, name: Cart}, {id: b, name: {en: Cart}}, {id: c}]\n"
        "maintenance: [{title: Works, from: 2026-11-27T02:00, duration: 2h}]"
    )

    assert [module.name for module in config.platform.modules.values()] == [
        {"pt-BR": "Cart", "en": "Cart"},
        {"en": "Cart"},
        {"pt-BR": "c", "en": "c"},
    ]
    assert config.sections["maintenance"][0]["title"] == {"pt-BR": "Works", "en": "Works"}


def test_times_of_a_window_are_in_its_zone() -> None:
    """Else in that of the site; an offset that is written holds."""
    config = parsed(
        "maintenance:\n"
        "  - {title: A, from: 2026-11-27T02:00, until: 2026-11-27T04:00, timezone: Europe/Lisbon}\n"
        "  - {title: B, from: 2026-11-27T02:00-05:00, duration: 2h, rrule: 'freq=weekly;byday=su'}\n"
    )
    first, second = config.sections["maintenance"]

    assert first["from"] == datetime(2026, 11, 27, 2, tzinfo=ZoneInfo("Europe/Lisbon"))
    assert second["from"].utcoffset() == timedelta(hours=-5)
    assert (second["timezone"], second["rrule"]) == ("America/Sao_Paulo", "FREQ=WEEKLY;BYDAY=SU")


def test_days_of_a_calendar_are_names_in_the_order_of_the_week() -> None:
    """A range may pass the end of the week."""
    calendars = parsed("calendars: {a: {days: 'sat-mon,wed'}, b: {holidays: [BR-SP, 2026-12-25]}}").sections[
        "calendars"
    ]

    assert calendars["a"]["days"] == ["mon", "wed", "sat", "sun"]
    assert calendars["b"]["days"] == ["mon", "tue", "wed", "thu", "fri"]
    assert calendars["b"]["holidays"] == ["BR-SP", "2026-12-25"]


def test_what_a_plan_does_not_say_is_not_there() -> None:
    """Absent is not the same as null, which means unlimited."""
    plans = parsed("plans: [{id: a, name: A}, {id: b, name: B, ticket_users: null}]").sections["plans"]

    assert "ticket_users" not in plans[0]
    assert plans[1]["ticket_users"] is None


def test_controls_are_not_open_to_the_world_without_a_token() -> None:
    """They bind to loopback, and say so."""
    config = parsed("monitor: {ops: '0.0.0.0:9000'}")

    assert config.settings.ops == Address("127.0.0.1", 9000)
    assert messages(config.warnings) == ["`ops` `0.0.0.0:9000` binds to loopback only, because `ops_token` is not set"]
    assert parsed("monitor: {ops: ':9000', ops_token: abcd}").settings.ops == Address("0.0.0.0", 9000)


def test_a_cycle_is_a_warning_that_names_the_way_round() -> None:
    """It is judged as one node; a knot is told once, by a shortest way."""
    config = parsed(
        "modules:\n"
        "  - {id: a, depends_on: [b]}\n"
        "  - {id: b, depends_on: [c]}\n"
        "  - {id: c, depends_on: [d, a]}\n"
        "  - {id: d, depends_on: [a]}\n"
        "  - {id: e, depends_on: [a, {module: f}]}\n"
        "  - {id: f, depends_on: [{module: e}]}\n"
    )

    assert [problem.at("probes.yaml") for problem in config.warnings] == [
        "probes.yaml:2:26: warning: dependency cycle a → b → c → a; it is judged as one node",
        "probes.yaml:6:38: warning: dependency cycle e → f → e; it is judged as one node",
    ]


def test_a_chain_of_ten_thousand_modules_is_no_problem() -> None:
    """Nothing here is recursive in the size of the platform."""
    lines = "\n".join(f"  - {{id: m{i}, depends_on: [m{(i + 1) % 10_000}]}}" for i in range(10_000))

    [warning] = parsed(f"modules:\n{lines}").warnings

    assert warning.message.startswith("dependency cycle m0 → m1 → ")


def test_hints_stay_quick_when_everything_is_wrong() -> None:
    """Suggestions among many names are given only so often."""
    lines = "\n".join(f"  - {{id: module-{i}, depends_on: [modul-{i}]}}" for i in range(1_000))

    with pytest.raises(ConfigError) as caught:
        parsed(f"modules:\n{lines}")

    assert len(caught.value.problems) == 1_000
    assert caught.value.problems[0].message.endswith("did you mean `module-0`?")


def test_warnings_stand_among_the_errors_when_there_are_any() -> None:
    """All of it, in one pass, by line."""
    with pytest.raises(ConfigError) as caught:
        with_probe("url: nowhere", "monitor: {ops: '0.0.0.0:9000'}")

    assert [problem.warning for problem in caught.value.problems] == [True, False]


@pytest.mark.parametrize(
    ("written", "published"),
    [
        ("https://status.example.com/", "https://status.example.com"),
        ("https://situação.example.com/loja é", None),
        ("https://situação.example.com/é/", "https://xn--situao-7ta5a.example.com/%C3%A9"),
        ("https://user:secret@example.com/a/?b=c#d", "https://example.com/a"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_address_of_the_page_is_fit_for_feeds(written: str, published: str | None) -> None:
    """In ASCII, as sitemaps and RSS want it, and without a user, whose password would stand on every page."""
    if published is None:
        with pytest.raises(ConfigError):
            parsed(f"site: {{url: '{written}'}}")
    else:
        assert parsed(f"site: {{url: '{written}'}}").site.url == published
