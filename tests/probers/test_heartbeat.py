"""The heartbeat prober writes down what is known of the calls; `monitor probe` reads it from the store."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.commands.probe import probe
from monitor.config import Config
from monitor.core.board import Call
from monitor.core.effect import Heard, Keep
from monitor.core.expectation import Expect, Fresh, Outcome, Result
from monitor.core.heartbeat import CALLED_AT, LISTENING_SINCE
from monitor.core.module import Module, Platform
from monitor.core.observation import Observation, stamp
from monitor.core.probe import Probe
from monitor.core.target import HeartbeatTarget
from monitor.probers import Reach
from monitor.store import open_store

from .looking import seen

SECRET = "knock-knock"
EXPECT = Expect(fresh=Fresh(CALLED_AT, timedelta(minutes=5), since=LISTENING_SINCE))
PROBE = Probe(
    *("erp", "export", "heartbeat"),
    *(timedelta(seconds=30), timedelta(seconds=10)),
    expect=EXPECT,
    ask=HeartbeatTarget(SECRET),
)


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


async def test_the_last_call_is_written_down(reach: Reach) -> None:
    """When it was, and since when one would have been heard; nobody is asked, so there are no phases."""
    called, since = ago(minutes=2), ago(hours=1)
    reach.called = {PROBE.key: Call(called, since)}.get
    observation, result = await seen(reach, PROBE)
    assert observation.values == {CALLED_AT: stamp(called), LISTENING_SINCE: stamp(since)}
    assert (result.outcome, observation.phases, observation.address) == (Outcome.PASSED, {}, None)


async def test_before_the_first_call_nothing_is_known(reach: Reach) -> None:
    """Neither a failure nor a success."""
    reach.called = {}.get
    observation, result = await seen(reach, PROBE)
    assert (observation.failure, observation.values) == (None, {CALLED_AT: None})
    assert (result.outcome, result.code, result.reasons) == (Outcome.UNKNOWN, None, ("it has not called yet",))


async def test_where_nobody_listens_nothing_can_be_said(reach: Reach) -> None:
    """A process without an ops side hears no calls."""
    _, result = await seen(reach, PROBE)
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "self.unsupported")


@pytest.mark.parametrize(
    ("called", "heard", "outcome", "code", "status"),
    [
        pytest.param(60, True, "passed", None, 0, id="in time"),
        pytest.param(600, True, "failed", "content.stale", 1, id="late, and the monitor runs"),
        pytest.param(600, False, "unknown", None, 1, id="late, but nobody listens"),
        pytest.param(None, True, "unknown", None, 1, id="never"),
    ],
)
async def test_probe_reads_the_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], called: float | None, heard: bool, outcome: str,
    code: str | None, status: int,
) -> None:  # fmt: skip
    """And knows by the newest run whether anybody listens."""
    store = await open_store(f"sqlite:///{tmp_path}/monitor.db")
    if called is not None:
        await store.commit([Heard(*PROBE.key, ago(seconds=called))])
    if heard:
        run = Observation(ago(seconds=20), *PROBE.key, "here", ago(seconds=20), 0.0)
        await store.commit([Keep(run, Result(Outcome.PASSED))])
    await store.close()

    assert await probe(CONFIG, [], True, False, tmp_path) == status
    line = json.loads(capsys.readouterr().out)
    assert (line["result"]["outcome"], line["result"]["code"]) == (outcome, code)


async def test_probe_without_a_store_says_what_it_cannot_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And makes none."""
    assert await probe(CONFIG, [], False, True, tmp_path) == 1
    out = capsys.readouterr().out
    assert "calls are heard by the running monitor only" in out
    assert SECRET not in out
    assert os.listdir(tmp_path) == []


CONFIG = Config(Platform({"erp": Module("erp", {}, probes=(PROBE,))}))
