"""`monitor simulate`: the VTEX-shaped platform alone, until it is told to stop."""

import asyncio
import signal
import sys
from contextlib import suppress

from monitor.simulator import PortTaken, Simulator


async def simulate(port: int, control_port: int, account: str) -> int:
    """Runs the platform until SIGTERM or SIGINT; prints what a configuration needs to watch it. 2 for a busy port."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # no signal handlers on this loop: Ctrl-C still ends the process
            loop.add_signal_handler(number, stop.set)
    try:
        async with Simulator.open(port, control_port, account=account) as simulator:
            print(announcement(simulator), flush=True)
            await stop.wait()
    except PortTaken as taken:
        option = "--control-port" if taken.port == control_port and taken.port != port else "--port"
        print(
            f"Port {taken.port} is in use; choose another with {option}, or {option} 0 for any that is free.",
            file=sys.stderr,
        )
        return 2
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
    return 0


def announcement(simulator: Simulator) -> str:
    """What is printed: YAML for a configuration, and the way to the switches as comments in it."""
    control = simulator.control_url
    return "\n".join(
        [
            "# A VTEX-shaped platform is up. To watch it, put this into probes.yaml:",
            "monitor:",
            "  connect_to:",
            *(f'    "{pattern}": "{address}"' for pattern, address in simulator.connect_to.items()),
            f'  ca_file: "{simulator.ca_file}"',
            "",
            f"# Faults are switched at {control} (GET /state shows everything), for example:",
            f'#   curl -X PUT {control}/faults/logistics -d \'{{"fault": "http_503"}}\'',
            f"#   curl -X DELETE {control}/faults",
            "# Ctrl-C stops it.",
        ]
    )
