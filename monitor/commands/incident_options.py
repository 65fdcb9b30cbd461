"""The command line of `monitor incident`. What a command does stands in `incident.py`."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from monitor.commands.common import Common, common, go, loaded

if TYPE_CHECKING:
    from monitor.config import Config

STDIN = "-"
STAGES = ("investigating", "identified", "monitoring", "resolved", "postmortem")
IMPACTS = ("minor", "major", "critical")


@click.group()
@common
def incident(given: Common) -> None:
    """People's side of an incident. Open, write, correct, end and publish it."""
    click.get_current_context().obj = given


def _all(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def added(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return added


def _quoted(context: click.Context, parameter: click.Parameter, id: str) -> str:
    """An id as it stands in an address."""
    if not id.strip():
        raise click.BadParameter("say which incident; `monitor incident list` names them")
    return quote(id.strip(), safe="")


_ID = click.argument("id", callback=_quoted)
_JSON = click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
_AUTHOR = click.option("--author", metavar="NAME", help="Who says it; never shown in public [your login].")
_MESSAGE = "--message", "-m"
_LANG = click.option("--lang", "langs", multiple=True, metavar="TAG", help="Language of each text [the site's first].")
_SAYS = _all(_AUTHOR, _JSON)
_CAUSE = _all(
    click.option("--confirm-cause", is_flag=True, help="The cause that is named is the one."),
    click.option("--cause", metavar="MODULE", help="It comes from this module; confirmed as well."),
)


def _message(required: bool) -> Callable[..., Any]:
    told = "What readers are told; `-`: from standard input."
    return _all(click.option(*_MESSAGE, "texts", multiple=True, required=required, metavar="TEXT", help=told), _LANG)


@incident.command("list")
@click.option("--status", type=click.Choice(["open", "resolved", "draft"]), help="Only these.")
@click.option("--json", "as_json", is_flag=True, help="One incident a line, as JSON.")
@common
def list_(given: Common, status: str | None, as_json: bool) -> None:
    """The newest incidents, drafts included."""
    from monitor.commands.incident import list_ as job

    config = _ready(given)
    go(job(config, given.folder, status, as_json))


@incident.command()
@_ID
@_JSON
@common
def show(given: Common, id: str, as_json: bool) -> None:
    """One incident, whole. ID may be the beginning of an id."""
    from monitor.commands.incident import show as job

    config = _ready(given)
    go(job(config, given.folder, id, as_json))


@incident.command("open")
@click.option("--title", "titles", multiple=True, required=True, metavar="TEXT", help="The headline.")
@click.option("--module", "--modules", "modules", multiple=True, metavar="ID,…", help="What is in trouble.")
@click.option("--component", "--components", "components", multiple=True, metavar="ID,…", help="What visitors feel.")
@click.option("--impact", type=click.Choice(IMPACTS), default="minor", show_default=True)
@click.option("--status", type=click.Choice(STAGES[:3]), default="investigating", show_default=True)
@click.option("--since", metavar="TIME", help="When it began, as 2026-11-23T12:00:00Z [now].")
@click.option("--draft", is_flag=True, help="Not public before it is published.")
@_message(True)
@_SAYS
@common
def open_(
    given: Common,
    titles: Sequence[str],
    modules: Sequence[str],
    components: Sequence[str],
    impact: str,
    status: str,
    since: str | None,
    draft: bool,
    texts: Sequence[str],
    langs: Sequence[str],
    author: str | None,
    as_json: bool,
) -> None:
    """Open an incident by hand, beside those of the monitor."""
    config = _ready(given)
    body = {
        "title": texts_by_language(config, "--title", titles, langs),
        "message": texts_by_language(config, "--message", texts, langs),
        "modules": several_ids(modules),
        "components": several_ids(components),
        "impact": impact,
        "status": status,
        "started_at": since,
        "draft": draft,
    }
    _say(given, config, "POST", "/incidents", body, author, as_json)


@incident.command()
@_ID
@click.option("--status", type=click.Choice(STAGES), help="The stage that is reached [the present one].")
@_message(True)
@_CAUSE
@_SAYS
@common
def update(
    given: Common,
    id: str,
    status: str | None,
    texts: Sequence[str],
    langs: Sequence[str],
    confirm_cause: bool,
    cause: str | None,
    author: str | None,
    as_json: bool,
) -> None:
    """Write an update."""
    config = _ready(given)
    message = texts_by_language(config, "--message", texts, langs)
    body = {"message": message, "status": status, "confirm_cause": cause or confirm_cause}
    _say(given, config, "POST", f"/incidents/{id}/updates", body, author, as_json)


@incident.command()
@_ID
@_message(False)
@_CAUSE
@_SAYS
@common
def resolve(
    given: Common,
    id: str,
    texts: Sequence[str],
    langs: Sequence[str],
    confirm_cause: bool,
    cause: str | None,
    author: str | None,
    as_json: bool,
) -> None:
    """End an incident; refused while something of it still fails."""
    config = _ready(given)
    body = {
        "message": texts_by_language(config, "--message", texts, langs) or None,
        "confirm_cause": cause or confirm_cause,
    }
    _say(given, config, "POST", f"/incidents/{id}/resolve", body, author, as_json)


@incident.command()
@_ID
@_message(True)
@_CAUSE
@_SAYS
@common
def postmortem(
    given: Common,
    id: str,
    texts: Sequence[str],
    langs: Sequence[str],
    confirm_cause: bool,
    cause: str | None,
    author: str | None,
    as_json: bool,
) -> None:
    """Write what was learned, once it is over. Said again it takes the place of the first."""
    config = _ready(given)
    body = {"message": texts_by_language(config, "--message", texts, langs), "confirm_cause": cause or confirm_cause}
    _say(given, config, "POST", f"/incidents/{id}/postmortem", body, author, as_json)


@incident.command()
@_ID
@_SAYS
@common
def acknowledge(given: Common, id: str, author: str | None, as_json: bool) -> None:
    """Say that somebody works on it."""
    _say(given, _ready(given), "POST", f"/incidents/{id}/acknowledge", {}, author, as_json)


@incident.command()
@_ID
@click.option("--to", "priority", type=click.Choice(["high", "normal", "low"]), required=True, help="The lower one.")
@click.option("--reason", "reasons", multiple=True, required=True, metavar="TEXT", help="Why; readers are told.")
@_LANG
@_SAYS
@common
def lower(
    given: Common,
    id: str,
    priority: str,
    reasons: Sequence[str],
    langs: Sequence[str],
    author: str | None,
    as_json: bool,
) -> None:
    """Lower the priority that does not fit the evidence."""
    config = _ready(given)
    body = {"priority": priority, "reason": texts_by_language(config, "--reason", reasons, langs)}
    _say(given, config, "POST", f"/incidents/{id}/lower", body, author, as_json)


@incident.command()
@_ID
@_SAYS
@common
def publish(given: Common, id: str, author: str | None, as_json: bool) -> None:
    """Make a draft public."""
    _say(given, _ready(given), "POST", f"/incidents/{id}/publish", {}, author, as_json)


@incident.command()
@_ID
@click.option("--title", "titles", multiple=True, metavar="TEXT", help='Another headline; "": the monitor\'s own.')
@click.option("--summary", "summaries", multiple=True, metavar="TEXT", help='Another reason; "": the monitor\'s own.')
@click.option("--impact", type=click.Choice(IMPACTS), help="Another impact; it stays whatever is measured.")
@click.option("--update", "number", type=click.IntRange(1), help="Correct the --message of this update.")
@_message(False)
@_CAUSE
@_SAYS
@common
def edit(
    given: Common,
    id: str,
    titles: Sequence[str],
    summaries: Sequence[str],
    impact: str | None,
    number: int | None,
    texts: Sequence[str],
    langs: Sequence[str],
    confirm_cause: bool,
    cause: str | None,
    author: str | None,
    as_json: bool,
) -> None:
    """Change the public wording, or correct the text of an update."""
    config = _ready(given)
    wording = {
        "title": texts_by_language(config, "--title", titles, langs) or None,
        "summary": texts_by_language(config, "--summary", summaries, langs) or None,
        "impact": impact,
        "confirm_cause": cause or confirm_cause or None,
    }
    wanted = {name: value for name, value in wording.items() if value is not None}
    if bool(texts) != (number is not None):
        raise click.UsageError("--update and --message go together: which update, and what it says now")
    if bool(wanted) == bool(texts):
        raise click.UsageError("say what to change: --title, --summary, --impact, a cause, or --update with --message")
    if number is None:
        _say(given, config, "PATCH", f"/incidents/{id}", wanted, author, as_json)
    else:
        body = {"message": texts_by_language(config, "--message", texts, langs)}
        _say(given, config, "PATCH", f"/incidents/{id}/updates/{number}", body, author, as_json)


# -- what they share --------------------------------------------------------------------------------------------------


def _ready(given: Common) -> "Config":
    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    return config


def _say(
    given: Common, config: "Config", method: str, path: str, body: dict[str, Any], author: str | None, as_json: bool
) -> None:
    from monitor.commands.incident import say as job

    go(job(config, Path(given.folder), method, path, body, author, as_json))


def several_ids(given: Sequence[str]) -> list[str]:
    """Ids, each alone or several with commas between them."""
    return [id.strip() for one in given for id in one.split(",") if id.strip()]


def texts_by_language(config: "Config", option: str, texts: Sequence[str], langs: Sequence[str]) -> dict[str, str]:
    """A text per language: the first one in the first `--lang`, and so on; one alone in the site's first language."""
    if langs and texts and len(langs) != len(texts):
        raise click.UsageError(f"{len(texts)} {option} and {len(langs)} --lang: each text has a language")
    if len(texts) > 1 and not langs:
        raise click.UsageError(f"several {option} need a --lang each")
    if len(set(langs)) != len(langs):
        raise click.UsageError("each --lang stands once")
    if texts.count(STDIN) > 1:
        raise click.UsageError("standard input is one text only")
    tags = langs or config.site.languages[:1]
    return {tag: _standard_input() if text == STDIN else text for tag, text in zip(tags, texts, strict=False)}


def _standard_input() -> str:
    """All of it; what is no UTF-8 does not keep the rest from being said."""
    said: bytes = sys.stdin.buffer.read()
    return said.decode("utf-8", "replace")
