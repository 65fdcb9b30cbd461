"""`monitor probe`: which probes it runs, what it prints, and how it ends."""

import json
from dataclasses import replace
from typing import Any

import pytest

from monitor.commands.probe import probe
from monitor.config import Config
from monitor.core.clause import Clause
from monitor.core.expectation import Expect
from monitor.core.module import Module, Platform
from monitor.core.observation import OF_A_STEP, PHASES
from monitor.core.probe import Probe, Role
from monitor.core.target import HttpTarget, Network, PageTarget, SideVerdict

from .flows import flow_of, step
from .looking import probe_of
from .misbehaving import WAYS, Server, answer, by_path, served

WAY = by_path(good=answer(b'{"ok": true}'), bad=WAYS["status 503"], root=answer())


def config_of(server: Server, **options: Any) -> Config:
    """Two modules with two probes that are asked and one that is off."""
    good = probe_of(server.url(path="/good"), Expect(json=(("ok", (Clause("equals", True),)),)))
    bad = probe_of(server.url(path="/bad"), headers=(("Authorization", "Bearer of-bad-news"),))

    def named(one: Probe, module: str, id: str, off: str | None = None) -> Probe:
        return Probe(module, id, "http", one.interval, one.timeout, expect=one.expect, ask=one.ask, off=off)

    verdicts = {"simulation": (SideVerdict("logistics", Expect(json=(("length(@)", ()),))),)}
    modules = (
        Module("checkout", {}, probes=(named(good, "checkout", "simulation"),), verdicts=verdicts),
        Module(
            "catalog", {}, probes=(named(bad, "catalog", "search"), named(good, "catalog", "secret", "KEY is not set"))
        ),
    )
    return Config(Platform({one.id: one for one in modules}), **options)


async def test_all_are_run_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each under a heading, without colour in a pipe; one failure decides the end."""
    async with served(WAY) as server:
        status = await probe(config_of(server), [], False, False)

    out, err = capsys.readouterr()
    heading, first, second = out.splitlines()
    assert status == 1
    assert heading.split() == ["probe", "outcome", "code", "ms", *PHASES, "reason"]
    assert first.split()[:3] == ["checkout/simulation", "passed", "–"]
    assert second.split()[:3] == ["catalog/search", "failed", "http.503"]
    assert second.endswith("status 503, expected 200–299")
    assert "\x1b" not in out
    assert err == ""


@pytest.mark.parametrize(
    ("selectors", "count", "status"),
    [
        (["checkout"], 1, 0),
        (["checkout/simulation"], 1, 0),
        (["*/sim*"], 1, 0),
        (["c*"], 2, 1),
        (["catalog"], 1, 1),
        (["catalog/secret"], 0, 0),
    ],
)
async def test_selectors(capsys: pytest.CaptureFixture[str], selectors: list[str], count: int, status: int) -> None:
    """A module, a probe, or a pattern; those that are off are named and not run."""
    async with served(WAY) as server:
        assert await probe(config_of(server), selectors, True, False) == status

    out, err = capsys.readouterr()
    assert len(out.splitlines()) == count
    assert ("catalog/secret is skipped: KEY is not set\n" in err) == any(
        one.startswith("c") and "check" not in one for one in selectors
    )


async def test_a_selector_that_names_a_module_without_probes(capsys: pytest.CaptureFixture[str]) -> None:
    """The module is there, and the sentence says what is not."""
    config = Config(Platform({"catalog": Module("catalog", {})}))

    assert await probe(config, ["catalog"], False, False) == 2
    assert capsys.readouterr().err == "module `catalog` has no probes: write some under its `probes:`\n"


async def test_a_selector_that_names_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, with the nearest name."""
    async with served(WAY) as server:
        assert await probe(config_of(server), ["chekout/simulation"], False, False) == 2
        assert await probe(config_of(server), ["zzzzzzzz"], False, False) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "no probe matches `chekout/simulation`: did you mean `checkout/simulation`?"
    assert err.splitlines()[1].startswith("no probe matches `zzzzzzzz`: ")
    assert server.connections == 0


