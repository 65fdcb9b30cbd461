"""A VTEX-shaped platform on loopback: real paths, headers and error codes, and faults at the turn of a switch.

For the demo, for trying a configuration without an account, and for tests that should see real bytes on a real wire.
Nothing here knows the monitor but its vocabulary: it imports no room besides core.
"""

from monitor.simulator.faults import FAULTS, Strike, WrongFault
from monitor.simulator.listener import PortTaken
from monitor.simulator.server import Simulator

__all__ = ["FAULTS", "PortTaken", "Simulator", "Strike", "WrongFault"]
