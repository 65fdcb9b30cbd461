"""The command lines of `monitor uptime` and `monitor report`. What they do stands in `uptime.py` and `report.py`."""

import click

from monitor.commands.common import Common, common, go, loaded

TIME = "a date, an RFC 3339 time, a time in the site's zone, `now`, or -7d"


@click.command()
@click.argument("module", metavar="MODULE | COMPONENT | group:ID | platform")
@click.option("--from", "since", metavar="TIME", default="-30d", show_default=True, help=f"Beginning: {TIME}.")
@click.option("--until", metavar="TIME", default="now", show_default=True, help="End, exclusive.")
@click.option("--explain", is_flag=True, help="The intervals that the figure comes from, and the formula.")
@click.option("--daily", is_flag=True, help="Every day of it, in the site's zone.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@common
def uptime(given: Common, module: str, since: str, until: str, explain: bool, daily: bool, as_json: bool) -> None:
    """The uptime of anything over any stretch of time. It is the figure of page, API, badge and metric."""
    from monitor.commands.uptime import uptime as job

    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    go(job(config, given.folder, module, (since, until), explain, daily, as_json))


@click.command()
@click.option("--month", metavar="YYYY-MM", help="A month in the site's zone.")
@click.option("--quarter", metavar="YYYY-Qn", help="A quarter in the site's zone.")
@click.option("--from", "since", metavar="TIME", help=f"Beginning of any stretch: {TIME}.")
@click.option("--until", metavar="TIME", help="Its end, exclusive [now].")
@click.option("--format", "formats", default="html", show_default=True, help="html, csv, json, or several with commas.")
@click.option("--lang", metavar="TAG", help="Language [the site's first].")
@click.option(
    "--output",
    metavar="FILE | DIR",
    help="A folder for several formats or all tables [stdout].",
)
@common
def report(
    given: Common,
    month: str | None,
    quarter: str | None,
    since: str | None,
    until: str | None,
    formats: str,
    lang: str | None,
    output: str | None,
) -> None:
    """What a month, a quarter or any stretch of time was like. To be read, printed or reckoned with."""
    from monitor.commands.report import Asked
    from monitor.commands.report import report as job

    config = loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    go(job(config, given.folder, Asked(month, quarter, since, until, formats, lang, output)))
