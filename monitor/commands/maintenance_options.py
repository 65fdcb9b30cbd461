"""The command line of `monitor maintenance`. What a command does stands in `maintenance.py`."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from monitor.commands.common import Common, common, go, loaded
from monitor.commands.incident_options import several_ids, texts_by_language

if TYPE_CHECKING:
    from monitor.config import Config

STATUSES = ("scheduled", "in_progress", "verifying", "completed", "cancelled")
TIME = "2026-11-27T02:00 in the site's zone, `now`, or +2h"


@click.group()
@common
def maintenance(given: Common) -> None:
    """Planned work. Its failures are no incidents, and its time does not count."""
    click.get_current_context().obj = given


def _quoted(context: click.Context, parameter: click.Parameter, id: str) -> str:
    """An id as it stands in an address."""
    if not id.strip():
        raise click.BadParameter("say which work; `monitor maintenance list` names it")
    return quote(id.strip(), safe="")


_ID = click.argument("id", callback=_quoted)
_JSON = click.option("--json", "as_json", is_flag=True, help="As one JSON object.")


def _message(function: Callable[..., Any]) -> Callable[..., Any]:
    told = "What readers are told; `-`: from standard input."
    function = click.option("--lang", "langs", multiple=True, metavar="TAG", help="Language of each text.")(function)
    return click.option("--message", "-m", "texts", multiple=True, metavar="TEXT", help=told)(function)


@maintenance.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only this.")
@click.option("--json", "as_json", is_flag=True, help="One piece of work or window a line, as JSON.")
@common
def list_(given: Common, status: str | None, as_json: bool) -> None:
    """What is planned, under way, and over of late."""
    from monitor.commands.maintenance import list_ as job

    config = _ready(given)
    go(job(config, given.folder, status, as_json))


@maintenance.command()
@click.option("--title", "titles", multiple=True, required=True, metavar="TEXT", help="The headline.")
@click.option("--from", "begins", metavar="TIME", help=f"When it begins: {TIME} [now].")
@click.option("--until", metavar="TIME", help="When it ends; excludes --duration.")
@click.option("--duration", metavar="DURATION", help="How long it takes, such as 90m; excludes --until.")
@click.option("--module", "--modules", "modules", multiple=True, metavar="ID,…", help="What is worked on [everything].")
@click.option("--rrule", metavar="RULE", help="How it repeats, such as 'FREQ=WEEKLY;BYDAY=SU'.")
@click.option("--timezone", metavar="ZONE", help="Of the times and the rule [the site's].")
@click.option("--excuses", multiple=True, metavar="KIND,…", help="Only these faults: slow, degraded, codes [all].")
@_message
@_JSON
@common
def schedule(
    given: Common,
    titles: Sequence[str],
    begins: str | None,
    until: str | None,
    duration: str | None,
    modules: Sequence[str],
    rrule: str | None,
    timezone: str | None,
    excuses: Sequence[str],
    texts: Sequence[str],
    langs: Sequence[str],
    as_json: bool,
) -> None:
    """Plan work, once or by a rule."""
    config = _ready(given)
    body = {
        "title": texts_by_language(config, "--title", titles, langs),
        "message": texts_by_language(config, "--message", texts, langs),
        "from": begins,
        "until": until,
        "duration": duration,
        "modules": several_ids(modules),
        "rrule": rrule,
        "timezone": timezone,
        "excuses": several_ids(excuses),
    }
    _say(given, config, "/maintenance", body, as_json)


@maintenance.command()
@_ID
@click.option("--until", required=True, metavar="TIME", help=f"The new end: {TIME} from now.")
@_message
@_JSON
@common
def extend(given: Common, id: str, until: str, texts: Sequence[str], langs: Sequence[str], as_json: bool) -> None:
    """Move the end of work, also of what is under way."""
    _act(given, id, "extend", texts, langs, as_json, {"until": until})


@maintenance.command()
@_ID
@_message
@_JSON
@common
def begin(given: Common, id: str, texts: Sequence[str], langs: Sequence[str], as_json: bool) -> None:
    """Begin work now that was planned for later. It goes on for as long as it was to take."""
    _act(given, id, "begin", texts, langs, as_json)


@maintenance.command()
@_ID
@_message
@_JSON
@common
def cancel(given: Common, id: str, texts: Sequence[str], langs: Sequence[str], as_json: bool) -> None:
    """Withdraw work that has not begun. Of a window, all that is to come of it."""
    _act(given, id, "cancel", texts, langs, as_json)


@maintenance.command()
@_ID
@_message
@_JSON
@common
def verify(given: Common, id: str, texts: Sequence[str], langs: Sequence[str], as_json: bool) -> None:
    """Say that the work is done and being verified; its time goes on."""
    _act(given, id, "verify", texts, langs, as_json)


@maintenance.command()
@_ID
@_message
@_JSON
@common
def complete(given: Common, id: str, texts: Sequence[str], langs: Sequence[str], as_json: bool) -> None:
    """End work that is under way, now."""
    _act(given, id, "complete", texts, langs, as_json)


# -- what they share --------------------------------------------------------------------------------------------------


def _ready(given: Common) -> "Config":
    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    return config


def _act(
    given: Common,
    id: str,
    act: str,
    texts: Sequence[str],
    langs: Sequence[str],
    as_json: bool,
    more: dict[str, str] | None = None,
) -> None:
    config = _ready(given)
    message = texts_by_language(config, "--message", texts, langs)
    _say(given, config, f"/maintenance/{id}/{act}", {"message": message, **(more or {})}, as_json)


def _say(given: Common, config: "Config", path: str, body: dict[str, Any], as_json: bool) -> None:
    from monitor.commands.maintenance import say as job

    go(job(config, given.folder, path, body, as_json))
