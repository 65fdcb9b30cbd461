"""Facts: what one run says in the words of the blackbox exporter, edge values included.

Dashboards and alert rules rely on what is zero and what is absent after each kind of failure; the table of
`docs/metrics.md` says which, and `tests/metrics/test_facts.py` holds every row of it.
"""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from functools import lru_cache
from ipaddress import ip_address

from monitor.core.clause import header_key, holds
from monitor.core.expectation import Expect, Outcome, Result, body_key
from monitor.core.observation import PHASES, Certificate, Http, Observation
from monitor.core.probe import Probe
from monitor.metrics.exposition import Family, head, labels, line

Sample = tuple[str, str]  # name of the family, labels of its own
Facts = dict[Sample, float]

SUCCESS: Sample = ("probe_success", "")

OVER_HTTP = {"http", "flow", "freshness", "prometheus", "statuspage"}
LOOKED_UP = OVER_HTTP | {"tcp", "tls", "dns", "mqtt"}
WITH_LINES = {"tcp", "tls"}
NOTHING_VERIFIED = -62135596800.0  # the year 1, as the exporter writes "no verified chain"
REDIRECTS = (301, 302, 303, 307, 308)
BODILESS = (204, 304)
BEGUN = ("http.malformed", "http.headers_too_large", "http.header_drip")  # a first byte came, and no answer

_TOLD = {
    "probe_success": "1 if the probe is not settled as failing; by place: if its last run passed every check.",
    "probe_duration_seconds": "How long the last run took, name lookup included.",
    "probe_timeout_seconds": "The time limit of the probe.",
    "probe_dns_lookup_time_seconds": "Time of the address lookup.",
    "probe_ip_protocol": "4 or 6; 0 if nothing was resolved.",
    "probe_ip_addr_hash": "32-bit FNV-1a of the address, to see it change; 0 if nothing was resolved.",
    "probe_http_duration_seconds": "Time per phase, summed over all redirects.",
    "probe_http_status_code": "Status of the last response; 0 if there was none.",
    "probe_http_content_length": "Length the server named; -1 if it named none, 0 if there was no response.",
    "probe_http_uncompressed_body_length": "Bytes of body read, after decompression.",
    "probe_http_redirects": "Redirect responses met.",
    "probe_http_ssl": "1 if the last hop used TLS.",
    "probe_http_version": "Version of HTTP; 0 if there was no response.",
    "probe_failed_due_to_regex": "1 if something looked for in a header, a body or a line was the reason for failure.",
    "probe_failed_due_to_bytes": "1 if bytes were the reason for failure; what is expected here is text, so always 0.",
    "probe_failed_due_to_cel": "1 if an expectation on the JSON of the body was the reason for failure.",
    "probe_http_last_modified_timestamp_seconds": "The Last-Modified header as Unix time.",
    "probe_ssl_earliest_cert_expiry": "Smallest not-after among the certificates the server sent, Unix time.",
    "probe_ssl_last_chain_expiry_timestamp_seconds": "Not-after of the verified chain, Unix time.",
    "probe_ssl_last_chain_info": "The certificate of the server.",
    "probe_tls_version_info": "The version of TLS.",
    "probe_tls_cipher_info": "The cipher, by its IANA name.",
    "probe_dns_duration_seconds": "Time per phase of the query to the DNS server under test.",
    "probe_dns_query_succeeded": "1 if an answer came back, whatever its code.",
    "probe_dns_answer_rrs": "Records in the section with the answer.",
    "probe_dns_authority_rrs": "Records in the section on authority.",
    "probe_dns_additional_rrs": "Records in the additional section, without that of EDNS.",
    "probe_dns_serial": "The serial of the zone, of a question for SOA.",
}
FAMILIES: tuple[Family, ...] = tuple(
    Family(name, "gauge", f"{told} Of the last run, which may be one interval old.") for name, told in _TOLD.items()
)


def facts(probe: Probe, observation: Observation, result: Result) -> Facts:
    """Every sample of one run."""
    found: Facts = {
        SUCCESS: float(result.outcome in (Outcome.PASSED, Outcome.SLOW)),
        ("probe_duration_seconds", ""): observation.duration,
        ("probe_timeout_seconds", ""): probe.timeout.total_seconds(),
    }
    if probe.kind == "flow" and observation.http is None and observation.failure is None:
        return found  # no step of it was run
    if probe.kind in LOOKED_UP:
        family, digest = _address(observation.address)
        found["probe_dns_lookup_time_seconds", ""] = observation.phases.get("resolve", 0.0)
        found["probe_ip_protocol", ""] = family
        found["probe_ip_addr_hash", ""] = digest
    if probe.kind in OVER_HTTP:
        found.update(_http(probe, observation, result))
    elif probe.kind in WITH_LINES:
        found.update(_stream(probe, observation, result))
    elif probe.kind == "mqtt":
        found.update(_session(observation))
    elif probe.kind == "dns":
        found.update(_dns(observation))
    return found


