"""Lookout: what it says of itself when it begins."""

import logging
from dataclasses import replace

import pytest

from monitor.lookout import NAMED, _tell_of
from tests.stories.beats import module, platform


def test_probes_that_are_off_are_told_by_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has set nothing yet reads what to set, not one line for each probe; a long list is cut short."""
    modules = {}
    for n in range(NAMED + 3):
        one = module(f"m{n}")
        why = "KEY is not set" if n else None
        modules[one.id] = replace(one, probes=tuple(replace(probe, off=why) for probe in one.probes))
    with caplog.at_level(logging.INFO, "monitor.lookout"):
        _tell_of(replace(platform(*(module(id) for id in modules)), modules=modules))
    (line,) = caplog.messages
    assert line.startswith("KEY is not set: m1/")
    assert line.endswith(" and 2 more are off")
    assert line.count("/") == NAMED
