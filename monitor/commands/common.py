"""Common: what every command takes, and how it begins and ends."""

import asyncio
import logging
import math
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from monitor.config import Config, ConfigError


UNNAMED = "probes.yaml"  # what is read when no file is named
STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Common:
    """The common options; None where one was not given."""

    config: str | None = None
    data: str | None = None
    log_format: str | None = None
    log_level: str | None = None

    def under(self, later: "Common") -> "Common":
        """These options, with those given later in their place."""
        given = {name: value for name, value in vars(later).items() if value is not None}
        return replace(self, **given)

    @property
    def file(self) -> str:
        """Where the configuration is: the option, else the environment, else the folder we stand in."""
        return self.config or os.environ.get("MONITOR_CONFIG") or UNNAMED

    @property
    def folder(self) -> Path:
        """The data directory."""
        return Path(self.data or "data")

    def set_up_logs(self, config: "Config | None" = None) -> None:
        """Starts logging; secrets of the configuration are masked."""
        from monitor.logs import set_up
        from monitor.mask import masker

        set_up(self.log_format == "json", self.log_level or "info", masker(config.secrets if config else frozenset()))


class Finite(click.FloatRange):
    """A number that one can reckon with, which `nan` and `inf` are not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Reads one, as click does."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


OPTIONS = (
    click.option(
        "--config", metavar="FILE", type=click.Path(), help="Configuration [$MONITOR_CONFIG, else ./probes.yaml]."
    ),
    click.option("--data", metavar="DIR", type=click.Path(file_okay=False), help="Data directory [./data]."),
    click.option("--log-format", type=click.Choice(["text", "json"]), help="Form of the log [text]."),
    click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[info]"),
)


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the common options to a command, which gets them as one `Common`."""

    @wraps(function)
    @click.pass_context
    def called(context: click.Context, /, *args: Any, **options: Any) -> Any:
        own = Common(**{name: options.pop(name) for name in Common.__dataclass_fields__})
        given: Common = context.obj or Common()
        return function(given.under(own), *args, **options)

    for option in reversed(OPTIONS):
        called = option(called)
    return called


def loaded(given: Common, read: "Callable[[], Config] | None" = None) -> "Config":
    """The configuration, or its problems on stderr and exit status 2. `read` reads it another way than here and now."""
    from monitor.config import ConfigError
    from monitor.config.file import load

    try:
        return load(given.file) if read is None else read()
    except ConfigError as error:
        click.echo(told(error), err=True)
        sys.exit(2)


def told(error: "ConfigError") -> str:
    """What is wrong with a configuration; where there is none yet, what to do about that too."""
    if error.file != UNNAMED or os.path.lexists(UNNAMED):
        return str(error)
    return f"{error}; `monitor init` writes one, --config names another, and `monitor demo` needs none."


def stop_at_once() -> None:
    """SIGTERM and SIGINT end the process from now on: nothing is open yet, so nothing has to be written."""
    for number in STOPS:
        signal.signal(number, lambda *_: os._exit(0))


def at_once(status: int) -> NoReturn:
    """Ends the process, when all is written and closed: to free one by one what 10,000 modules held takes ten
    seconds, and whoever stops a monitor waits for it."""
    logging.shutdown()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def go(job: Coroutine[Any, Any, int], end: Callable[[int], NoReturn] = sys.exit) -> None:
    """Runs a command to its exit status. A foreseen trouble is a sentence; Ctrl-C is no trouble."""
    from monitor.loop import Loop
    from monitor.pages.publish import PublishError
    from monitor.store import StoreFailed, StoreUnusable

    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            status = runner.run(job)
        end(status)
    except (StoreFailed, StoreUnusable, PublishError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
