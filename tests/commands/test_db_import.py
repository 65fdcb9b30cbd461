"""`monitor db import --from`: the past of Uptime Kuma and of a Statuspage, once however often it is told."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import main
from monitor.core.detector import Transition
from monitor.core.imported import Beat, incident_of, moves_of, seen
from monitor.core.incident import Stage
from monitor.core.module import Status
from monitor.core.uptime import spans, uptime
from tests.stories.beats import module, platform

FILE = """
version: 1
site: {name: Shop, languages: [pt-BR, en], timezone: America/Sao_Paulo}
components:
  - group: {id: shop, name: Shop}
    items: [{id: buying, name: Order Placement, modules: [checkout]}]
modules:
  - {id: checkout, name: {pt-BR: Finalização, en: Checkout API}, probes: [{id: a, url: "https://shop.example.com/"}]}
  - {id: catalog, name: Catalog, aliases: [old-catalog], probes: []}
"""
# As Uptime Kuma 1.23 and 2.0 make them, without the columns that say nothing of a past.
KUMA = """
CREATE TABLE monitor (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(150), active BOOLEAN DEFAULT 1,
  user_id INTEGER, interval INTEGER DEFAULT 20 NOT NULL, url TEXT, type VARCHAR(20),
  maxretries INTEGER NOT NULL DEFAULT 0);
CREATE TABLE heartbeat (id INTEGER PRIMARY KEY AUTOINCREMENT, important BOOLEAN DEFAULT 0, monitor_id INTEGER NOT NULL,
  status SMALLINT NOT NULL, msg TEXT, time DATETIME NOT NULL, ping INTEGER, duration INTEGER NOT NULL DEFAULT 0,
  down_count INTEGER NOT NULL DEFAULT 0);
