"""The command line of `monitor uptime`. What the command does stands in `uptime.py`."""

import click

from monitor.commands.common import Common, common, go, loaded

TIME = "a date, an RFC 3339 time, a time in the site's zone, `now`, or -7d"


@click.command()
@click.argument("module", metavar="MODULE | COMPONENT | group:ID | platform")
@click.option("--from", "since", metavar="TIME", default="-30d", show_default=True, help=f"Beginning: {TIME}.")
@click.option("--until", metavar="TIME", default="now", show_default=True, help="End, exclusive.")
@click.option("--explain", is_flag=True, help="The intervals that the figure comes from, and the formula.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@common
def uptime(given: Common, module: str, since: str, until: str, explain: bool, as_json: bool) -> None:
    """The figure of page, API, badge and metric, over any stretch of time."""
    from monitor.commands.uptime import uptime as job

    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    go(job(config, given.folder, module, (since, until), explain, as_json))
