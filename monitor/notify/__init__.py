"""Notify: HANDS that tell. One file for each kind of channel; `CHANNELS` says which makes which."""

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

# By kind: what makes a channel of its section in `probes.yaml`, an object with an attribute for every key (`from_` for
# `from`), durations as timedelta.
CHANNELS: Mapping[str, Callable[[Any], Channel]] = {
    "webhook": Webhook,
    "email": Email,
    "slack": Slack,
    "pagerduty": PagerDuty,
    "alertmanager": Alertmanager,
    "zendesk": Zendesk,
    "apprise": Apprise,
}
