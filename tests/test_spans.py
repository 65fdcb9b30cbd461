"""Spans: nothing until somebody collects, then every step with the fields of the log."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta

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
    """Which module, which probe, from where, how it came out, and which incident it opened; a tick is no step."""
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


def test_a_line_of_the_log_names_the_span_it_was_written_in(collected: InMemorySpanExporter) -> None:
    """So one leads to the other."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(Lines(True, lambda text: text))
    log = logging.getLogger("tests.spans")
    log.setLevel(logging.WARNING)
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
