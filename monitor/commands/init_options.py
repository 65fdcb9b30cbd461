"""`monitor init` as it is called."""

import sys
from typing import Any

import click

from monitor.commands.common import Common, common

OPTIONS = (
    click.option("--account", metavar="NAME", help="The account: the name before .myvtex.com."),
    click.option("--sku", metavar="NUMBER", help="A hidden SKU with plenty of stock."),
    click.option("--postal-code", metavar="CODE", help="A postal code the store delivers to."),
    click.option("--country", metavar="ABC", help="Its country, three letters [BRA]."),
    click.option("--domain", metavar="HOST", help="The domain shoppers use."),
    click.option("--framework", metavar="NAME", help="store-framework, faststore or portal."),
    click.option("--languages", metavar="TAGS", help="Languages of the page, the first one at / [pt-BR,en,es]."),
    click.option("--timezone", metavar="NAME", help="Time zone of the page [America/Sao_Paulo]."),
    click.option("--name", metavar="TEXT", help="What the page is called [VTEX and the account]."),
    click.option("--url", metavar="URL", help="Where the page will be seen [http://127.0.0.1:8080]."),
    click.option("--channel", metavar="URL", help="Who is told: a broker (mqtt://), a webhook of Slack or any other."),
)


@click.command()
@click.argument("file", required=False, type=click.Path())
@common
def init(given: Common, file: str | None, **said: Any) -> None:
    """Write a probes.yaml to begin with. What no option says is asked for; nothing is overwritten."""
    from monitor.commands.init import init as job

    sys.exit(job(file or given.file, said, sys.stdin.isatty()))


for _option in reversed(OPTIONS):
    init = _option(init)
