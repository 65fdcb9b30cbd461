"""`monitor password`: makes the line that stands in `monitor.users` for a password, which is never shown."""

import sys

import click

from monitor.config.access import made

SHORTEST, LONGEST = 10, 1000  # characters


def password() -> int:
    """Reads a password, twice and unseen from a terminal, else the first line of stdin; prints its line."""
    said = _typed() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if said is None or not SHORTEST <= len(said) <= LONGEST or not said.isprintable():
        wrong = f"a password has {SHORTEST} to {LONGEST} characters, all of which can be typed"
        click.echo(f"no line was made: {'those were two different ones' if said is None else wrong}", err=True)
        return 2
    click.echo(made(said))
    return 0


def _typed() -> str | None:
    """What was typed, the same both times."""
    first: str = click.prompt("Password", hide_input=True, err=True)
    again: str = click.prompt("Once more", hide_input=True, err=True)
    return first if first == again else None
