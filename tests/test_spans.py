"""Spans: nothing until somebody collects, then every step with the fields of the log."""

import io
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from monitor import spans
from monitor.core.effect import Observed, Ticked
from monitor.logs import Lines
from tests.stories.beats import START, observation
from tests.test_desk import CLOCK, RecordingStore, at_work


@pytest.fixture
def collected() -> Iterator[InMemorySpanExporter]:
    """A collector in memory."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans.use(provider.get_tracer("test"))
    yield exporter
    spans.use(None)


def named(collected: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [one for one in collected.get_finished_spans() if one.name == name]


def test_without_a_collector_a_span_is_nothing() -> None:
    """The same one every time, which does nothing."""
    first, second = spans.span("probe", {"module": "cart"}), spans.span("store", {})
    assert first is second
    with first as seen:
        seen.set_attributes({"code": "http.503"})


async def test_a_judgement_and_its_write_carry_what_the_log_carries(collected: InMemorySpanExporter) -> None:
    """Which module, which probe, from where, how it came out, and which incident it opened; a tick that decides
    nothing is no step."""
    desk, _ = at_work(RecordingStore())
    for beat in range(3):
        CLOCK.at = START + timedelta(minutes=beat, seconds=1)
        desk.take(Observed(observation("catalog", START + timedelta(minutes=beat), "-")))
    desk.take(Ticked())
    await desk.flush()
    judged = [dict(one.attributes or {}) for one in named(collected, "judge")]
    assert len(judged) == 3
    assert {(one["module"], one["probe"], one["location"], one["outcome"]) for one in judged} == {
        ("catalog", "ask", "here", "failed")
    }
    (opened,) = desk.board.incidents
    assert [one.get("incident") for one in judged].count(opened) >= 1
    (written,) = named(collected, "store")
    assert (written.attributes or {})["incidents"] == (opened,)


async def test_what_a_tick_decides_has_its_span(
    collected: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody could be asked again, time passed, and the incident changes: its line leads to a span as any other's."""
    desk, _ = at_work(RecordingStore())
    for beat in range(3):
        CLOCK.at = START + timedelta(minutes=beat, seconds=1)
        desk.take(Observed(observation("catalog", START + timedelta(minutes=beat), "-")))
    (opened,) = desk.board.incidents
    collected.clear()
    with caplog.at_level(logging.INFO, logger="monitor.desk"):
        for _ in range(600):
            CLOCK.at += timedelta(seconds=1)
            desk.take(Ticked())
    (judged,) = named(collected, "judge")
    assert judged.attributes is not None
    assert (judged.attributes["event"], judged.attributes["incident"]) == ("Ticked", opened)
    assert judged.start_time is not None
    assert judged.end_time is not None
    assert 0 < judged.end_time - judged.start_time < 10**9, "of the step, whatever the clock of the test says"
    told = [record for record in caplog.records if "change" in getattr(record, "about", {})]
    assert told
    assert all(record.span["trace_id"] == f"{judged.context.trace_id:032x}" for record in told)  # type: ignore[attr-defined]


def test_a_line_of_the_log_names_the_span_it_was_written_in(collected: InMemorySpanExporter) -> None:
    """So one leads to the other."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(Lines(True, lambda text: text))
    log = logging.getLogger("tests.spans")
    log.setLevel(logging.WARNING)  # whatever another test has left
    log.addHandler(handler)
    try:
        with spans.span("probe", {"module": "cart"}):
            log.warning("inside")
        log.warning("outside")
    finally:
        log.removeHandler(handler)
    inside, outside = map(json.loads, output.getvalue().splitlines())
    context = named(collected, "probe")[0].context
    assert context is not None
    assert inside["trace_id"] == f"{context.trace_id:032x}"
    assert inside["span_id"] == f"{context.span_id:016x}"
    assert "trace_id" not in outside


def test_a_failure_is_told_by_its_kind_and_not_in_its_words(collected: InMemorySpanExporter) -> None:
    """Errors quote addresses, and addresses hold tokens."""
    with pytest.raises(ValueError, match="hush"), spans.span("deliver", {"channel": "chat"}):
        raise ValueError("POST https://chat.example/hush-hush failed")
    (failed,) = named(collected, "deliver")
    assert (failed.attributes or {})["error.type"] == "ValueError"
    assert not failed.status.is_ok
    assert "hush" not in failed.to_json()


def test_without_the_extra_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And goes on without."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with caplog.at_level(logging.WARNING, logger="monitor.spans"):
        spans.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})()
    assert "install vtex-monitor[otel]" in caplog.text
    assert not spans.are_wanted()


@pytest.mark.slow
def test_nothing_is_loaded_that_nobody_asked_for() -> None:
    """The whole monitor, without a line of OpenTelemetry."""
    told = "import sys, monitor.commands.run; print([one for one in sys.modules if one.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_collector_that_is_away_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And once that it is back."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    sender = spans._otlp()
    one = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("probe")
    one.end()
    assert isinstance(one, ReadableSpan)
    with caplog.at_level(logging.INFO, logger="monitor.spans"):
        sender.export([one])
        sender.export([one])
        with HTTPServer(("127.0.0.1", port), Taking) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            sender.export([one])
            sender.export([one])
            server.shutdown()
    sender.shutdown()
    assert [record.getMessage() for record in caplog.records if record.name == "monitor.spans"] == [
        "the collector takes no spans",
        "the collector takes spans",
    ]


class Taking(BaseHTTPRequestHandler):
    """A collector that takes everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        pytest.param({}, "", id="nothing is said"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, "", id="empty is not set"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, "", id="disabled"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, "", id="none"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "`grpc`", id="grpc"
        ),
        pytest.param({"OTEL_TRACES_EXPORTER": "zipkin"}, "`zipkin`", id="another exporter"),
    ],
)
def test_the_environment_decides(environment: dict[str, str], told: str, caplog: pytest.LogCaptureFixture) -> None:
    """By OpenTelemetry's own variables; what is asked for and not spoken is said once."""
    with caplog.at_level(logging.WARNING, logger="monitor.spans"):
        spans.start(environment)()
    assert spans.span("probe", {}) is spans.span("store", {}), "nobody collects"
    assert told in caplog.text
    assert bool(caplog.text) == bool(told)
