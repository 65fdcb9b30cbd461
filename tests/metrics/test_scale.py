"""Scale: a page of ten thousand modules is right, made in a moment, and holds up nobody."""

import asyncio
import gc
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.core.board import Board
from monitor.metrics import Metrics
from monitor.probers.certificate import _read
from tests.bench.scrape import Fixture
from tests.machine import slowness
from tests.metrics.test_collector import EMPTY, observe, platform, probe, samples
from tests.metrics.test_facts import CERTIFICATE, GOOD
from tests.probers.authorities import _days
from tests.probers.looking import LagSampler
from tests.programs import path_of

MANY = 10_000


@pytest.fixture
def settled() -> Iterator[None]:
    """The collector of garbage as the monitor has it once it has begun."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 1000)
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("modules", [1, 100, MANY])
def test_promtool_has_nothing_to_say_of_a_page_of_any_size(modules: int) -> None:
    page = Fixture(modules, 1).page()
    done = subprocess.run([path_of("promtool"), "check", "metrics"], input=page, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    assert page.count(b"\nprobe_success{") == modules


@pytest.mark.slow
@pytest.mark.alone
async def test_ten_thousand_modules_are_written_within_a_second_and_hold_up_nobody(settled: None) -> None:
    """Half of them seen anew since the last scrape; time in which others had the processor is not counted."""
    fixture = Fixture(MANY, 1)
    fixture.page()
    gc.collect()
    gc.freeze()
    took, late = [], []
    for _ in range(3):
        fixture.see(fixture.probes[::2])
        gc.collect()
        async with LagSampler() as lag:
            took.append(await asyncio.to_thread(partial(spent, fixture)))
        late.append(lag.worst)
    assert min(took) < slowness()
    assert min(late) < 0.05


def spent(fixture: Fixture) -> float:
    """Seconds of the processor that a page takes."""
    began = time.thread_time()
    assert len(fixture.page()) > MANY * 4000
    return time.thread_time() - began


def test_two_scrapes_at_once_give_the_same_figures() -> None:
    """They wait for one another, and the second finds what the first wrote."""
    fixture = Fixture(50, 2)
    pages: list[bytes] = []

    def scrape() -> None:
        pages.append(fixture.metrics.page(fixture.board, EMPTY, modules="*"))

    threads = [threading.Thread(target=scrape) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(pages)) == 1
    assert len(pages) == 4


@pytest.mark.parametrize(
    "subject",
    [pytest.param('Shop "quoted" \\ and\nbroken', id="characters that end a label"),
     pytest.param("x" * 10_000, id="ten thousand letters"),
     pytest.param("Loja São João 🛒", id="letters of other alphabets"),
     pytest.param('\\"} 1\nprobe_success{module="forged"} 0\n#', id="a sample of its own")],
)  # fmt: skip
def test_a_certificate_of_a_stranger_is_one_label_that_every_parser_reads(subject: str) -> None:
    """A real certificate, read as the prober reads it."""
    read = _read(certificate(subject))
    assert read is not None
    seen = replace(GOOD, certificate=replace(CERTIFICATE, subject=read.subject, issuer=read.issuer, sha256=read.sha256))
    asked = probe("cart")
    metrics = Metrics(platform(asked))
    observe(metrics, asked, seen)
    for openmetrics, parse in ((False, parse_text), (True, parse_openmetrics)):
        page = metrics.page(Board(platform(asked)), EMPTY, openmetrics)
        found = [one for family in parse(page.decode()) for one in family.samples if one.name.endswith("chain_info")]
        (told,) = [one.labels["subject"] for one in found]
        assert 0 < len(told) <= 200
        assert told.isprintable()
        assert not [key for key in samples(page, openmetrics) if ("module", "forged") in key[1]]
    done = subprocess.run(
        [path_of("promtool"), "check", "metrics"],
        input=metrics.page(Board(platform(asked)), EMPTY),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def certificate(subject: str) -> bytes:
    """Signed by itself, in DER, with a subject of any length."""
    key = ec.generate_private_key(ec.SECP256R1())
    with warnings.catch_warnings():  # about its length
        warnings.simplefilter("ignore")
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject, _validate=False)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_days(-1))
        .not_valid_after(_days(30))
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
