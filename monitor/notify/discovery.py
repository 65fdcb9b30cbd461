"""Discovery: how a home-automation hub finds every module by itself and shows it as a sensor that reports problems.

The form is that of Home Assistant's MQTT discovery: one retained message for each entity, which names the topics that
its state is read from. OpenHAB and others read the same.
"""

import json
from collections.abc import Mapping
from typing import Any

from monitor.core.identity import stable_id

STATE = (
    "{% if value_json.status in ['down', 'degraded'] %}ON{% elif value_json.status == 'up' %}OFF{% else %}None"
    "{% endif %}"
)


def node_of(prefix: str) -> str:
    """What the hub calls this monitor: the same for as long as its topics are."""
    return f"vtex_monitor_{stable_id(f'mqtt:{prefix}')}"


def entities(discovery_prefix: str, prefix: str, states: Mapping[str, bytes], language: str) -> dict[str, bytes]:
    """Topic → what the hub reads there, for each `modules/ID` among the states."""
    found: dict[str, bytes] = {}
    node = node_of(prefix)
    for topic, payload in states.items():
        kind, _, id = topic.partition("/")
        if kind != "modules":
            continue
        name: Mapping[str, str] = json.loads(payload)["name"]
        entity: dict[str, Any] = {
            "name": name.get(language) or next(iter(name.values()), id),
            "unique_id": f"{node}_{id}",
            "object_id": f"{node}_{id}",
            "device_class": "problem",
            "state_topic": f"{prefix}/{topic}",
            "value_template": STATE,
            "json_attributes_topic": f"{prefix}/{topic}",
            "availability_topic": f"{prefix}/monitor",
            "payload_available": "online",
            "payload_not_available": "offline",
            "device": {"identifiers": [node], "name": prefix, "manufacturer": "vtex-monitor"},
        }
        found[f"{discovery_prefix}/binary_sensor/{node}/{id}/config"] = json.dumps(
            entity, ensure_ascii=False, separators=(",", ":")
        ).encode()
    return found
