"""The Compose stack without containers: the same configuration files, the programs of the machine, free ports."""

import asyncio
import gzip
import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import asyncpg
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from monitor.commands.demo import ENVIRONMENT
from tests.programs import path_of, running
from tests.web.test_nginx import answers, free_port

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TOKEN = "a-token-of-the-stack"
QUICK = {"interval": "5s", "timeout": "4s", "confirm": "2s"}  # in place of what the shipped file says


def until(what: Callable[[], Any], within: float, why: str) -> Any:
    """The first true value of something asked again and again; fails after so many seconds."""
    end = time.monotonic() + within
    while not (value := what()):
        assert time.monotonic() < end, f"not within {within:g} s: {why}"
        time.sleep(0.25)
    return value


def fetched(url: str, method: str = "GET", body: object = None) -> Any:
    """What is answered, from JSON where it is JSON; None when nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(url, data, method=method), timeout=5) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text
    except OSError:
        return None


class Receiver:
    """Takes what is posted: the bodies by path, in order."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                bodies.setdefault(self.path, []).append(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Stack:
    """Addresses of everything, once it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = self.database = ""
        names = ("page", "ops", "nginx", "broker", "prometheus", "alertmanager", "control")
        self.port = {name: free_port() for name in names}
        self.receiver = Receiver()
        self.heard: list[tuple[str, Any]] = []

    def url(self, name: str, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port[name]}{path}"

    def home(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        return folder

    def query(self, expression: str, seconds: int = 0) -> list[dict[str, Any]]:
        """What Prometheus has now, or had over so many seconds."""
        now = time.time()
        asked = {"query": expression, "time": now}
        if seconds:
            asked = {"query": expression, "start": now - seconds, "end": now, "step": 2}
        path = "/api/v1/query_range" if seconds else "/api/v1/query"
        answer = fetched(self.url("prometheus", f"{path}?{urlencode(asked)}"))
        assert answer is not None, f"refused: {expression}"
        assert answer["status"] == "success"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """What Alertmanager holds, of these labels."""
        found = fetched(self.url("alertmanager", "/api/v2/alerts")) or []
        return [one for one in found if labels.items() <= one["labels"].items()]

    def pages(self) -> list[dict[str, Any]]:
        """What Alertmanager sent to any pager, about incidents."""
        bodies = [body for path, some in list(self.receiver.bodies.items()) if "pager" in path for body in some]
        pages = [json.loads(body) for body in bodies]
        return [one for one in pages if any("incident" in alert["labels"] for alert in one["alerts"])]

    def spans(self) -> list[tuple[str, dict[str, Any]]]:
        """(name, attributes) of every span that arrived, with the service's name among them."""
        found = []
        for body in self.receiver.bodies.get("/v1/traces", []):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = {f"resource.{one.key}": one.value.string_value for one in resource.resource.attributes}
                for span in (one for scope in resource.scope_spans for one in scope.spans):
                    own = {one.key: one.value.string_value or str(one.value) for one in span.attributes}
                    found.append((span.name, {**service, **own}))
        return found

    def shut_the_database(self) -> None:
        """From now on nothing can be written to it."""
        name = self.database.rpartition("/")[2]
        asyncio.run(_say(self.server, f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        asyncio.run(
            _say(self.server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        )

    def strike(self, module: str, fault: str) -> None:
        fetched(self.url("control", f"/faults/{module}"), "PUT", {"fault": fault})


@contextmanager
def stack(folder: Path, server: str) -> Iterator[Stack]:
    """Everything that docker-compose.yml starts, Grafana aside, on the PostgreSQL `server`."""
    one = Stack(folder)
    with ExitStack() as opened:
        opened.callback(one.receiver.close)
        _mosquitto(one, opened)
        one.server, one.database = server, _database(server, opened)
        _monitor(one, opened)
        _nginx(one, opened)
        _alertmanager(one, opened)
        _prometheus(one, opened)
        yield one


def _database(server: str, opened: ExitStack) -> str:
    name = f"stack_{uuid4().hex}"
    asyncio.run(_say(server, f"CREATE DATABASE {name}"))
    opened.callback(lambda: asyncio.run(_say(server, f"DROP DATABASE {name} WITH (FORCE)")))
    return f"{server.rpartition('/')[0]}/{name}"


async def _say(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _mosquitto(one: Stack, opened: ExitStack) -> None:
    home, port = one.home("broker"), one.port["broker"]
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1").replace("/mosquitto/data/", f"{home}/")
    text += "user root\n" if os.geteuid() == 0 else ""
    (home / "mosquitto.conf").write_text(text, encoding="utf-8")
    command = (path_of("mosquitto"), "-c", str(home / "mosquitto.conf"))
    opened.enter_context(running(*command, log=home / "log", ready=lambda: answers(port)))
    listener = Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda client, told, message: _hear(one, message)
    listener.connect("127.0.0.1", port)
    listener.subscribe("vtex-status/#", 1)
    listener.loop_start()
    opened.callback(listener.loop_stop)
    opened.callback(listener.disconnect)


def _hear(one: Stack, message: MQTTMessage) -> None:
    text = message.payload.decode()
    one.heard.append((message.topic, json.loads(text) if text.startswith("{") else text))


def _monitor(one: Stack, opened: ExitStack) -> None:
    home = one.home("monitor")
    said = home / "simulator"
    command = (sys.executable, "-m", "monitor", "simulate", "--port", "0", "--control-port", str(one.port["control"]))
    opened.enter_context(running(*command, log=said, ready=lambda: "Ctrl-C" in said.read_text(), within=60))
    (home / "probes.yaml").write_text(_in_a_hurry(one, yaml.safe_load(said.read_text())["monitor"]), encoding="utf-8")
    secrets = {"MONITOR_DATABASE": one.database, "MONITOR_OPS_TOKEN": TOKEN, **ENVIRONMENT}
    for name, text in secrets.items():
        (home / name).write_text(text, encoding="utf-8")
    environment = {
        **{f"{name}_FILE": str(home / name) for name in secrets},
        "MONITOR_PUBLIC": f"127.0.0.1:{one.port['page']}",
        "MONITOR_OPS": f"127.0.0.1:{one.port['ops']}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{one.receiver.port}",
        "OTEL_BSP_SCHEDULE_DELAY": "500",
    }
    command = ("run", "--config", str(home / "probes.yaml"), "--data", str(home / "data"), "--log-format", "json")
    whole = ("env", *(f"{k}={v}" for k, v in environment.items()), sys.executable, "-m", "monitor", *command)
    ready = lambda: fetched(one.url("ops", "/-/ready")) is not None  # noqa: E731  # one expression, used once
    opened.enter_context(running(*whole, log=home / "log", ready=ready, within=90))


def _in_a_hurry(one: Stack, network: dict[str, Any]) -> str:
    """The shipped probes, aimed at the simulator, asked often; incidents are told over the broker."""
    config = yaml.safe_load((ROOT / "probes.yaml").read_text(encoding="utf-8"))
    config["monitor"] |= {**network, "canaries": []}
    config["defaults"] |= QUICK
    for module in config["modules"]:
        module["probes"] = [one for one in module.get("probes", ()) if one.get("kind", "http") != "flow"]
        for probe in module["probes"]:
            for key in QUICK:
                probe.pop(key, None)
    config["channels"] = {"pager": {"kind": "mqtt", "url": f"mqtt://127.0.0.1:{one.port['broker']}"}}
    config["notify"] = [{"steps": [{"to": ["pager"]}]}]
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _nginx(one: Stack, opened: ExitStack) -> None:
    home, port = one.home("nginx"), one.port["nginx"]
    server = (DEPLOY / "nginx" / "status.conf").read_text(encoding="utf-8")
    server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
    (home / "status.conf").write_text(
        server.replace("/var/lib/vtex-monitor/public", str(one.folder / "monitor" / "data" / "public"))
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)
    (home / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\ninclude {home}/status.conf; }}\n"
    )
    command = (path_of("nginx"), "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log"))
    opened.enter_context(running(*command, log=home / "log", ready=lambda: answers(port)))


def _alertmanager(one: Stack, opened: ExitStack) -> None:
    home = one.home("alertmanager")
    config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    config["route"] |= {"group_wait": "3s", "group_interval": "3s"}
    url = f"http://127.0.0.1:{one.receiver.port}/"
    for receiver in config["receivers"]:
        if receiver["name"] in ("platform-pager", "payments-pager", "tickets"):
            receiver["webhook_configs"] = [{"url": f"{url}{receiver['name']}", "send_resolved": False}]
    (home / "alertmanager.yml").write_text(yaml.safe_dump(config))
    command = (
        path_of("prometheus-alertmanager"),
        f"--config.file={home / 'alertmanager.yml'}",
        f"--storage.path={home}",
        f"--web.listen-address=127.0.0.1:{one.port['alertmanager']}",
        "--cluster.listen-address=",
    )
    ready = lambda: fetched(one.url("alertmanager", "/-/ready")) is not None  # noqa: E731
    opened.enter_context(running(*command, log=home / "log", ready=ready))


def _prometheus(one: Stack, opened: ExitStack) -> None:
    home = one.home("prometheus")
    shutil.copytree(DEPLOY / "prometheus", home, dirs_exist_ok=True)
    text = (home / "prometheus.yml").read_text(encoding="utf-8")
    text = re.sub(r"(scrape|evaluation)_interval: 15s", r"\1_interval: 1s", text)
    places = (("monitor:9464", "ops"), ("alertmanager:9093", "alertmanager"), ("localhost:9090", "prometheus"))
    for service, name in places:
        text = text.replace(service, f"127.0.0.1:{one.port[name]}")
    (home / "prometheus.yml").write_text(text, encoding="utf-8")
    command = (
        path_of("prometheus"),
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        "--rules.alert.resend-delay=2s",
        f"--web.listen-address=127.0.0.1:{one.port['prometheus']}",
    )
    ready = lambda: fetched(one.url("prometheus", "/-/ready")) is not None  # noqa: E731
    opened.enter_context(running(*command, log=home / "log", ready=ready))
