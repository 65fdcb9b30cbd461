"""The commands. Each imports what it needs when it is called, so that `--help` answers at once.

Common options are understood before and after the command's name; errors are one sentence on stderr.
"""

import errno
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from monitor import __version__
from monitor.commands.agent_options import agent
from monitor.commands.common import OPTIONS, Common, Finite, common
from monitor.commands.common import at_once as _at_once
from monitor.commands.common import go as _go
from monitor.commands.common import loaded as _loaded
from monitor.commands.common import stop_at_once as _stop_at_once
from monitor.commands.completion import SHELLS, channels, codes, probes, script
from monitor.commands.figure_options import report, uptime
from monitor.commands.incident_options import incident
from monitor.commands.init_options import init
from monitor.commands.maintenance_options import maintenance
from monitor.commands.silence_options import silence
from monitor.commands.subscriber_options import subscribers
from monitor.commands.ticket_options import tickets

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(click.Group):
    """All commands. Output that finds no room is a sentence too."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Runs one, and sees that all it printed has arrived."""
        try:
            try:
                return super().main(*args, **extra)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in the buffer must not fail once more
            click.echo(f"the output cannot be written ({error.strerror}): make room, or send it elsewhere", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="monitor")
@click.pass_context
def main(context: click.Context, /, **options: Any) -> None:
    """Says which VTEX module is failing, and why."""
    context.obj = Common(**options)


for _option in reversed(OPTIONS):
    main = _option(main)


@main.command()
@common
def run(given: Common) -> None:
    """Probe, judge, record, publish and serve. Goes on until SIGTERM or SIGINT."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it would end us before we can follow it, and we read the file now
    _stop_at_once()
    from monitor.config.apart import Reading

    reading = Reading(given.file)  # beside all that is loaded here meanwhile
    from monitor.commands.run import run as job

    config = _loaded(given, reading.config)
    given.set_up_logs(config)
    _go(job(config, given.folder), _at_once)


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Public page.")
@click.option("--ops-port", type=click.IntRange(0, 65535), default=9464, show_default=True, help="Metrics, ops.")
@click.option("--fast", is_flag=True, help="Plays the story ten times faster.")
@common
def demo(given: Common, port: int, ops_port: int, fast: bool) -> None:
    """Watch a VTEX-shaped platform through a story of faults. It brings the platform along and needs no network."""
    if given.config is not None:
        raise click.UsageError("demo plays its story on the shipped configuration: --config means nothing to it")
    from monitor.commands.demo import demo as job

    given.under(Common(log_level=given.log_level or "warning")).set_up_logs()
    _go(job(port, ops_port, fast, Path(given.data) if given.data else None))


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="The platform (TLS).")
@click.option("--control-port", type=click.IntRange(0, 65535), default=8444, show_default=True, help="Faults.")
@click.option("--account", default="demostore", show_default=True, help="Name of the store's account.")
@common
def simulate(given: Common, port: int, control_port: int, account: str) -> None:
    """Only the VTEX-shaped platform. Its faults are switched over the control API."""
    from monitor.commands.simulate import simulate as job

    given.set_up_logs()
    _go(job(port, control_port, account))


@main.command()
@click.argument("file", required=False, type=click.Path())
@common
def check(given: Common, file: str | None) -> None:
    """Validate the configuration. Every problem is told, with its line and column."""
    gc.disable()  # what it imports and makes stays until it leaves
    from monitor.commands.check import check as job

    sys.exit(job(file or given.file))


@main.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One object a line, what stays as it is included.")
@common
def plan(given: Common, file: str | None, as_json: bool) -> None:
    """What a reload would change. Of each history it says what becomes of it."""
    from monitor.commands.plan import plan as job

    _go(job(file or given.file, given.folder, as_json))


@main.command("suggest-plan")
@click.option("--orders-per-day", type=Finite(min=0), metavar="NUMBER", help="Orders on an average day.")
@click.option("--average-ticket", type=Finite(min=0), metavar="NUMBER", help="What an order is worth on average.")
@click.option("--growth-percent", type=Finite(min=-100), metavar="NUMBER", help="Growth in a year, in percent.")
@common
def suggest_plan(
    given: Common, orders_per_day: float | None, average_ticket: float | None, growth_percent: float | None
) -> None:
    """Which support plan fits a shop."""
    from monitor.commands.suggest_plan import suggest_plan as job

    shop = {"orders_per_day": orders_per_day, "average_ticket": average_ticket, "growth_percent": growth_percent}
    sys.exit(job(_loaded(given), {name: number for name, number in shop.items() if number is not None}))


@main.command()
@click.argument("shell", type=click.Choice(SHELLS))
@common
def completion(given: Common, shell: str) -> None:
    """Completion for a shell. `source <(monitor completion bash)`; for fish `monitor completion fish | source`."""
    sys.stdout.write(script(shell, main))


@main.command()
@click.argument("code", shell_complete=codes)
@click.option("--json", "as_json", is_flag=True, help="One object, its texts by language.")
@click.option("--lang", metavar="TAG", help="pt-BR, en or es [en].")
@common
def explain(given: Common, code: str, as_json: bool, lang: str | None) -> None:
    """What a code means, whose it is and what to do. The code of a cause, or one in an answer of VTEX."""
    from monitor.commands.explain import explain as job

    sys.exit(job(code, lang, as_json))


@main.command()
@click.argument("selectors", nargs=-1, shell_complete=probes, metavar="[MODULE | MODULE/PROBE | GLOB]...")
@click.option("--json", "as_json", is_flag=True, help="One observation a line.")
@click.option("--debug", is_flag=True, help="Every step of the exchange, secrets masked.")
@common
def probe(given: Common, selectors: tuple[str, ...], as_json: bool, debug: bool) -> None:
    """Run matching probes once, now."""
    from monitor.commands.probe import probe as job

    config = _loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    _go(job(config, selectors, as_json, debug, given.folder))


@main.command()
@click.option("--output", metavar="DIR", help="Where to write the site [the data directory's public/].")
@common
def render(given: Common, output: str | None) -> None:
    """Write the whole site once from the store."""
    from monitor.commands.render import render as job

    config = _loaded(given)
    given.under(Common(log_level=given.log_level or "warning")).set_up_logs(config)
    _go(job(config, given.folder, Path(output) if output else None))


@main.command()
@click.argument("observations", type=click.Path(allow_dash=True))
@click.option("--until", metavar="TIME", help="Where the clock stops, before or after the end [the last observation].")
@common
def replay(given: Common, observations: str, until: str | None) -> None:
    """Judge recorded observations on a fake clock. One a line (`-`: stdin); prints one event a line."""
    from monitor.commands.replay import replay_file as job

    config = _loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    sys.exit(job(config, observations, until))


@main.command()
@click.option("--output", metavar="FILE", help="Appends to FILE, which begins anew when it is full [stdout].")
@common
def record(given: Common, output: str | None) -> None:
    """Append live observations to a file, as `replay` reads them. One a line."""
    from monitor.commands.record import record as job

    config = _loaded(given)
    given.under(Common(log_level=given.log_level or "warning")).set_up_logs(config)
    _go(job(config, given.folder, output))


@main.command()
@click.argument("channel", shell_complete=channels)
@click.option("--test", is_flag=True, required=True, help="Sends a test notice through everything a real one takes.")
@common
def notify(given: Common, channel: str, test: bool) -> None:
    """Send a test notice to a channel."""
    from monitor.commands.notify import notify as job

    config = _loaded(given)
    given.under(Common(log_level=given.log_level or "error")).set_up_logs(config)
    _go(job(config, given.folder, channel))


@main.command()
@common
def password(given: Common) -> None:
    """The line to write for a user's password. It is read from the terminal, or from stdin."""
    from monitor.commands.password import password as job

    sys.exit(job())


