"""The command line of `monitor tickets`. What a command does stands in `tickets.py`."""

import click

from monitor.commands.common import Common, common, go, loaded


@click.group()
@common
def tickets(given: Common) -> None:
    """Tickets that a ticket tool keeps of incidents."""
    click.get_current_context().obj = given


@tickets.command("import")
@click.option("--status", type=click.Choice(["open", "resolved"]), help="Only of these incidents.")
@common
def import_(given: Common, status: str | None) -> None:
    """Read when tickets were answered, for the clocks of plans."""
    from monitor.commands.tickets import import_ as job

    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    go(job(config, given.folder, status))
