"""Notify: the hands that tell. Each kind of channel is one file; `CHANNELS` says which makes which.

What is told to whom is decided in core; when it is sent, and again, by the postman.
"""

from collections.abc import Callable, Mapping
from typing import Any

from monitor.notify.alertmanager import Alertmanager
from monitor.notify.apprise import Apprise
from monitor.notify.channel import Channel
from monitor.notify.email import Email
from monitor.notify.pagerduty import PagerDuty
from monitor.notify.slack import Slack
from monitor.notify.webhook import Webhook
from monitor.notify.zendesk import Zendesk

__all__ = ["CHANNELS", "Channel"]


def _mqtt(section: Any) -> Channel:
    from monitor.notify.mqtt import Mqtt  # its library is only loaded where a broker is configured

    return Mqtt(section)


# By kind: what makes a channel of its section in `probes.yaml`, an object with an attribute for every key (`from_` for
# `from`), durations as timedelta.
CHANNELS: Mapping[str, Callable[[Any], Channel]] = {
    "mqtt": _mqtt,
    "webhook": Webhook,
    "email": Email,
    "slack": Slack,
    "pagerduty": PagerDuty,
    "alertmanager": Alertmanager,
    "zendesk": Zendesk,
    "apprise": Apprise,
}