@main.command()
@common
def schema(given: Common) -> None:
    """JSON Schema of probes.yaml, for editors."""
    from monitor.commands.schema import schema as job

    sys.exit(job())


@main.group()
@common
def db(given: Common) -> None:
    """Migrations, integrity, a portable dump."""
    click.get_current_context().obj = given


def _database(given: Common) -> str:
    from monitor.data import database_url

    return database_url(_loaded(given), given.folder)


@db.command("upgrade")
@common
def db_upgrade(given: Common) -> None:
    """Bring the database to this version's schema."""
    from monitor.commands.db import upgrade as job

    _go(job(_database(given)))


@db.command("check")
@common
def db_check(given: Common) -> None:
    """Look for damage."""
    from monitor.commands.db import check as job

    _go(job(_database(given)))


@db.command("export")
@click.argument("output", default="-", type=click.Path(allow_dash=True))
@common
def db_export(given: Common, output: str) -> None:
    """Write everything as one JSON object a line."""
    from monitor.commands.db import export as job

    _go(job(_database(given), output))


@db.command("import")
@click.argument("file", default="-", type=click.Path(allow_dash=True))
@click.option(
    "--from",
    "source",
    type=click.Choice(["dump", "statuspage", "uptime-kuma"]),
    default="dump",
    show_default=True,
    help="What FILE is.",
)
@click.option("--map", "pairs", multiple=True, metavar="NAME=MODULE", help="What a name in FILE means here.")
@click.option("--lang", metavar="TAG", help="Language of a Statuspage's texts [the site's first].")
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@common
def db_import(given: Common, file: str, source: str, pairs: tuple[str, ...], lang: str | None, dry_run: bool) -> None:
    """Read what `export` wrote, or the past of another monitor. A dump goes into an empty database only."""
    if source == "dump":
        from monitor.commands.db import import_ as job

        if pairs or dry_run or lang:
            raise click.UsageError("--map, --lang and --dry-run need --from statuspage or uptime-kuma")
        _go(job(_database(given), file))
    from monitor.commands.db_import import import_from, mapping_of

    config = _loaded(given)
    _go(
        import_from(
            config, given.folder, source, Path(file), mapping_of(pairs), lang or config.site.languages[0], dry_run
        )
    )


main.add_command(agent)
main.add_command(incident)
main.add_command(init)
main.add_command(maintenance)
main.add_command(silence)
main.add_command(report)
main.add_command(subscribers)
main.add_command(tickets)
main.add_command(uptime)
