"""Names that lead outside when they are looked at and inside when they are dialled: by probes, redirects and calls
to subscribers. Nobody inside is ever connected to.
"""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from tests.processes.enclave import Enclave, enclave
from tests.processes.running import eventually
from tests.processes.turning import INSIDE, NAMESERVER, PLAIN, PUBLIC, SECURE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

OPS, PAGE = 8091, 8090
HOOKS = ("hook.example", "two.example", "away.example", "literal.example")


def configuration(ca_file: str) -> str:
    """A probe of each kind at a name that turns, and redirects to it; customers may subscribe."""
    web = f"http://turns.example:{PLAIN}"
    probes = {
        "page": f'url: "{web}/"',
        "secure": f'url: "https://turns.example:{SECURE}/"',
        "certificate": f'kind: tls, address: "turns.example:{SECURE}"',
        "port": f'kind: tcp, address: "turns.example:{PLAIN}"',
        "broker": f'kind: mqtt, url: "mqtt://turns.example:{PLAIN}"',
        "vendor": f'kind: statuspage, url: "{web}/"',
        "numbers": f'kind: prometheus, url: "{web}", query: up',
        "both": f'url: "http://both.example:{PLAIN}/"',
        "late": f'url: "http://late.example:{PLAIN}/"',
        "mapped": f'url: "http://mapped.example:{PLAIN}/"',
        "away": f'url: "http://steady.example:{PLAIN}/to/http://turns.example:{PLAIN}/", allow_hosts: ["*.example"]',
        "inside": f'url: "http://steady.example:{PLAIN}/to/http://127.0.0.1:{PLAIN}/", allow_hosts: ["127.0.0.1"]',
        "number": f'url: "http://steady.example:{PLAIN}/to/http://2130706433:{PLAIN}/", allow_hosts: ["2130706433"]',
        "wide": f'url: "http://steady.example:{PLAIN}/to/http://[::ffff:7f00:1]:{PLAIN}/", allow_hosts: ["2130706433"]',
    }
    modules = "\n".join(f"  - {{id: {id}, probes: [{{id: p, {said}}}]}}" for id, said in probes.items())
    return f"""\
version: 1
site: {{languages: [en], url: "http://127.0.0.1:{PAGE}", subscribe_url: "http://127.0.0.1:{OPS}"}}
monitor: {{public: "127.0.0.1:{PAGE}", ops: "127.0.0.1:{OPS}", ca_file: "{ca_file}"}}
defaults: {{interval: 5s, timeout: 2s, confirm: 2s}}
modules:
{modules}
subscribers: {{}}
"""


def happened(folder: Path) -> Counter[str]:
    return Counter((folder / "happened").read_text().splitlines())


def say(inside: Enclave, path: str, body: object) -> None:
    """Posts JSON to the operators' side, from within."""
    url = f"http://127.0.0.1:{OPS}{path}"
    inside.do(f"curl -sS --fail -m 10 -H 'Content-Type: application/json' -d '{json.dumps(body)}' {url}")


async def test_what_leads_inside_is_never_connected_to(tmp_path: Path) -> None:
    """Every answer of the name server is another one: what was checked is what is dialled."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert(*HOOKS, "turns.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "hook.pem")
    (tmp_path / "resolv.conf").write_text(f"nameserver {NAMESERVER}\n")
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    async with enclave(tmp_path) as inside:
        inside.do(*(f"ip addr add {one}/32 dev lo" for one in (PUBLIC, *INSIDE[1:])))
        server = await asyncio.create_subprocess_exec(
            *inside.enter, sys.executable, "-m", "tests.processes.turning", str(tmp_path), stdout=subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            assert await server.stdout.readline() == b"open\n"
            mounted = f'mount --bind {tmp_path / "resolv.conf"} /etc/resolv.conf && exec "$@"'
            before = ("unshare", "-m", "sh", "-c", mounted, "sh")
            async with inside.running(configuration(str(tmp_path / "ca.pem")), before) as monitor:
                for name in HOOKS:
                    say(inside, "/subscribe", {"webhook": f"https://{name}:{SECURE}/{name}"})
                asked = lambda: all(f"public {one}:{SECURE}/{one}" in happened(tmp_path) for one in HOOKS)  # noqa: E731
                await eventually(asked, 60, "every subscriber has answered")
                for number in range(4):
                    told = {
                        "title": f"Trouble {number}",
                        "message": "It is.",
                        "modules": ["page"],
                        "impact": "critical",
                    }
                    say(inside, "/api/ops/v1/incidents", told)
                    await asyncio.sleep(5)
                assert await monitor.leave() == 0
            assert "Traceback" not in monitor.output
        finally:
            server.kill()
            await server.wait()
    seen = happened(tmp_path)
    turns = [seen[f"name turns.example {one}"] for one in (PUBLIC, *INSIDE)]
    print(f"answers: {turns[0]} outside, {sum(turns[1:])} inside; {seen}")
    assert min(turns) >= 2
    assert [line for line in seen if line.startswith("trap")] == []
    assert seen[f"public turns.example:{PLAIN}/"] >= 2
    assert seen[f"public away.example:{SECURE}/away.example"] >= 2, "confirmed, and told"
    with closing(sqlite3.connect(tmp_path / "data" / "monitor.db")) as connection:
        codes = {
            module: {code for one, code in connection.execute("SELECT module, code FROM observations") if one == module}
            for module in ("page", "both", "late", "mapped", "away", "inside", "number", "wide")
        }
    assert codes["page"] == {None, "dns.bogus_answer"}
    assert codes["both"] == codes["mapped"] == {"dns.bogus_answer"}
    assert codes["late"] == {None, "dns.bogus_answer"}
    assert codes["away"] == {None, "http.redirect_unexpected"}
    assert codes["number"] == {None, "http.redirect_unexpected"}, "a number is a name to a name server"
    assert codes["inside"] == codes["wide"] == {"http.redirect_unexpected"}
