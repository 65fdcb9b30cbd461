"""`monitor schema`: the JSON Schema of `probes.yaml`, for editors."""

import json

from monitor.config.model import json_schema


def schema() -> int:
    """Prints the schema on stdout; 0."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=True))
    return 0
