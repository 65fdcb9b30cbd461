"""Facts: every row of the table of edge values, name by name, as dashboards and alert rules rely on it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.core.clause import Clause
from monitor.core.expectation import Expect, Outcome, Result, body_key, judge
from monitor.core.observation import Certificate, Failure, Http, Observation
from monitor.core.probe import Probe
from monitor.metrics.facts import FAMILIES, NOTHING_VERIFIED, Facts, facts
from monitor.metrics.judged import judged

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROBE = Probe("cart", "page", "http", timedelta(seconds=30), timedelta(seconds=9.5), instance="https://shop.example/")
CERTIFICATE = Certificate(
    AT + timedelta(days=30),
    "CN=shop.example",
    "CN=ca",
    "AB:CD",
    "0F",
    ("shop.example", "www.shop.example"),
    AT + timedelta(days=20),
    AT + timedelta(days=30),
    "TLSv1.3",
    "TLS_AES_128_GCM_SHA256",
)
PHASES = {"resolve": 0.012, "connect": 0.004, "tls": 0.01, "processing": 0.02, "transfer": 0.001}
GOOD = Observation(
    AT,
    "cart",
    "page",
    "here",
    AT,
    0.047,
    PHASES,
    "192.0.2.7:443",
    None,
    Http(200, {"last-modified": "Mon, 23 Nov 2026 11:00:00 GMT"}, 1234, "…", "1.1", 0, 1234),
    CERTIFICATE,
)
COMMON = {
    *("probe_success", "probe_duration_seconds", "probe_timeout_seconds", "probe_dns_lookup_time_seconds"),
    *("probe_ip_protocol", "probe_ip_addr_hash", "probe_http_duration_seconds", "probe_http_status_code"),
    *("probe_http_content_length", "probe_http_uncompressed_body_length", "probe_http_redirects", "probe_http_ssl"),
    *("probe_http_version", "probe_failed_due_to_regex"),
}
TLS = {
    *("probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_expiry_timestamp_seconds", "probe_ssl_last_chain_info"),
    *("probe_tls_version_info", "probe_tls_cipher_info"),
}
MODIFIED = {"probe_http_last_modified_timestamp_seconds"}
DNS = {
    *("probe_dns_duration_seconds", "probe_dns_query_succeeded", "probe_dns_answer_rrs", "probe_dns_authority_rrs"),
    "probe_dns_additional_rrs",
}
EVERY, CONNECTED, RESOLVED = set(PHASES), {"resolve", "connect", "tls"}, {"resolve"}


def seen(observation: Observation, probe: Probe = PROBE) -> Facts:
    return facts(probe, observation, judge(observation, probe.expect))


def broken(code: str, **changes: Any) -> Observation:
    return replace(GOOD, failure=Failure(code), http=None, **changes)


NOT_RESOLVED = broken("dns.nxdomain", phases={"resolve": 0.012}, address=None, certificate=None)
REFUSED = broken("tcp.refused", phases={"resolve": 0.012, "connect": 0.3}, certificate=None)
EXPIRED = broken("tls.cert_expired", phases={"resolve": 0.012, "connect": 0.004, "tls": 0.01})  # its leaf was seen
SILENT = broken("http.ttfb_timeout", phases={**PHASES, "processing": 9.4, "transfer": 0.0})
FAILING = replace(GOOD, http=Http(500, {}, 10, None, "1.1", 0, 10))
LOOPING = replace(GOOD, failure=Failure("http.redirect_loop"), http=Http(302, {}, 0, None, "1.1", 11, 0))
CUT = replace(GOOD, failure=Failure("http.truncated"), http=Http(200, {}, 10, None, "1.1", 0, 500))
CHUNKED = replace(GOOD, http=Http(200, {}, 10, None, "1.1"))
PLAIN = replace(GOOD, certificate=None)
GARBAGE = broken("http.malformed", certificate=None)
LOST = replace(REFUSED, http=Http(301, {}, 0, None, "1.1", 1, 0), phases=PHASES)  # the second hop refused


@pytest.mark.parametrize(
    ("observation", "success", "status", "above", "family", "names"),
    [
        pytest.param(GOOD, 1, 200, EVERY, 4, COMMON | TLS | MODIFIED, id="all good"),
        pytest.param(NOT_RESOLVED, 0, 0, RESOLVED, 0, COMMON, id="name does not resolve"),
        pytest.param(REFUSED, 0, 0, RESOLVED, 4, COMMON, id="refused"),
        pytest.param(EXPIRED, 0, 0, RESOLVED, 4, COMMON, id="TLS failure"),
        pytest.param(SILENT, 0, 0, CONNECTED, 4, COMMON, id="no response"),
        pytest.param(FAILING, 0, 500, EVERY, 4, COMMON | TLS, id="500"),
        pytest.param(LOOPING, 0, 302, EVERY, 4, COMMON | TLS, id="redirect limit"),
        pytest.param(CUT, 0, 200, EVERY, 4, COMMON | TLS, id="body cut short"),
        pytest.param(CHUNKED, 1, 200, EVERY, 4, COMMON | TLS, id="no length"),
        pytest.param(PLAIN, 1, 200, EVERY, 4, COMMON | MODIFIED, id="plain HTTP"),
        pytest.param(LOST, 0, 0, CONNECTED | {"processing"}, 4, COMMON, id="second hop refused"),
        pytest.param(GARBAGE, 0, 0, CONNECTED | {"processing"}, 4, COMMON, id="no HTTP"),
    ],
)
def test_edge_values(
    observation: Observation, success: int, status: int, above: set[str], family: int, names: set[str]
) -> None:
    found = seen(observation)
    phases = {own: value for (name, own), value in found.items() if name == "probe_http_duration_seconds"}
    assert {name for name, _ in found} == names
    assert found["probe_success", ""] == success
    assert found["probe_http_status_code", ""] == status
    assert found["probe_ip_protocol", ""] == family
    assert {own for own, value in phases.items() if value > 0} == {f'phase="{phase}"' for phase in above}
    assert len(phases) == (1 if observation is NOT_RESOLVED else 5)
    assert (found["probe_ip_addr_hash", ""] > 0) == bool(family)


def test_the_golden_answer_of_a_name_that_does_not_resolve() -> None:
    found = seen(replace(NOT_RESOLVED, duration=0.013))
    assert {name + (f"{{{own}}}" if own else ""): value for (name, own), value in sorted(found.items())} == {
        "probe_dns_lookup_time_seconds": 0.012,
        "probe_duration_seconds": 0.013,
        "probe_failed_due_to_regex": 0,
        "probe_http_content_length": 0,
        'probe_http_duration_seconds{phase="resolve"}': 0.012,
        "probe_http_redirects": 0,
        "probe_http_ssl": 0,
        "probe_http_status_code": 0,
        "probe_http_uncompressed_body_length": 0,
        "probe_http_version": 0,
        "probe_ip_addr_hash": 0,
        "probe_ip_protocol": 0,
        "probe_success": 0,
        "probe_timeout_seconds": 9.5,
    }


def test_single_values() -> None:
    good = seen(GOOD)
    assert good["probe_http_version", ""] == 1.1
    assert good["probe_http_ssl", ""] == 1
    assert seen(PLAIN)["probe_http_ssl", ""] == 0
    assert good["probe_http_last_modified_timestamp_seconds", ""] == AT.timestamp() - 3600
    assert seen(CHUNKED)["probe_http_content_length", ""] == -1
    assert seen(LOOPING)["probe_http_redirects", ""] == 11
    assert good["probe_ssl_earliest_cert_expiry", ""] == (AT + timedelta(days=20)).timestamp()
    assert good["probe_ssl_last_chain_expiry_timestamp_seconds", ""] == (AT + timedelta(days=30)).timestamp()
    assert ("probe_tls_version_info", 'version="TLS 1.3"') in good
    assert ("probe_tls_cipher_info", 'cipher="TLS_AES_128_GCM_SHA256"') in good
    info = next(own for name, own in good if name == "probe_ssl_last_chain_info")
    assert 'fingerprint_sha256="abcd"' in info
    assert 'subjectalternative="shop.example,www.shop.example",serialnumber="0f"' in info


def test_a_redirect_that_is_not_followed_was_met_too() -> None:
    answer = Http(302, {"location": "/next"}, 0, None, "1.1", 0, 0)
    assert seen(replace(GOOD, http=answer))["probe_http_redirects", ""] == 1
    assert seen(LOST)["probe_http_redirects", ""] == 1  # counted when it was followed


def test_an_answer_without_a_body_has_a_length() -> None:
    assert seen(replace(GOOD, http=Http(204, {}, 0, None, "1.1")))["probe_http_content_length", ""] == 0


def test_json_that_is_not_as_expected_is_named_as_the_reason() -> None:
    probe = replace(PROBE, expect=Expect(json=(("ok", (Clause("equals", True),)),)))
    for value, told in ((False, 1), (True, 0)):
        found = seen(replace(GOOD, values={"ok": value}), probe)
        assert (found["probe_failed_due_to_cel", ""], found["probe_failed_due_to_regex", ""]) == (told, 0)
    assert seen(replace(GOOD, failure=Failure("content.invalid_json")), probe)["probe_failed_due_to_cel", ""] == 1
    assert ("probe_failed_due_to_cel", "") not in seen(GOOD)


def test_an_answer_of_a_name_server_is_told_by_its_sections_and_serial() -> None:
    said = {"type": "SOA", "answer_count": 2, "authority_count": 1, "additional_count": 3}
    answers = [{"type": "RRSIG"}, {"type": "SOA", "serial": 2026112601}]
    probe = replace(PROBE, kind="dns")
    found = seen(replace(GOOD, http=None, dns={**said, "answers": answers}), probe)
    assert found["probe_dns_query_succeeded", ""] == 1
    told = [found[f"probe_dns_{name}", ""] for name in ("answer_rrs", "authority_rrs", "additional_rrs", "serial")]
    assert told == [2, 1, 3, 2026112601]
    silent = seen(broken("dns.timeout"), probe)
    assert silent["probe_dns_query_succeeded", ""] == silent["probe_dns_answer_rrs", ""] == 0
    assert ("probe_dns_serial", "") not in silent


def test_a_flow_of_which_no_step_was_run_has_no_answer_to_tell() -> None:
    flow = replace(PROBE, kind="flow")
    found = facts(flow, replace(GOOD, http=None, certificate=None), Result(Outcome.PASSED))
    assert {name for name, _ in found} == {"probe_success", "probe_duration_seconds", "probe_timeout_seconds"}


def test_nothing_verified_is_the_year_one() -> None:
    unverified = replace(GOOD, certificate=replace(CERTIFICATE, chain_not_after=None))
    assert seen(unverified)["probe_ssl_last_chain_expiry_timestamp_seconds", ""] == NOTHING_VERIFIED


@pytest.mark.parametrize(
    ("address", "family", "digest"),
    [("192.0.2.7:443", 4, 1936431214), ("nonsense", 0, 0), ("host:443", 0, 0), (None, 0, 0)],
)
def test_an_address_is_told_only_by_its_kind_and_a_hash(address: str | None, family: int, digest: int) -> None:
    found = seen(replace(GOOD, address=address))
    assert (found["probe_ip_protocol", ""], found["probe_ip_addr_hash", ""]) == (family, digest)


def test_so_is_one_of_the_other_family() -> None:
    assert seen(replace(GOOD, address="[2001:db8::1]:443"))["probe_ip_protocol", ""] == 6


def test_a_pattern_that_does_not_match_is_named_as_the_reason() -> None:
    probe = replace(PROBE, expect=Expect(matches=("in stock",)))
    for held, told in ((False, 1), (True, 0)):
        observation = replace(GOOD, values={body_key("matches", "in stock"): held})
        assert seen(observation, probe)["probe_failed_due_to_regex", ""] == told
    assert seen(FAILING, probe)["probe_failed_due_to_regex", ""] == 0  # the status came first


def test_a_pattern_in_a_header_counts_as_well() -> None:
    never = SimpleNamespace(search=lambda text: None, pattern="^HIT$")
    probe = replace(PROBE, expect=Expect(header=(("x-cache", (Clause("matches", never),)),)))
    assert seen(GOOD, probe)["probe_failed_due_to_regex", ""] == 1


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("tls", {"probe_failed_due_to_regex", "probe_failed_due_to_bytes"} | TLS - {"probe_tls_cipher_info"}),
        ("tcp", {"probe_failed_due_to_regex", "probe_failed_due_to_bytes"} | TLS - {"probe_tls_cipher_info"}),
        ("dns", DNS),
        ("mqtt", TLS - {"probe_tls_cipher_info"}),
        ("flow", {name for name in COMMON if "http" in name} | TLS | MODIFIED | {"probe_failed_due_to_regex"}),
    ],
)
def test_other_kinds_have_their_own_families(kind: str, names: set[str]) -> None:
    answer = GOOD.http if kind == "flow" else None
    found = facts(replace(PROBE, kind=kind), replace(GOOD, http=answer), Result(Outcome.PASSED))
    shared = {name for name in COMMON if "http" not in name} - {"probe_failed_due_to_regex"}
    assert {name for name, _ in found} == shared | names


def test_a_heartbeat_looks_nothing_up() -> None:
    found = facts(replace(PROBE, kind="heartbeat"), GOOD, Result(Outcome.PASSED))
    assert {name for name, _ in found} == {"probe_success", "probe_duration_seconds", "probe_timeout_seconds"}


def test_every_name_is_a_known_family() -> None:
    known = {family.name for family in FAMILIES}
    for kind in ("http", "tcp", "tls", "dns", "mqtt", "heartbeat", "flow"):
        assert {name for name, _ in facts(replace(PROBE, kind=kind), GOOD, Result(Outcome.PASSED))} <= known


# --- over several places


def places(*observations: Observation) -> Facts:
    return judged([seen(one) for one in observations])


def test_durations_are_the_median_of_the_places_that_succeeded() -> None:
    slow = replace(GOOD, duration=0.9, phases={**PHASES, "processing": 0.8})
    found = places(GOOD, replace(slow, duration=0.1), slow, replace(REFUSED, duration=10.0))
    assert found["probe_duration_seconds", ""] == 0.1
    assert found["probe_http_duration_seconds", 'phase="processing"'] == 0.8


def test_when_none_succeeded_they_are_the_median_of_all() -> None:
    found = places(replace(REFUSED, duration=1.0), replace(FAILING, duration=3.0), replace(REFUSED, duration=2.0))
    assert found["probe_duration_seconds", ""] == 2.0


def test_the_status_is_the_most_frequent_and_the_worse_on_a_tie() -> None:
    assert places(GOOD, FAILING, GOOD)["probe_http_status_code", ""] == 200
    assert places(GOOD, FAILING)["probe_http_status_code", ""] == 500
    assert places(GOOD, FAILING, REFUSED)["probe_http_status_code", ""] == 0


def test_the_certificate_that_ends_first_counts_and_is_told_once() -> None:
    soon = replace(CERTIFICATE, earliest_not_after=AT + timedelta(days=2), sha256="ee")
    found = places(GOOD, GOOD, replace(GOOD, certificate=soon))
    assert found["probe_ssl_earliest_cert_expiry", ""] == (AT + timedelta(days=2)).timestamp()
    assert len([name for name, _ in found if name == "probe_ssl_last_chain_info"]) == 1
