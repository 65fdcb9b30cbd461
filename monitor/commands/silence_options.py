"""The command line of `monitor silence`. What a command does stands in `silence.py`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from monitor.commands.common import Common, common, go, loaded
from monitor.commands.incident_options import several_ids

if TYPE_CHECKING:
    from monitor.config import Config

STATUSES = ("coming", "active", "over")


@click.group()
@common
def silence(given: Common) -> None:
    """What nobody wants notices of for a while. Incidents are recorded all the same."""
    click.get_current_context().obj = given


@silence.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only this.")
@click.option("--json", "as_json", is_flag=True, help="One silence a line, as JSON.")
@common
def list_(given: Common, status: str | None, as_json: bool) -> None:
    """Who silenced what, why and until when."""
    from monitor.commands.silence import list_ as job

    go(job(_ready(given), given.folder, status, as_json))


@silence.command()
@click.option("--author", required=True, metavar="NAME", help="Who wants it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option("--until", required=True, metavar="TIME", help="A time, or how long: 2h. At most seven days.")
@click.option("--from", "begins", metavar="TIME", help="When it begins [now].")
@click.option("--module", "--modules", "modules", multiple=True, metavar="ID,…", help="What it comes from.")
@click.option("--component", "--components", "components", multiple=True, metavar="ID,…", help="What it touches.")
@click.option("--group", "--groups", "groups", multiple=True, metavar="ID,…", help="Groups of components.")
@click.option("--priority", "--priorities", "priorities", multiple=True, metavar="WORD,…", help="urgent, high, …")
@click.option("--code", "--codes", "codes", multiple=True, metavar="CODE,…", help="Causes: http.503, or a family: tls.")
@click.option("--incident", metavar="ID", help="One incident.")
@click.option("--all", "everything", is_flag=True, help="Everything, where nothing else is named.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@common
def add(
    given: Common,
    author: str,
    reason: str,
    until: str,
    begins: str | None,
    modules: Sequence[str],
    components: Sequence[str],
    groups: Sequence[str],
    priorities: Sequence[str],
    codes: Sequence[str],
    incident: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Hold back notices of what fits all that is named."""
    from monitor.commands.silence import add as job

    config = _ready(given)
    body = {
        "author": author,
        "reason": reason,
        "from": begins,
        "until": until,
        "modules": several_ids(modules),
        "components": several_ids(components),
        "groups": several_ids(groups),
        "priorities": several_ids(priorities),
        "codes": several_ids(codes),
        "incident": incident,
        "all": everything,
    }
    go(job(config, given.folder, body, as_json))


@silence.command()
@click.argument("id")
@click.option("--author", metavar="NAME", help="Who lifts it.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@common
def remove(given: Common, id: str, author: str | None, as_json: bool) -> None:
    """Lift a silence: from now on notices go out again."""
    from monitor.commands.silence import remove as job

    if not id.strip():
        raise click.BadParameter("say which silence; `monitor silence list` names it")
    go(job(_ready(given), given.folder, quote(id.strip(), safe=""), author, as_json))


def _ready(given: Common) -> "Config":
    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    return config
