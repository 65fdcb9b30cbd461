"""What goes by a new id after a module was renamed."""

import json
from dataclasses import replace

from monitor.core.alias import renamed, renamed_window
from monitor.core.incident import incident_to_json
from monitor.core.maintenance import Window
from tests.store.past import NOON, after, incident


def test_an_incident_names_nobody_by_an_old_id() -> None:
    """Not its cause, its members, its evidence or its entries; only its key, by which it is known, stays."""
    old = incident("old")
    told = {"module": "old", "modules": ["old", "other"], "parts": [{"module": "other"}, {"modules": ("old",)}]}
    old = replace(
        old,
        updates=tuple(replace(one, params=told) for one in old.updates),
        cause=replace(old.cause, platform_reports={"found": True, "module": "old"}),
    )
    new = renamed(old, {"old": "new"})
    assert new.key == old.key
    wanted = json.dumps(incident_to_json(old)).replace('"old"', '"new"')
    assert json.loads(json.dumps(incident_to_json(new))) == json.loads(wanted)


def test_a_window_is_for_the_same_modules() -> None:
    """The others among them included."""
    window = Window("w", {"en": "Works"}, NOON, after(60), modules=("old", "other"))
    assert renamed_window(window, {"old": "new"}).modules == ("new", "other")
