"""`monitor replay`: what it reads, what it refuses, and that its answer is the same byte for byte."""

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.core.observation import observation_to_json
from tests.stories.beats import START, canary, observation

CONFIGURATION = """
version: 1
site: {languages: [en]}
monitor: {canaries: ['https://one.example.com', 'https://two.example.com', 'https://three.example.com']}
locations: [{id: here, domain: default}, {id: there, domain: other}]
modules:
  - id: catalog
    probes: [{id: ask, url: 'https://shop.example.com/catalog'}]
  - id: checkout
    depends_on: [catalog, pricing, oms]
    probes:
      - {id: ask, url: 'https://shop.example.com/checkout'}
      - {id: more, url: 'https://shop.example.com/more', needs: [A_KEY_NOBODY_HAS]}
  - id: pricing
    probes: [{id: ask, url: 'https://shop.example.com/pricing'}]
  - id: oms
    signals: [CHK0089]
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A small shop."""
    path = tmp_path / "probes.yaml"
    path.write_text(CONFIGURATION)
    return path


def lines(**beats: str) -> list[str]:
    """A recording of these outcomes by module, every half a minute."""
    runs = [
        observation(name, START + timedelta(seconds=30 * beat), outcome)
        for name, outcomes in beats.items()
        for beat, outcome in enumerate(outcomes)
    ]
    return [json.dumps(observation_to_json(one)) for one in sorted(runs, key=lambda one: one.ended_at)]


def replayed(configuration: Path, recording: Iterable[str], *words: str) -> Result:
    """The command, with the recording on stdin."""
    text = "".join(f"{line}\n" for line in recording)
    return CliRunner().invoke(main, ["--config", str(configuration), "replay", "-", *words], input=text)


def events(result: Result) -> list[dict[str, Any]]:
    """What was printed, one event a line."""
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


OUTAGE = {"catalog": "++------++++++", "checkout": "++++++++++++++"}


def test_an_outage_is_a_line_for_each_thing_that_was_decided(configuration: Path) -> None:
    """Transitions with their dates, and incidents whole."""
    told = events(replayed(configuration, lines(**OUTAGE)))
    seen = [(one["event"], one.get("change") or (one["module"], one["to"])) for one in told]
    assert seen == [
        ("transition", ("catalog", "up")),
        ("transition", ("checkout", "up")),
        ("transition", ("catalog", "down")),
        ("incident", "opened"),
        ("transition", ("catalog", "up")),
        ("incident", "resolved"),
    ]
    down, opened = told[2], told[3]
    assert (down["from"], down["since"], down["at"]) == ("up", "2026-11-23T12:01:00.000Z", "2026-11-23T12:02:00.050Z")
    assert opened["at"] == down["at"]
    assert opened["incident"]["cause"]["module"] == "catalog"
    assert opened["incident"]["started_at"] == "2026-11-23T12:01:00.000Z"
    assert opened["incident"]["id"] == told[5]["incident"]["id"]


def test_a_file_gives_the_same_as_stdin(configuration: Path, tmp_path: Path) -> None:
    """Empty lines are passed over."""
    path = tmp_path / "day.jsonl"
    path.write_text("\n\n".join(lines(**OUTAGE)) + "\n\n")
    result = CliRunner().invoke(main, ["replay", str(path), "--config", str(configuration)])
    assert result.stdout == replayed(configuration, lines(**OUTAGE)).stdout != ""


