"""Spans: how long each step took, for whoever collects traces with OpenTelemetry.

Off until the environment names a collector, as OpenTelemetry's own variables do, and the extra `otel` is installed;
nothing of it is even imported before. A span carries the fields that the log carries.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from monitor import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

NAME = "vtex-monitor"
LEAVE = 1.5  # seconds in which a stop sends what waits
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

Value = str | int | float | Sequence[str]


class Span(Protocol):
    """What is known of a step only at its end is added to its span."""

    def set_attributes(self, attributes: Mapping[str, Value]) -> None: ...


class _Idle:
    """The span of a monitor that nobody traces."""

    def __enter__(self) -> "_Idle":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def set_attributes(self, attributes: Mapping[str, Value]) -> None:
        pass


_IDLE = _Idle()
_tracer: "Tracer | None" = None


def span(name: str, about: Mapping[str, Value], since: int | None = None) -> AbstractContextManager[Span]:
    """A span around a block of code, with these fields; one that does nothing while nobody collects. `since`: it began
    before the block, in nanoseconds since 1970."""
    if _tracer is None:
        return _IDLE
    return _traced(_tracer, name, about, since)


@contextmanager
def _traced(tracer: "Tracer", name: str, about: Mapping[str, Value], since: int | None) -> Iterator[Span]:
    """A span that says which kind of error left it, and not in which words: they may hold an address or a secret."""
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(
        name, attributes=about, start_time=since, record_exception=False, set_status_on_exception=False
    ) as one:
        try:
            yield one
        except BaseException as error:
            one.set_attribute("error.type", type(error).__name__)
            one.set_status(StatusCode.ERROR)
            raise


def are_wanted() -> bool:
    """Whether somebody collects: what a span would say need not be worked out otherwise."""
    return _tracer is not None


def use(tracer: "Tracer | None") -> None:
    """From now on spans go to this tracer, and lines of the log name the span they were written in; None ends it."""
    global _tracer
    _tracer = tracer
    logging.setLogRecordFactory(logging.LogRecord if tracer is None else _record)


def start(environment: Mapping[str, str] = os.environ) -> Callable[[], None]:
    """Begins to send spans where the environment asks for it. Gives what is to be called at the end."""
    kind = environment.get("OTEL_TRACES_EXPORTER") or ("otlp" if any(map(environment.get, ENDPOINTS)) else "none")
    if kind == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return _nothing
    protocol = next(filter(None, map(environment.get, PROTOCOLS)), "http/protobuf")
    if kind not in ("otlp", "console") or (kind == "otlp" and protocol != "http/protobuf"):
        asked = kind if kind not in ("otlp", "console") else protocol
        log.warning("no traces are sent: `%s` is not spoken here, only otlp over http/protobuf, and console", asked)
        return _nothing
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
    except ImportError:
        log.warning("no traces are sent: OpenTelemetry is missing; install vtex-monitor[otel]")
        return _nothing
    named = "OTEL_SERVICE_NAME" in environment or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    about = {"service.version": __version__, **({} if named else {"service.name": NAME})}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_otlp() if kind == "otlp" else ConsoleSpanExporter()))
    use(provider.get_tracer(NAME, __version__))
    log.info("traces are sent by OpenTelemetry (%s)", kind)

    def stop() -> None:
        use(None)
        leaving = threading.Thread(target=provider.shutdown, daemon=True)  # a collector that hangs keeps nobody here
        leaving.start()
        leaving.join(LEAVE)

    return stop


def _nothing() -> None:
    pass


def _otlp() -> "SpanExporter":
    """Sends to a collector. That it does not take them is logged once, and that it does again."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExportResult

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # its own lines repeat with every batch

    class Sender(OTLPSpanExporter):
        failing = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = super().export(spans)
            failed = result is not SpanExportResult.SUCCESS
            if failed != self.failing:
                (log.warning if failed else log.info)("the collector %s spans", "takes no" if failed else "takes")
            self.failing = failed
            return result

    return Sender()


def _record(*arguments: Any, **keywords: Any) -> logging.LogRecord:
    from opentelemetry.trace import get_current_span

    record = logging.LogRecord(*arguments, **keywords)
    context = get_current_span().get_span_context()
    if context.is_valid:
        record.span = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    return record
