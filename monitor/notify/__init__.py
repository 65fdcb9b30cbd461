"""Notify: the hands that tell. Each kind of channel is one file; `CHANNELS` names them.

What is told to whom is decided in core; when it is sent, and again, by the postman.
"""

from collections.abc import Callable, Mapping
from typing import Any

from monitor.notify.channel import Channel

__all__ = ["CHANNELS", "Channel"]


def _mqtt(section: Any) -> Channel:
    from monitor.notify.mqtt import Mqtt  # its library is only loaded where a broker is configured

    return Mqtt(section)


CHANNELS: Mapping[str, Callable[[Any], Channel]] = {"mqtt": _mqtt}