def test_a_mark_of_the_encoding_in_front_is_passed_over(configuration: Path, tmp_path: Path) -> None:
    """Editors and shells of some systems write one, into a file or a pipe; anywhere else it is a mistake."""
    path = tmp_path / "day.jsonl"
    path.write_text("\ufeff" + "\n".join(lines(**OUTAGE)) + "\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["replay", str(path), "--config", str(configuration)])
    marked = ["\ufeff" + lines(**OUTAGE)[0], *lines(**OUTAGE)[1:]]
    assert result.stdout == replayed(configuration, marked).stdout == replayed(configuration, lines(**OUTAGE)).stdout
    assert replayed(configuration, [GOOD, "\ufeff" + GOOD]).exit_code == 2


def test_a_code_that_nobody_knows_is_told_once(configuration: Path) -> None:
    """It is judged as that of a newer version, which blames nobody: whoever mistyped it hears so."""
    recording = [altered(at=f"2026-11-23T12:0{minute}:00.000Z", failure={"code": "tcp.refusd"}) for minute in range(3)]
    result = replayed(configuration, [GOOD, *recording])
    assert (result.exit_code, "incident" in result.stdout) == (0, False)
    said = "stdin:2: `tcp.refusd` is no code that is known here: nobody is blamed for it; did you mean `tcp.refused`?\n"
    assert result.stderr == said


def test_an_empty_recording_is_fine(configuration: Path) -> None:
    """Nothing happened."""
    assert events(replayed(configuration, [])) == []


GOOD = lines(catalog="+")[0]


def altered(**keys: Any) -> str:
    """A good line with other keys."""
    return json.dumps(json.loads(GOOD) | keys)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("junk", "not an observation", id="no JSON"),
        pytest.param("[1]", "not an observation", id="a list"),
        pytest.param("null", "not an observation", id="null"),
        pytest.param('{"at": ', "not an observation", id="cut off"),
        pytest.param("{}", "`at` is missing", id="empty"),
        pytest.param('{"at": "2026-11-23T12:00:00Z"}', "`probe` is missing", id="no probe"),
        pytest.param("[" * 100_000, "nested too deeply", id="lists without end"),
        pytest.param(altered(at="yesterday"), "not an observation", id="no time"),
        pytest.param(altered(at="2026-11-23T12:00:00"), "`at` is not a time with its zone", id="a time without a zone"),
        pytest.param(altered(duration="long"), "not an observation", id="a word for a number"),
        pytest.param(altered(http={"headers": {}}), "`http.status` is missing", id="no status"),
        pytest.param(altered(module="nothing"), "module `nothing` is not in the configuration", id="module"),
        pytest.param(altered(probe="nothing"), "module `catalog` has no probe `nothing`", id="probe"),
        pytest.param(altered(location="nowhere"), "location `nowhere` is not in `locations`", id="location"),
        pytest.param(altered(module=None, probe="canary", location="nowhere"), "location `nowhere`", id="canary"),
    ],
)
def test_a_bad_line_is_told_with_its_number(configuration: Path, tmp_path: Path, line: str, said: str) -> None:
    """One sentence on stderr, exit status 2, and nothing is judged."""
    result = replayed(configuration, [GOOD, "", line, GOOD])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("stdin:3: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    path = tmp_path / "day.jsonl"
    path.write_text(f"{GOOD}\n{line}\n")
    result = CliRunner().invoke(main, ["--config", str(configuration), "replay", str(path)])
    assert (result.exit_code, result.stderr.startswith(f"{path}:2: ")) == (2, True)


@pytest.mark.parametrize("until", ["yesterday", "", "12:00", "2026-11-23", "2026-11-23T12:00:00"])
def test_until_is_a_time_with_a_zone(configuration: Path, until: str) -> None:
    """Anything else is a sentence with an example, and exit status 2."""
    result = replayed(configuration, [GOOD], "--until", until)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"--until {until} is not a time: write it as 2026-11-23T12:00:00Z\n"


def test_a_file_that_is_not_there_is_one_sentence(configuration: Path, tmp_path: Path) -> None:
    """With what to name instead."""
    path = tmp_path / "gone.jsonl"
    result = CliRunner().invoke(main, ["--config", str(configuration), "replay", str(path)])
    assert result.exit_code == 2
    assert (
        result.stderr == f"{path} cannot be read (No such file or directory): name a file that `monitor record` wrote\n"
    )


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("2026-11-23T12:01:59Z", ("checkout", "up")),
        ("2026-11-23T12:02:01Z", ("catalog", "down")),
        ("2026-11-23T09:02:01-03:00", ("catalog", "down")),
        ("2026-11-23T12:30:00Z", ("checkout", "unknown")),
    ],
    ids=["before the verdict", "after it", "in another zone", "past the end"],
)
def test_until_is_where_the_clock_stops(configuration: Path, until: str, last: tuple[str, str]) -> None:
    """Before or after the end of the recording."""
    told = events(replayed(configuration, lines(**OUTAGE), "--until", until))
    moves = [(one["module"], one["to"]) for one in told if one["event"] == "transition"]
    assert moves[-1] == last


def test_canaries_that_were_not_recorded_say_nothing(configuration: Path) -> None:
    """Failures are believed without them, though the configuration names three."""
    changes = [one["change"] for one in events(replayed(configuration, lines(catalog="++----"))) if "change" in one]
    assert changes == ["opened"]


def test_a_blindness_is_an_event_and_no_incident(configuration: Path) -> None:
    """The canaries of the recording fail as well: our own trouble."""
    recording = lines(catalog="++------")
    dark = [
        json.dumps(observation_to_json(canary(START + timedelta(seconds=61), False, f"{name}.example.com:443")))
        for name in ("one", "two", "three")
    ]
    told = events(replayed(configuration, [*recording[:3], *dark, *recording[3:]]))
    blind = [one for one in told if one["event"] == "blind"]
    assert [(one["location"], one["until"]) for one in blind] == [("here", None)]
    assert not any(one["event"] == "incident" for one in told)


def test_a_root_that_is_never_measured_stands_among_the_modules(configuration: Path) -> None:
    """Named by the answers of its dependant: role root, status unknown."""
    body = json.dumps({"messages": [{"code": "CHK0089", "text": "x", "status": "error", "fields": {}}]})
    recording = []
    for line in lines(catalog="++++++++", checkout="++------"):
        one = json.loads(line)
        if one["http"]["status"] == 503:
            one["http"] |= {"status": 500, "excerpt": body, "bytes": len(body)}
        recording.append(json.dumps(one))
    told = [one["incident"] for one in events(replayed(configuration, recording)) if one["event"] == "incident"]
    assert told[-1]["cause"]["module"] == "oms"
    assert told[-1]["cause"]["code"] == "upstream.signalled:oms"
    roles = {one["id"]: (one["role"], one["status"]) for one in told[-1]["modules"]}
    assert roles == {"oms": ("root", "unknown"), "checkout": ("affected", "down")}


