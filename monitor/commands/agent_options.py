"""The options of `monitor agent`."""

import sys

import click

from monitor.commands.common import Common, at_once, common, go, stop_at_once


@click.command()
@click.option("--location", metavar="NAME", required=True, help="The place, as the core's configuration calls it.")
@click.option(
    "--broker",
    metavar="URL",
    envvar="MONITOR_BROKER",
    required=True,
    help="mqtt(s)://NAME:PASSWORD@HOST:PORT [$MONITOR_BROKER, which no list of processes shows].",
)
@click.option("--ca-file", metavar="FILE", help="Authorities to trust for the broker, beside the system's.")
@click.option("--cert-file", metavar="FILE", help="Our certificate, where the broker asks for one.")
@click.option("--key-file", metavar="FILE", help="The key of that certificate [in --cert-file].")
@common
def agent(
    given: Common, location: str, broker: str, ca_file: str | None, cert_file: str | None, key_file: str | None
) -> None:
    """Probe from another place, and tell the core what is seen. Goes on until SIGTERM or SIGINT.

    $MONITOR_LOCATION_SECRET, or the file that $MONITOR_LOCATION_SECRET_FILE names, holds the secret of the place.
    """
    stop_at_once()
    from monitor.commands.agent import agent as job
    from monitor.commands.agent import broker_of, secret_of

    try:
        secret, meant = secret_of(), broker_of(broker, ca_file, cert_file, key_file)
    except ValueError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    given.set_up_logs()
    go(job(location, meant, secret, given.folder), at_once)
