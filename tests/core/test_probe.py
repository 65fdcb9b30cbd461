"""When a probe is due: a grid that never drifts, known by its name alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.probe import Role, hosts_of, next_due, phase_of
from monitor.core.shared import zone_of
from tests.stories.beats import module, platform

PROBE = module("catalog").probes[0]
intervals = st.sampled_from([1.0, 7.5, 30.0, 60.0, 3600.0])
moments = st.floats(0, 1e6, allow_nan=False)


@given(intervals, moments)
def test_the_next_point_is_later_and_no_more_than_an_interval_away(interval: float, after: float) -> None:
    """Strictly after, so that no point is taken twice."""
    probe = replace(PROBE, interval=timedelta(seconds=interval))
    due = next_due(probe, "here", after)
    assert after < due <= after + interval + 1e-6


@given(intervals, moments, st.floats(0, 0.999))
def test_the_grid_does_not_drift(interval: float, after: float, late: float) -> None:
    """A run that begins late leaves the next point where it was."""
    probe = replace(PROBE, interval=timedelta(seconds=interval))
    due = next_due(probe, "here", after)
    following = next_due(probe, "here", due + late * interval)
    assert following == pytest.approx(due + interval, abs=1e-6)


@given(moments)
def test_a_reload_moves_nobody(after: float) -> None:
    """The grid depends on place, module, probe and interval, and on nothing else of the configuration."""
    other = replace(PROBE, timeout=timedelta(seconds=3), kind="tcp", confirm=timedelta(0), ask={"url": "x"})
    assert next_due(other, "here", after) == next_due(PROBE, "here", after)


@given(st.text(max_size=10), st.text(max_size=10), st.text(max_size=10))
def test_a_phase_is_a_part_of_an_interval(location: str, name: str, id: str) -> None:
    """At least nothing and less than all of it, at every place."""
    probe = replace(PROBE, module=name, id=id, locations=("here", location))
    assert all(0 <= phase_of(probe, place) < 1 for place in probe.locations)


def test_probes_are_spread_over_the_interval() -> None:
    """A thousand probes: every tenth of the interval gets its share of about a hundred."""
    tenths = [0] * 10
    for n in range(1000):
        tenths[int(phase_of(replace(PROBE, id=f"probe-{n}"), "here") * 10)] += 1
    assert min(tenths) > 65
    assert max(tenths) < 140


def test_places_divide_the_interval() -> None:
    """The same probe stands a third of its interval later at each of three places; a place elsewhere moves none."""
    probe = replace(PROBE, locations=("here", "sao-paulo", "virginia"))
    here, *others = (phase_of(probe, place) for place in probe.locations)
    assert [round((one - here) % 1, 6) for one in others] == [0.333333, 0.666667]
    assert phase_of(probe, "nowhere") == here


def test_who_is_never_measured_or_has_left_has_no_probe_that_decides() -> None:
    """Nor has one whose probes are off, or mere evidence."""
    hint = replace(PROBE, module="b", role=Role.EVIDENCE)
    off = replace(PROBE, module="c", off="no key")
    ids = {"a": (), "b": (hint,), "c": (off,), PROBE.module: (PROBE,)}
    shop = platform(*(replace(module(id), probes=probes) for id, probes in ids.items()))
    assert {id: shop.deciding(id) for id in (*ids, "gone")} == dict.fromkeys((*ids, "gone"), ()) | {
        PROBE.module: (PROBE,)
    }


@pytest.mark.parametrize(
    ("kind", "instance", "hosts"),
    [
        ("http", "https://Shop.example.com/page", ("shop.example.com",)),
        ("tcp", "db.example.com:5432", ("db.example.com",)),
        ("tls", "[::1]:443", ("[::1]",)),
        ("dns", "shop.example.com", ("shop.example.com.",)),
        ("dns", "ns1.internal:53/Shop.example.com", ("shop.example.com.",)),
        ("heartbeat", "", ()),
    ],
)
def test_what_probes_have_in_common(kind: str, instance: str, hosts: tuple[str, ...]) -> None:
    """A host; of a question to a name server the name, which is in the same zone as the host and not that host."""
    probe = replace(PROBE, kind=kind, instance=instance)

    assert hosts_of(probe) == hosts
    assert {zone_of(host) for host in hosts} <= {"example.com", "[::1]", "::1"}
