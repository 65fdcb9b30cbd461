"""The command line of `monitor subscribers`. What a command does stands in `subscribers.py`."""

from typing import TYPE_CHECKING

import click

from monitor.commands.common import Common, common, go, loaded

if TYPE_CHECKING:
    from monitor.config import Config


@click.group()
@common
def subscribers(given: Common) -> None:
    """Customers who asked to be told, by mail or by a call."""
    click.get_current_context().obj = given


@subscribers.command("list")
@click.option("--json", "as_json", is_flag=True, help="One subscriber a line, as JSON.")
@common
def list_(given: Common, as_json: bool) -> None:
    """How many there are, and each without its address."""
    from monitor.commands.subscribers import list_ as job

    go(job(_ready(given), given.folder, as_json))


@subscribers.command()
@click.option("--address", metavar="ADDRESS", help="Only what is kept of this one.")
@click.option("--author", metavar="NAME", help="Who wants it, for the audit log.")
@common
def export(given: Common, address: str | None, author: str | None) -> None:
    """Everything that is kept, addresses included. One subscriber a line, as JSON."""
    from monitor.commands.subscribers import export as job

    go(job(_ready(given), given.folder, address, author))


@subscribers.command()
@click.argument("whom", metavar="ADDRESS|ID")
@click.option("--author", metavar="NAME", help="Who wants it, for the audit log.")
@common
def erase(given: Common, whom: str, author: str | None) -> None:
    """Forget an address with all that is kept of it. Or the subscription of an id."""
    from monitor.commands.subscribers import erase as job

    if not whom.strip():
        raise click.BadParameter("say whom: an address, or an id of `monitor subscribers list`")
    go(job(_ready(given), given.folder, whom.strip(), author))


def _ready(given: Common) -> "Config":
    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    return config