def page_of(probe: Probe, observation: Observation, result: Result, openmetrics: bool = False) -> str:
    """One run as a page of its own, without labels that name the probe."""
    found, text = facts(probe, observation, result), ""
    for family in FAMILIES:
        lines = [line(name, own, value) for (name, own), value in found.items() if name == family.name]
        text += "".join([head(family, openmetrics), *lines]) if lines else ""
    return text + ("# EOF\n" if openmetrics else "")


@lru_cache(maxsize=16384)
def _address(address: str | None) -> tuple[float, float]:
    """Which protocol an `ip:port` speaks and the FNV-1a of its bytes."""
    if address is None:
        return 0.0, 0.0
    try:
        ip = ip_address(address.rpartition(":")[0].strip("[]").partition("%")[0])
    except ValueError:
        return 0.0, 0.0
    digest = 0x811C9DC5
    for byte in ip.packed:
        digest = ((digest ^ byte) * 0x01000193) & 0xFFFFFFFF
    return float(ip.version), float(digest)


# --- over HTTP


def _http(probe: Probe, observation: Observation, result: Result) -> Iterator[tuple[Sample, float]]:
    http = _response(observation)
    for phase, seconds in _phases(observation, http):
        yield ("probe_http_duration_seconds", f'phase="{phase}"'), seconds
    yield ("probe_http_status_code", ""), http.status if http else 0
    yield ("probe_http_content_length", ""), _length(http)
    yield ("probe_http_uncompressed_body_length", ""), (http.bytes or 0) if http else 0
    yield ("probe_http_redirects", ""), _redirects(observation)
    proven = http is not None and observation.certificate is not None and not _refused(observation)
    yield ("probe_http_ssl", ""), float(proven)
    yield ("probe_http_version", ""), _version(http)
    expect = _expected(probe, observation)
    for_text, for_json = _why(expect, observation, result)
    yield ("probe_failed_due_to_regex", ""), float(for_text)
    if expect.json:
        yield ("probe_failed_due_to_cel", ""), float(for_json)
    modified = _modified(http)
    if modified is not None:
        yield ("probe_http_last_modified_timestamp_seconds", ""), modified
    if proven and observation.certificate is not None:
        yield from _tls(observation.certificate)
        if observation.certificate.cipher:
            yield ("probe_tls_cipher_info", labels([("cipher", observation.certificate.cipher)])), 1.0


def _response(observation: Observation) -> Http | None:
    """The answer that counts: a redirect whose next hop then failed was none, one that was refused was."""
    http, failure = observation.http, observation.failure
    if http is None or failure is None:
        return http
    if failure.code.startswith(("dns.", "tcp.", "tls.", "self.")):
        return None
    if http.status in REDIRECTS and not failure.code.startswith("http.redirect"):
        return None
    return http


def _phases(observation: Observation, http: Http | None) -> Iterator[tuple[str, float]]:
    seen, failure = observation.phases, observation.failure
    if observation.address is None and observation.http is None:
        yield "resolve", seen.get("resolve", 0.0)
        return
    credited: tuple[str, ...] = PHASES
    if http is None:
        code = failure.code if failure else ""
        on_the_way = code.startswith(("dns.", "tcp.", "tls.", "self."))
        credited = PHASES[:3]
        if on_the_way and observation.http is None:
            credited = PHASES[:1]  # the time until a refusal is no time of connecting
        elif on_the_way or code in BEGUN:
            credited = PHASES[:4]  # a redirect was answered, or something came that was no answer
    for phase in PHASES:
        yield phase, seen.get(phase, 0.0) if phase in credited else 0.0


def _length(http: Http | None) -> int:
    if http is None or (http.status in BODILESS and http.content_length < 0):
        return 0
    return http.content_length


def _redirects(observation: Observation) -> int:
    """Redirects met: the answer that counts may be one more, which was not followed."""
    http, failure = observation.http, observation.failure
    if http is None:
        return 0
    counts = failure is None or failure.code.startswith("content.")
    return http.redirects + int(counts and http.status in REDIRECTS and "location" in http.headers)


def _version(http: Http | None) -> float:
    try:
        return float(http.version) if http and http.version else 0.0
    except ValueError:
        return 0.0


def _expected(probe: Probe, observation: Observation) -> Expect:
    """What was expected of the answer that counts: of a flow, by the last step on its way forward that was run."""
    ran = [
        step.expect
        for step, told in zip(probe.steps, observation.steps or (), strict=False)
        if told.seen is not None and not step.cleanup
    ]
    return ran[-1] if ran else probe.expect


