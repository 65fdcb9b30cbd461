"""`docs/simulator.md` names what the simulator does."""

import re
from pathlib import Path

from monitor.simulator import links
from monitor.simulator.faults import FAULTS, OPTIONS
from monitor.simulator.modules import STRUCK
from monitor.simulator.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
TABLES = (links.SIMULATION, links.CART, links.AVAILABILITY, links.PROFILE, links.INSTALLMENTS, links.PLACING)
ALONE = (links.PAYING, (links.SUBSCRIPTION, links.AFFILIATE, links.RECAPTCHA))


def test_every_module_fault_option_and_setting_is_in_it() -> None:
    """What can be struck and set is named, and each setting with its default."""
    for word in (*STRUCK, *FAULTS, *OPTIONS):
        assert f"`{word}`" in TEXT, word
    for name, default in Settings().shown().items():
        match default:
            case bool():
                shown = str(default).lower()
            case float():
                shown = f"{default:g}"
            case _:
                shown = f"`{default}`"
        assert f"| `{name}` | {shown} |" in TEXT, name


def test_every_code_is_in_it() -> None:
    """Each code an answer may carry is named, numbered details by their number."""
    codes = {code for table in (*TABLES, *ALONE) for link in table for code in (link.code, *link.told.values())}
    for code in codes:
        family, _, detail = code.partition(".")
        assert re.search(rf"`{family}(\.\d+)?`", TEXT), code
        assert not detail or f".{detail}`" in TEXT, code
