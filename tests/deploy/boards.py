"""The shipped dashboards, and what in them is asked of Prometheus."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))
Json = dict[str, Any]


def read(file: Path) -> Json:
    loaded: Json = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def panels(board: Json) -> Iterator[Json]:
    """Everything that shows data, rows aside."""
    for panel in board["panels"]:
        yield from panel["panels"] if panel["type"] == "row" and panel["panels"] else [panel]


def shown(board: Json) -> list[Json]:
    return [panel for panel in panels(board) if panel["type"] not in ("row", "text")]


def asked(board: Json) -> Iterator[tuple[str, str]]:
    """(where it stands, expression), those of annotations included."""
    for panel in shown(board):
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for note in board["annotations"]["list"]:
        if "expr" in note:
            yield f"annotation {note['name']}", note["expr"]


def variables(board: Json) -> Json:
    return {one["name"]: one for one in board["templating"]["list"]}


def filled(expression: str, **values: str) -> str:
    """As Grafana sends it: each variable replaced, by `.*` where nothing is said of it."""
    known = {"__rate_interval": "1m", "__range": "5m", "__interval": "15s", **values}
    return re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], ".*"), expression)