def test_a_probe_whose_key_is_not_here_is_judged_all_the_same(configuration: Path) -> None:
    """What it saw is recorded; the key is needed to ask, not to judge."""
    recording = [json.dumps(json.loads(line) | {"probe": "more"}) for line in lines(checkout="++----")]
    assert [one["to"] for one in events(replayed(configuration, recording)) if one["event"] == "transition"] == [
        "up",
        "down",
    ]


def test_the_answer_is_the_same_byte_for_byte(configuration: Path, tmp_path: Path) -> None:
    """Whatever the order of sets in memory: two processes with two seeds."""
    path = tmp_path / "day.jsonl"
    path.write_text("\n".join(lines(catalog="++------++++", checkout="+++------+++", pricing="++-------+++")))
    command = [sys.executable, "-m", "monitor", "--config", str(configuration), "replay", str(path)]
    told = [
        subprocess.run(command, capture_output=True, check=True, env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "4242")
    ]
    assert told[0] == told[1] != b""
    assert told[0].decode() == CliRunner().invoke(main, command[3:]).stdout


def deep(path: str, value: Any) -> str:
    line: dict[str, Any] = json.loads(GOOD)
    *folders, last = path.split(".")
    place = line
    for folder in folders:
        place = place[folder]
    place[last] = value
    return json.dumps(line)


@pytest.mark.parametrize(
    "line",
    [
        *(deep(key, value) for key in ("module", "probe", "location") for value in ([1], {"a": 1})),
        *(deep("duration", value) for value in (1e300, float("nan"), float("inf"))),
        *(deep("values", value) for value in (5, "x", [1])),
        *(deep(f"http.{key}", float("inf")) for key in ("status", "bytes", "redirects")),
        *(deep("http.excerpt", value) for value in (5, [1])),
        *(deep("http.headers", {name: 5}) for name in ("server", "cf-mitigated")),
        *(deep("failure", {"code": value}) for value in (5, None, [])),
        deep("at", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_line_of_the_wrong_shape_is_a_bad_line(configuration: Path, line: str) -> None:
    """One sentence with its number, never a traceback."""
    result = replayed(configuration, [GOOD, line])
    assert (result.exit_code, result.stderr.startswith("stdin:2: ")) == (2, True)


def test_planned_work_of_the_configuration_is_honoured(configuration: Path) -> None:
    """What fails in its window opens nothing; what outlasts it is told when it ends, dated when it began."""
    window = "{title: Works, from: '2026-11-23T12:00:00Z', until: '2026-11-23T12:04:00Z', modules: [pricing]}"
    configuration.write_text(f"{CONFIGURATION}maintenance: [{window}]\n")
    recording = lines(pricing="++" + "-" * 10, catalog="++" + "-" * 10, oms="")
    told = events(replayed(configuration, recording))
    opened = [(e["at"], e["incident"]) for e in told if e["event"] == "incident"]
    assert opened[0][1]["modules"][0]["id"] == "catalog"
    late = [(at, m["since"]) for at, one in opened for m in one["modules"] if m["id"] == "pricing"]
    assert late[0][1] == "2026-11-23T12:01:00.000Z"
    assert late[0][0] >= "2026-11-23T12:04:00.000Z"
    assert [e["to"] for e in told if e["event"] == "transition" and e["module"] == "pricing"] == ["up", "down"]


def test_steps_reminders_and_digests_are_printed_as_they_would_leave(configuration: Path) -> None:
    """Also those that come long after the last line of the recording, up to where the clock is to stop."""
    notify = "[{match: {priority: normal}, steps: [{to: chat}, {after: 1h, to: boss}], repeat: 2h}"
    notify += ", {steps: [{to: mail}], digest: daily at 09:30}]"
    channels = (
        "{" + ", ".join(f"{n}: {{kind: slack, url: 'https://x.example/{n}'}}" for n in ("chat", "boss", "mail")) + "}"
    )
    configuration.write_text(f"{CONFIGURATION}channels: {channels}\nnotify: {notify}\n")
    told = events(replayed(configuration, lines(catalog="++------"), "--until", "2026-11-23T14:30:00Z"))
    notices = [(one["at"][11:16], one["why"], one["channel"]) for one in told if one["event"] == "notice"]
    assert notices == [
        ("12:02", "first", "chat"),
        ("12:30", "digest", "mail"),
        ("13:02", "escalated", "boss"),
        ("14:02", "reminder", "chat"),
        ("14:02", "reminder", "boss"),
    ]
    assert [one["incident_id"] for one in told if one.get("why") == "digest"] == [None]
