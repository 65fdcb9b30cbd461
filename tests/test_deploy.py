"""What is deployed besides the code, looked at by the programs that will read it."""

import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config import Address
from monitor.config.file import load
from monitor.press import PATIENCE

ROOT = Path(__file__).parent.parent


def tool(name: str) -> str:
    """The path of a program, beside our Python or on the machine; the test skips, or fails in CI, without it."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin")
    if path is None:
        if os.environ.get("MONITOR_TEST_REQUIRE_ALL"):
            pytest.fail(f"{name} is not installed and MONITOR_TEST_REQUIRE_ALL is set")
        pytest.skip(f"{name} is not installed")
    return path


def said(*command: str) -> str:
    """Everything a command prints; the test fails with it when the command does."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def instructions(name: str) -> list[str]:
    """What follows an instruction of the Dockerfile, one entry each, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [" ".join(line.split()[1:]) for line in text.splitlines() if line.split()[:1] == [name]]


def test_dockerfile_pleases_its_linter() -> None:
    """hadolint knows the traps of images."""
    assert said(tool("hadolint"), "Dockerfile") == ""


def test_image_runs_as_nobody_special_and_keeps_its_data() -> None:
    """An image that runs as root, or forgets its store, is a trap for whoever deploys it."""
    assert instructions("USER")[-1] != "root"
    assert instructions("VOLUME") == ["/data"]
    assert instructions("CMD")[-1] == '["run", "--data", "/data"]'
    assert all(":" in source for source in instructions("FROM")), "every base is pinned by its tag"


def test_image_copies_what_its_context_lets_in() -> None:
    """.dockerignore lets nothing in but what it names; a COPY of anything else would fail."""
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    wanted = {one for copy in instructions("COPY") if "--from" not in copy for one in copy.split()[:-1]}
    assert {one for one in wanted if f"!{one}" not in let_in and f"!{one}/" not in let_in} == set()
    assert all((ROOT / one).exists() for one in wanted)


def test_image_listens_where_the_outside_reaches_it() -> None:
    """Inside a container loopback is for nobody, so the shipped configuration takes its addresses from the image."""
    pairs = (one.split("=", 1) for line in instructions("ENV") for one in line.split())
    environment = {name: value for name, value in pairs if name.startswith("MONITOR_")}
    without = load(ROOT / "probes.yaml", environment).settings
    assert without.public == Address("0.0.0.0", 8080)
    assert without.ops == Address("127.0.0.1", 9464), "nobody reaches the ops side before there is a token"
    database = "postgresql://monitor:monitor@postgres/monitor"
    given = {"MONITOR_OPS_TOKEN": "a-token-of-our-own", "MONITOR_DATABASE": database}
    settings = load(ROOT / "probes.yaml", environment | given).settings
    assert settings.ops == Address("0.0.0.0", 9464)
    assert settings.database == database


def test_compose_file_follows_its_schema() -> None:
    """A misspelt key would be found by nobody but the person who starts it."""
    said(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def test_compose_file_mounts_what_exists_and_publishes_on_loopback() -> None:
    """Whoever starts it to have a look opens nothing to the network."""
    services = compose()["services"]
    mounts = [mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])]
    assert [one for one in mounts if one.startswith(".") and not (ROOT / one).exists()] == []
    assert {one for one in mounts if not one.startswith(".")} == set(compose()["volumes"])
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", compose()["services"])
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    """Not root, nothing to write on but what is listed, no capabilities, and a version somebody chose."""
    service = compose()["services"][name]
    assert int(service["user"].partition(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    if "build" not in service:
        assert re.search(r":v?\d+\.\d+", service["image"])
    files = [one for one in service.get("volumes", []) if one.startswith("./")]
    assert [one for one in files if not one.endswith(":ro")] == []
    assert service["healthcheck"]["test"][0] == "CMD"
    needed = service.get("depends_on", {})
    assert {one["condition"] for one in needed.values()} <= {"service_healthy"}
    assert set(needed) <= set(compose()["services"])


def test_no_secret_stands_in_the_environment() -> None:
    """Whoever may look at a container reads its environment; what is secret comes by a file that exists."""
    services, secrets = compose()["services"], compose()["secrets"]
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            if re.search("KEY|TOKEN|SECRET|PASSWORD|DATABASE", key):
                assert key.endswith("_FILE") or key == "POSTGRES_DB", (name, key)
            if str(value).startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, key)
    assert {secret for service in services.values() for secret in service.get("secrets", [])} == set(secrets)


def test_secrets_are_made_once_and_for_their_readers(tmp_path: Path) -> None:
    """Everything Compose mounts; a second run changes nothing; the monitor reads them as they are mounted."""
    shutil.copy(ROOT / "deploy" / "secrets.sh", tmp_path)
    said(tool("sh"), str(tmp_path / "secrets.sh"))
    made = {one.name: one.read_text(encoding="utf-8") for one in (tmp_path / "secrets").iterdir()}
    assert set(made) == {one["file"].removeprefix("./deploy/secrets/") for one in compose()["secrets"].values()}
    assert {one.stat().st_mode & 0o777 for one in (tmp_path / "secrets").iterdir()} == {0o644}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    said(tool("sh"), str(tmp_path / "secrets.sh"))
    assert {one.name: one.read_text(encoding="utf-8") for one in (tmp_path / "secrets").iterdir()} == made
    mounted = {
        key: value.replace("/run/secrets", str(tmp_path / "secrets"))
        for key, value in compose()["services"]["monitor"]["environment"].items()
        if key.endswith("_FILE")
    }
    config = load(ROOT / "probes.yaml", {"MONITOR_OPS": "0.0.0.0:9464", **mounted})
    assert config.settings.ops == Address("0.0.0.0", 9464)
    assert config.settings.database == made["database_url"]
    assert made["database_password"] in made["database_url"]
    assert {made["ops_token"], made["database_password"]} <= set(config.secrets)
    off = config.platform.probes["pricing", "configuration"].off
    assert off == "VTEX_APP_KEY and VTEX_APP_TOKEN are not set", "an empty file is as good as none"


def test_prometheus_keeps_our_labels() -> None:
    """Without honor_labels `instance` becomes `exported_instance`, and dashboards stay empty."""
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    ours = next(job for job in jobs if job["job_name"] == "blackbox-exporter")
    assert ours["honor_labels"] is True
    host = ours["static_configs"][0]["targets"][0].partition(":")[0]
    assert host in compose()["services"]


def test_mosquitto_starts_with_its_configuration(tmp_path: Path) -> None:
    """The broker has no dry run, so it runs: on another port, with another folder."""
    broker = tool("mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    assert "listener 1883\n" in text
    data = tmp_path / "data"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    mine = text.replace("listener 1883", f"listener {port} 127.0.0.1").replace("/mosquitto/data/", f"{data}/")
    if os.geteuid() == 0:
        mine += "user root\n"
    (tmp_path / "mosquitto.conf").write_text(mine, encoding="utf-8")
    with subprocess.Popen([broker, "-c", tmp_path / "mosquitto.conf"], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert answers(port, running), running.communicate()[0]
        finally:
            running.terminate()


def answers(port: int, running: "subprocess.Popen[str]") -> bool:
    """Whether something listens on a port of ours before its process ends, or ten seconds have passed."""
    until = time.monotonic() + 10
    while running.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


UNITS = pytest.mark.parametrize("name", ["vtex-monitor.service", "vtex-monitor-agent.service"])


@UNITS
def test_systemd_understands_the_unit(name: str, tmp_path: Path) -> None:
    """systemd-analyze finds unknown directives and wrong values; our own Python stands in for the program."""
    text = (ROOT / "deploy/systemd" / name).read_text(encoding="utf-8")
    unit = tmp_path / name
    unit.write_text(text.replace("/opt/vtex-monitor/.venv/bin/monitor", sys.executable), encoding="utf-8")
    assert f"{name}:" not in said(tool("systemd-analyze"), "verify", "--man=no", str(unit))


@UNITS
def test_systemd_finds_little_that_the_unit_leaves_open(name: str) -> None:
    """What remains is what it is for: the network, and its files. 0 is shut, 10 is open."""
    told = said(tool("systemd-analyze"), "security", "--offline=yes", f"deploy/systemd/{name}")
    exposure = re.search(r"Overall exposure level for \S+ ([\d.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= 1.2


@UNITS
def test_unit_stops_later_than_the_monitor_does(name: str) -> None:
    """The monitor leaves within ten seconds; a shorter limit would kill it while it writes."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # names of directives have capitals
    unit.read(ROOT / "deploy/systemd" / name, encoding="utf-8")
    assert int(unit["Service"]["TimeoutStopSec"]) > 10
    assert int(compose()["services"]["monitor"]["stop_grace_period"].removesuffix("s")) > 10
    assert unit["Service"]["RestartPreventExitStatus"] == "2"


@UNITS
def test_unit_waits_for_the_monitor_s_own_word(name: str) -> None:
    """It is started when it says so, and started anew when it falls silent; a publication may take a minute."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "deploy/systemd" / name, encoding="utf-8")
    service = unit["Service"]
    assert (service["Type"], service["NotifyAccess"], service["Restart"]) == ("notify", "main", "on-failure")
    assert int(service["WatchdogSec"]) > PATIENCE
    assert "AF_UNIX" in service["RestrictAddressFamilies"]


def test_ci_script_is_a_script() -> None:
    """bash reads it to its end, and it may be run."""
    said(tool("bash"), "-n", ".ci/run")
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_every_verb_of_the_makefile_is_explained() -> None:
    """`make help` is made from the comments behind the verbs."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = next(line for line in text.splitlines() if line.startswith(".PHONY:")).split()[1:]
    helped = said(tool("make"), "-s", "help")
    assert [verb for verb in phony if f"make {verb}" not in helped] == []