"""
KUMA_COUNTS = "".join(
    f"""CREATE TABLE {table} (id INTEGER PRIMARY KEY, monitor_id INTEGER NOT NULL, timestamp INTEGER NOT NULL,
  ping FLOAT NOT NULL, ping_min FLOAT NOT NULL DEFAULT 0, ping_max FLOAT NOT NULL DEFAULT 0, up SMALLINT NOT NULL,
  down SMALLINT NOT NULL, extras TEXT DEFAULT NULL, UNIQUE (monitor_id, timestamp));"""
    for table in ("stat_minutely", "stat_hourly", "stat_daily")
)
BEGAN = datetime(2026, 9, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "probes.yaml").write_text(FILE)
    (tmp_path / "data").mkdir()
    return tmp_path


def typed(folder: Path, *words: str) -> Result:
    common = ["--config", str(folder / "probes.yaml"), "--data", str(folder / "data")]
    return CliRunner().invoke(main, [*common, *words], catch_exceptions=False)


def figure(folder: Path, module: str, since: str, until: str) -> dict[str, Any]:
    result = typed(folder, "uptime", module, "--from", since, "--until", until, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def kuma(folder: Path) -> Path:
    """A day of two monitors at a beat a minute: one is down for ten minutes after two retries, and misses two hours."""
    file = folder / "kuma.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(KUMA)
        database.executemany(
            "INSERT INTO monitor (id, name, type, interval, url) VALUES (?, ?, ?, 60, ?)",
            [
                (1, "Checkout API", "http", "https://u:secret@shop"),
                (2, "Old Catalog", "keyword", None),
                (3, "Something", "ping", None),
                (4, "All", "group", None),
            ],
        )
        rows = []
        for minute in range(24 * 60):
            at = f"{BEGAN + minute * MINUTE:%Y-%m-%d %H:%M:%S}.123"
            status = 2 if minute in (600, 601) else 0 if 602 <= minute < 610 else 1
            if not 900 <= minute < 1020:
                rows.append((1, status, at))
            rows.append((2, 3 if minute < 60 else 1, at))
            rows.append((3, 0, at))
        database.executemany("INSERT INTO heartbeat (monitor_id, status, time) VALUES (?, ?, ?)", rows)
        database.commit()
    return file


def test_a_past_from_uptime_kuma_has_its_outages_and_its_gaps(folder: Path) -> None:
    """Dated from the first failed run; what nobody watched, and maintenance, is unknown. A dry run stores nothing."""
    file = kuma(folder)
    assert typed(folder, "db", "upgrade").exit_code == 0
    dry = typed(folder, "db", "import", "--from", "uptime-kuma", str(file), "--dry-run")
    assert "8 changes of status and 0 incidents would be added" in dry.stdout
    assert "nothing of ours is called `Something`" in dry.stderr
    assert "`All`" not in dry.stderr
    assert figure(folder, "checkout", "2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z")["coverage"] == 0
    done = typed(folder, "db", "import", "--from", "uptime-kuma", str(file))
    assert "8 changes of status and 0 incidents added" in done.stdout
    found = figure(folder, "checkout", "2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z")
    assert found["down_seconds"] == 10 * 60
    assert found["unknown_seconds"] == pytest.approx(120 * 60, abs=1)
    assert figure(folder, "catalog", "2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z")["known_seconds"] == 23 * 3600
    again = typed(folder, "db", "import", "--from", "uptime-kuma", str(file))
    assert "0 changes of status and 0 incidents added" in again.stdout
    assert "secret" not in done.output + dry.output


def thinned(folder: Path) -> Path:
    """Ten days of a monitor of 2.0 at a beat a minute, of which all but the last day is kept in counts: down for 30 min
    on the third day, not at work on the fifth, and for three hours of the ninth."""
    file = folder / "kuma.db"
    begins = datetime(2026, 9, 1, tzinfo=UTC)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(KUMA + KUMA_COUNTS)
        database.execute("INSERT INTO monitor (id, name, type, interval) VALUES (1, 'Checkout API', 'http', 60)")
        beats, hours, days, before = [], dict[int, list[int]](), dict[int, list[int]](), None
        for minute in range(10 * 1440):
            day, of_day = divmod(minute, 1440)
            if day == 4 or (day == 8 and 600 <= of_day < 780):
                continue
            at, up = begins + minute * MINUTE, not (day == 2 and 600 <= of_day < 630)
            if up is not before or day == 9:
                beats.append((up is not before, int(up), f"{at:%Y-%m-%d %H:%M:%S}.000"))
            before = up
            for length, counts in ((3600, hours), (86400, days)):
                stamp = int(at.timestamp()) // length * length
                counts.setdefault(stamp, [0, 0])[not up] += 1
        query = "INSERT INTO heartbeat (monitor_id, important, status, time) VALUES (1, ?, ?, ?)"
        database.executemany(query, beats)
        for table, counts in (("stat_hourly", dict(list(hours.items())[-48:])), ("stat_daily", days)):
            rows = [(at, up, down) for at, (up, down) in counts.items()]
            query = f"INSERT INTO {table} (monitor_id, timestamp, ping, up, down) VALUES (1, ?, 9.5, ?, ?)"
            database.executemany(query, rows)
        database.commit()
    return file


def test_a_past_of_which_only_changes_and_counts_are_kept_is_known_where_runs_were_counted(folder: Path) -> None:
    """As Uptime Kuma 2.0 keeps it: between two changes what was last said goes on, but not where nobody watched."""
    file = thinned(folder)
    typed(folder, "db", "upgrade")
    common = ("db", "import", "--from", "uptime-kuma", str(file))
    assert typed(folder, *common).exit_code == 0
    found = figure(folder, "checkout", "2026-09-01T00:00:00Z", "2026-09-11T00:00:00Z")
    assert found["down_seconds"] == 30 * 60
    assert found["unknown_seconds"] == 86400 + 3 * 3600
    assert "0 changes of status and 0 incidents added" in typed(folder, *common).stdout


def test_names_are_mapped_by_hand_where_they_mean_something_else(folder: Path) -> None:
    """By name or by number; a module that there is none of is refused with the nearest one."""
    file, common = kuma(folder), ("db", "import", "--from", "uptime-kuma")
    typed(folder, "db", "upgrade")
    mapped = typed(folder, *common, "--map", "Something=catalog", str(file), "--dry-run")
    assert "nothing of ours" not in mapped.stderr
    wrong = typed(folder, *common, "--map", "3=chekout", str(file))
    assert (wrong.exit_code, wrong.stderr) == (2, "there is no module `chekout`; did you mean `checkout`?\n")
    assert typed(folder, *common, "--map", "catalog", str(file)).exit_code == 2


def raw(id: str, began: str, ended: str | None, **more: Any) -> dict[str, Any]:
    """An incident as Statuspage tells it."""
    affected = [{"code": "c1", "name": "Order Placement", "old_status": "operational", "new_status": "major_outage"}]
    return {
        "id": id,
        "name": "Orders fail\u202e",
        "status": "resolved" if ended else "investigating",
        "created_at": began,
        "started_at": began,
        "resolved_at": ended,
        "impact": "critical",
        "components": [{"id": "c1", "name": "Order Placement"}, {"id": "c2", "name": "Checkout API"}],
        "incident_updates": [
            {"status": "investigating", "body": "We <b>look</b>.", "display_at": began, "affected_components": affected}
        ],
        **more,
    }


def test_incidents_of_a_statuspage_are_history_and_no_measurement(folder: Path) -> None:
    """They get pages with their updates; no figure follows from what somebody wrote."""
    typed(folder, "db", "upgrade")
    whole = {
        "page": {},
        "incidents": [
            raw("abc", "2026-09-03T10:00:00.000-03:00", "2026-09-03T11:00:00Z"),
            raw("def", "2026-09-01T10:00:00Z", "2026-09-01T11:30:00Z"),
            raw("ghi", "2026-09-02T10:00:00Z", None),
        ],
    }
    whole["incidents"][0]["resolved_at"] = "2026-09-03T15:00:00Z"  # type: ignore[index]
    file = folder / "incidents.json"
    file.write_text(json.dumps(whole))
    dry = typed(folder, "db", "import", "--from", "statuspage", str(file), "--dry-run", "--lang", "en")
    assert "0 changes of status and 2 incidents would be added" in dry.stdout
    assert "left out: 1 that are not over" in dry.stderr
    assert typed(folder, "db", "import", "--from", "statuspage", str(file), "--lang", "en").exit_code == 0
    again = typed(folder, "db", "import", "--from", "statuspage", str(file), "--lang", "en")
    assert "0 changes of status and 0 incidents added" in again.stdout
    assert figure(folder, "checkout", "2026-09-01", "2026-09-05")["ratio"] is None
    found = json.loads(typed(folder, "report", "--month", "2026-09", "--format", "json", "--lang", "en").stdout)[
        "incidents"
    ]
    assert [one["recover_seconds"] for one in found] == [5400, 7200]
    assert found[0]["title"]["en"] == "Orders fail"
    assert (found[0]["components"], found[0]["modules"]) == (["buying"], ["checkout"])
    assert typed(folder, "db", "check").exit_code == 0
    assert typed(folder, "render", "--output", str(folder / "site")).exit_code == 0
    page = next((folder / "site" / "en" / "incidents").glob("*/index.html")).read_text()
    assert "We &lt;b&gt;look&lt;/b&gt;." in page


def test_an_incident_of_a_statuspage_is_what_its_page_said() -> None:
    """Down where an update says that there was an outage, degraded where a component is only named; as public, as long
    and as bad as it was; what the page leaves out is what it begins with."""
    began, said, ended = (f"2026-09-01T1{hour}:00:00Z" for hour in (0, 1, 2))
    outage = [{"name": "Catalog", "new_status": status} for status in ("partial_outage", "degraded_performance")]
    updates = [{"body": " Over.\r\n", "created_at": ended}, {"display_at": began, "affected_components": outage}]
    told = raw("abc", began, ended, created_at=said, components=[{"name": "checkout"}], incident_updates=updates)
    one = incident_of(told, platform(module("catalog"), module("checkout")), {}, "en")
    assert one is not None
    at = [datetime.fromisoformat(each) for each in (began, said, ended)]
    assert [one.started_at, one.detected_at, one.resolved_at] == at
    (act,) = one.acts
    assert (one.published_at, act.at, act.what, act.detail) == (at[1], at[1], "opened", {"imported": "statuspage"})
    assert (one.stage, one.impact, one.by_hand) == (Stage.RESOLVED, "critical", True)
    assert [(each.module, each.status, each.since, each.until, each.seen) for each in one.members] == [
        ("checkout", Status.DEGRADED, at[0], at[2], False),
        ("catalog", Status.DOWN, at[0], at[2], False),
    ]
    assert [(each.at, each.stage, each.author, each.body) for each in one.updates] == [
        (at[0], Stage.INVESTIGATING, "person", {"en": ""}),
        (at[2], Stage.INVESTIGATING, "person", {"en": "Over."}),
    ]


@pytest.mark.parametrize(
    ("source", "content", "said"),
    [
        ("statuspage", b"<html>", "is no incidents.json of Statuspage"),
        ("statuspage", b'{"incidents": [1]}', "is no incidents.json of Statuspage"),
        (
            *("statuspage", b'{"incidents": [{"id": "x"}]}'),
            "incident 1 cannot be read: it is no incident of Statuspage (KeyError: 'name')",
        ),
        (
            *("statuspage", b'{"incidents": [{"id": "x", "name": "n", "resolved_at": "2026-09-01T00:00:00Z"}]}'),
            "incident 1 cannot be read: it has no beginning, no end after it, or no name",
        ),
        (
            *("statuspage", b'{"incidents": [{"id": "x", "name": "n", "resolved_at": "9999-09-01T00:00:00Z"}]}'),
            "incident 1 cannot be read: `resolved_at` is out of range",
        ),
        ("statuspage", b"[" * 200_000, "is no incidents.json of Statuspage"),
        ("uptime-kuma", b"no database at all, by no means", "is no database of Uptime Kuma"),
        ("uptime-kuma", b"", "is no database of Uptime Kuma"),
    ],
)
def test_what_is_no_such_file_is_refused_whole(folder: Path, source: str, content: bytes, said: str) -> None:
    """In a sentence, exit status 1, and nothing is stored."""
    file = folder / "file"
    file.write_bytes(content)
    result = typed(folder, "db", "import", "--from", source, str(file))
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (folder / "data" / "monitor.db").exists()


beats = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([0, 1, 2, 3])), max_size=20)


@given(beats, st.integers(0, 90))
def test_an_import_adds_nothing_twice_and_nothing_over_what_was_measured_here(
    told: list[tuple[int, int]], own: int
) -> None:
    """From the first own change of status on, everything is as it was; once more adds nothing."""
    at, found = BEGAN, []
    for wait, status in told:
        at += wait * MINUTE
        found.append(Beat(at, status))
    line = seen(found, MINUTE)
    assert all(one.since < one.until for one in line)
    begins = BEGAN + own * MINUTE + timedelta(seconds=7)
    mine = [Transition("m", Status.UNKNOWN, Status.UP, begins, begins)]
    new = moves_of("m", [line], mine)
    stored = sorted([*new, *mine], key=lambda one: one.at)
    assert moves_of("m", [line], stored) == []
    end = BEGAN + timedelta(hours=4)
    assert spans(stored, begins, end) == spans(mine, begins, end)
    before = uptime(line, BEGAN, begins) if line else None
    after = uptime(spans(stored, BEGAN, begins), BEGAN, begins)
    assert after.down_seconds == (before.down_seconds if before else 0)
    assert after.known_seconds == (before.known_seconds if before else 0)