async def test_json_is_one_observation_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With its result, and with what the verdicts on other modules need."""
    async with served(WAY) as server:
        await probe(config_of(server), [], True, False)

    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert good["result"] == {"outcome": "passed", "code": None, "blame": None, "reasons": []}
    assert good["values"] == {"ok": True, "length(@)": 1}
    assert bad["result"]["code"] == "http.503"
    assert bad["result"]["blame"] == "target"
    assert bad["http"]["status"] == 503


@pytest.mark.parametrize("as_json", [True, False])
async def test_debug_shows_every_step_without_secrets(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """Before the row, or aside when lines of JSON are wanted."""
    async with served(WAY) as server:
        await probe(config_of(server), ["catalog/search"], as_json, True)

    out, err = capsys.readouterr()
    steps = err if as_json else out
    assert "> GET" in steps
    assert "< HTTP/1.1 503" in steps
    assert "of-bad-news" not in out + err
    assert ("> GET" in out) != as_json
    assert out.splitlines()[-1].startswith("{" if as_json else "catalog/search")


async def test_a_ca_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration that cannot be used, in one sentence."""
    async with served(WAY) as server:
        status = await probe(
            config_of(server, network=Network(ca_file="/nowhere/ca.pem"), file="p.yaml"), [], False, False
        )

    err = capsys.readouterr().err
    assert status == 2
    assert err.startswith("monitor.ca_file /nowhere/ca.pem: ")
    assert len(err.splitlines()) == 1


async def test_kinds_without_a_prober_are_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody passed, so the command did not succeed."""
    async with served(WAY) as server:
        pigeon = Probe("m", "p", "pigeon", *[probe_of("").interval] * 2, ask=HttpTarget(server.url()))
        config = Config(Platform({"m": Module("m", {}, probes=(pigeon,))}))
        assert await probe(config, [], False, False) == 1

    assert "self.unsupported" in capsys.readouterr().out


def flow_config(server: Server) -> Config:
    """A flow whose second step asks another module, which fails."""
    flow = flow_of(
        step(server.url(path="/good"), save={"it": "ok"}, name="First"),
        step(server.url(path="/bad?x=${it}"), "catalog", name="Second"),
        step(server.url(path="/good"), name="Third"),
    )
    return Config(Platform({id: Module(id, {}, probes=(flow,) * (id == "checkout")) for id in ("checkout", "catalog")}))


async def test_a_flow_is_shown_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Failed when any step failed, with the step and the module it blames; `--debug` has every exchange."""
    async with served(WAY) as server:
        assert await probe(flow_config(server), ["checkout/purchase"], False, True) == 1

    out, _ = capsys.readouterr()
    assert out.splitlines()[-1].split()[:3] == ["checkout/purchase", "failed", "http.503"]
    assert out.rstrip().endswith("step 2 “Second” (catalog): status 503, expected 200–299")
    shown = [line.split("ms  ", 1)[-1] for line in out.splitlines()]
    for line in ("step 1 “First” (checkout)", "saved it: true", "step 2 “Second” (catalog)", "< HTTP/1.1 503"):
        assert any(line in one for one in shown), line
    assert not any("Third" in line for line in shown)


async def test_a_flow_as_json_has_the_facts_of_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that were not run included."""
    async with served(WAY) as server:
        assert await probe(flow_config(server), [], True, False) == 1

    seen = json.loads(capsys.readouterr().out)
    assert [(one["module"], one["name"], one["run"]) for one in seen["steps"]] == [
        ("checkout", "First", True),
        ("catalog", "Second", True),
        ("checkout", "Third", False),
    ]
    assert [one["http"]["status"] for one in seen["steps"][:2]] == [200, 503]
    assert set(seen["steps"][0]) == {"module", "name", "run", *OF_A_STEP}
    assert seen["http"]["status"] == 503
    assert (seen["result"]["outcome"], seen["result"]["code"]) == ("failed", "http.503")


@pytest.mark.parametrize(("role", "status"), [(Role.EVIDENCE, 0), (Role.VERDICT, 1)])
async def test_evidence_that_is_unknown_is_no_failure(role: Role, status: int) -> None:
    """A status page of others that cannot be read speaks against nobody; any other unknown is no pass."""
    async with served(WAYS["HTML instead of JSON"]) as server:
        asked = probe_of(server.url(path="/x.json"), kind="statuspage")
        page = replace(
            asked,
            role=role,
            expect=Expect(hearsay=True),
            ask=PageTarget(server.url(path="/x.json"), allow_private=True),
        )
        module = Module("checkout", {}, probes=(page,))
        assert await probe(Config(Platform({"checkout": module})), [], False, False) == status