def _why(expect: Expect, observation: Observation, result: Result) -> tuple[bool, bool]:
    """Whether text that was looked for decided the failure, and whether a value of the JSON did."""
    if result.outcome is not Outcome.FAILED:
        return False, False
    if result.code not in ("content.assertion", "content.stale"):
        return False, result.code == "content.invalid_json"
    if _lacks_text(expect, observation):
        return True, False
    values, at = observation.values, observation.ended_at
    return False, not all(holds(clause, values.get(path), at) for path, clauses in expect.json for clause in clauses)


def _lacks_text(expect: Expect, observation: Observation) -> bool:
    """Whether something looked for in the body, or by a pattern in a header, is not there."""
    values = observation.values
    if not all(values.get(body_key(kind, text), False) for kind, text in expect.of_body):
        return True
    got = observation.http.headers if observation.http else {}
    for name, clauses in expect.header:
        for clause in (one for one in clauses if one.operator == "matches"):
            outcome = values.get(header_key(name, clause))
            if not (bool(clause.operand.search(got.get(name, ""))) if outcome is None else outcome):
                return True
    return False


def _modified(http: Http | None) -> float | None:
    return _instant(http.headers["last-modified"]) if http and "last-modified" in http.headers else None


@lru_cache(maxsize=4096)
def _instant(written: str) -> float | None:
    try:
        return parsedate_to_datetime(written).timestamp()
    except (ValueError, OverflowError):
        return None


# --- certificates, lines, names


def _tls(certificate: Certificate) -> Iterator[tuple[Sample, float]]:
    """What is known after a completed handshake."""
    earliest, chain = certificate.earliest_not_after or certificate.not_after, certificate.chain_not_after
    yield ("probe_ssl_earliest_cert_expiry", ""), float(int(earliest.timestamp()))
    yield (
        ("probe_ssl_last_chain_expiry_timestamp_seconds", ""),
        NOTHING_VERIFIED if chain is None else float(int(chain.timestamp())),
    )
    yield ("probe_ssl_last_chain_info", _about(certificate)), 1.0
    if certificate.tls_version:
        version = certificate.tls_version.replace("TLSv", "TLS ")
        version = f"{version}.0" if version == "TLS 1" else version
        yield ("probe_tls_version_info", labels([("version", version)])), 1.0


@lru_cache(maxsize=4096)
def _about(certificate: Certificate) -> str:
    return labels(
        [
            ("fingerprint_sha256", certificate.sha256.replace(":", "").lower()),
            ("subject", certificate.subject),
            ("issuer", certificate.issuer),
            ("subjectalternative", ",".join(certificate.alternative_names)),
            ("serialnumber", certificate.serial.lower()),
        ]
    )


def _refused(observation: Observation) -> bool:
    """Whether the last handshake failed: its certificate is evidence, not what an answer came under."""
    return observation.failure is not None and observation.failure.code.startswith("tls.")


def _is_connected(observation: Observation) -> bool:
    code = observation.failure.code if observation.failure else ""
    return observation.address is not None and not code.startswith(("dns.", "tcp.", "tls.", "self."))


def _session(observation: Observation) -> Iterator[tuple[Sample, float]]:
    if observation.certificate is not None and _is_connected(observation):
        yield from _tls(observation.certificate)


def _stream(probe: Probe, observation: Observation, result: Result) -> Iterator[tuple[Sample, float]]:
    wanting = result.outcome is Outcome.FAILED and result.code in ("content.assertion", "content.empty")
    in_time = observation.duration < probe.timeout.total_seconds()  # else it is time that was lacking
    yield ("probe_failed_due_to_regex", ""), float(wanting and in_time)
    if _is_connected(observation):
        yield ("probe_failed_due_to_bytes", ""), 0.0
    yield from _session(observation)


def _dns(observation: Observation) -> Iterator[tuple[Sample, float]]:
    seen, said = observation.phases, observation.dns
    for phase, ours in (("resolve", "resolve"), ("connect", "connect"), ("request", "processing")):
        yield ("probe_dns_duration_seconds", f'phase="{phase}"'), seen.get(phase, seen.get(ours, 0.0))
    yield ("probe_dns_query_succeeded", ""), float(said is not None)
    said = said or {}
    for section in ("answer", "authority", "additional"):
        yield (f"probe_dns_{section}_rrs", ""), float(said.get(f"{section}_count", 0))
    if said.get("type") == "SOA":
        serials = (one.get("serial") for one in said.get("answers", ()) if one.get("type") == "SOA")
        yield ("probe_dns_serial", ""), float(next(serials, 0))
