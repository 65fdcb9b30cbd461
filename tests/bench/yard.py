"""Yard: what the measurements of the whole program share. A target that answers one kilobyte, a monitor over many
probes of it, and what the kernel says each process used.

CPU is user and system time of a process and all of its threads, from `/proc/PID/stat`: what else the machine does
changes it little, and a ratio of two figures of the same run less. Runs are counted by the target.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import trustme

from tests.processes.running import free_port
from tests.programs import path_of, running

NAME = "localhost"
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_BODY = json.dumps({"status": "UP", "checks": [{"name": f"check-{one:02}", "status": "UP"} for one in range(27)]})

_NGINX = """
pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; daemon off;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_timeout 0; default_type application/json; root {folder};
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fast;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/leaf.pem; ssl_protocols TLSv1.3;
  ssl_session_tickets off; ssl_session_cache off;
  server {{
    listen 127.0.0.1:{plain} backlog=4096; listen 127.0.0.1:{tls} ssl backlog=4096;
    location / {{ try_files /answer.json =404; }}
  }}
  server {{ listen 127.0.0.1:{count}; location / {{ stub_status; }} }}
}}
"""


@dataclass(frozen=True)
class Target:
    """A web server on loopback that answers one kilobyte of JSON to everybody, each on a connection of its own."""

    plain: int
    tls: int
    ca_file: str
    counting: int

    def url(self, tls: bool) -> str:
        """What is asked."""
        return f"https://{NAME}:{self.tls}/answer.json" if tls else f"http://127.0.0.1:{self.plain}/answer.json"

    def answered(self) -> int:
        """How many requests it has answered so far; to be subtracted from one another."""
        with urlopen(f"http://127.0.0.1:{self.counting}/", timeout=5) as answer:
            return int(answer.read().split()[9]) - 1


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    """nginx, while the block runs."""
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert(NAME).private_key_and_cert_chain_pem.write_to_path(str(folder / "leaf.pem"))
    (folder / "answer.json").write_text(_BODY)
    folder.chmod(0o755)
    folder.parent.chmod(0o755)  # its workers belong to somebody else
    found = Target(free_port(), free_port(), str(folder / "ca.pem"), free_port())
    text = _NGINX.format(folder=folder, plain=found.plain, tls=found.tls, count=found.counting)
    (folder / "nginx.conf").write_text(text)
    command = (path_of("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    with running(*command, log=folder / "log", ready=lambda: _opens(f"http://127.0.0.1:{found.counting}/")):
        yield found


def _opens(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except OSError:
        return False


@dataclass(frozen=True)
class Watched:
    """A running monitor, and how long it took to begin."""

    process: subprocess.Popen[bytes]
    ops: str
    public: str
    data: Path
    began_in: float

    def metrics(self) -> str:
        """Its page of metrics."""
        with urlopen(f"{self.ops}/metrics", timeout=60) as answer:
            return str(answer.read().decode())


@contextmanager
def monitor(
    folder: Path, target: Target, modules: int, probes: int, interval: int, *, tls: bool = False, within: float = 120
) -> Iterator[Watched]:
    """`monitor run` over so many modules with so many probes each, asked every `interval` seconds, once it is ready:
    its first page is out, and everything is as it will be. Probes share the target, each with an address of its own."""
    folder.mkdir()
    ops, public = free_port(), free_port()
    config = folder / "probes.yaml"
    config.write_text(json.dumps(configured(target, modules, probes, interval, tls, ops, public)))
    command = (sys.executable, "-m", "monitor", "run", "--config", str(config), "--data", str(folder / "data"))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
        try:
            while not _opens(f"http://127.0.0.1:{ops}/-/ready"):
                if process.poll() is not None or time.monotonic() - began > within:
                    raise RuntimeError((folder / "log").read_text()[-2000:])
                time.sleep(0.02)
            yield Watched(
                process, f"http://127.0.0.1:{ops}", f"http://127.0.0.1:{public}", folder / "data",
                time.monotonic() - began,
            )  # fmt: skip
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def exporter(folder: Path, ca_file: str) -> Iterator[tuple[str, int]]:
    """A blackbox exporter while the block runs: its address and its process."""
    port, file = free_port(), folder / "blackbox.yml"
    http = {"preferred_ip_protocol": "ip4", "tls_config": {"ca_file": ca_file}}
    file.write_text(json.dumps({"modules": {"http_2xx": {"prober": "http", "timeout": "4s", "http": http}}}))
    program, url = path_of("prometheus-blackbox-exporter"), f"http://127.0.0.1:{port}"
    command = (program, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
    with running(*command, log=folder / "exporter.log", ready=lambda: _opens(f"{url}/-/healthy")) as process:
        yield url, process.pid


def configured(
    target: Target, modules: int, probes: int, interval: int, tls: bool, ops: int, public: int
) -> dict[str, Any]:
    """What the configuration of such a monitor says."""

    def probe(number: int, of: int) -> dict[str, Any]:
        url = f"{target.url(tls)}?module={number}&probe={of}"
        return {"id": f"probe-{of}", "kind": "http", "url": url, "allow_private": True, "expect": {"status": 200}}

    return {
        "version": 1,
        "site": {"name": "Bench", "url": "https://status.example.com"},
        "monitor": {"public": f"127.0.0.1:{public}", "ops": f"127.0.0.1:{ops}", "ca_file": target.ca_file},
        "defaults": {"interval": f"{interval}s", "timeout": "4s"},
        "components": [
            {
                "group": {"id": f"group-{place}", "name": f"Group {place}"},
                "items": [
                    {"id": f"component-{one}", "name": f"Component {one}", "modules": [f"module-{one}"]}
                    for one in range(place, modules, 10)
                ],
            }
            for place in range(min(10, modules))
        ],
        "modules": [
            {
                "id": f"module-{number}",
                "name": f"Module {number}",
                "probes": [probe(number, of) for of in range(probes)],
            }
            for number in range(modules)
        ],
    }


def used(pid: int) -> float:
    """Seconds of processor time of a process, every thread of it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


@dataclass(frozen=True)
class Figure:
    """What was seen of one process for a while."""

    runs: int
    seconds: float
    cpu: float
    resident: float

    @property
    def each(self) -> float:
        """Microseconds of processor time a run."""
        return self.cpu / max(1, self.runs) * 1e6


def watched(pid: int, target: Target, seconds: float) -> Figure:
    """One process for so many seconds, in which nobody else asks the target."""
    runs, cpu, began = target.answered(), used(pid), time.monotonic()
    time.sleep(seconds)
    runs, cpu, took = target.answered() - runs - 1, used(pid) - cpu, time.monotonic() - began
    return Figure(runs, took, cpu, resident(pid))
