"""`monitor suggest-plan`: which of the support plans fits a shop, by the rules of the configuration."""

import sys
from collections.abc import Mapping

from monitor.config import Config
from monitor.core.suggestion import suggested
from monitor.core.text import in_language


def suggest_plan(config: Config, shop: Mapping[str, float]) -> int:
    """Prints id and name of the plan; 0, or 1 where none fits. `shop` holds what is known of it, by measure."""
    plans = config.site.plans
    id = suggested(plans, shop)
    if id is None:
        print("no plan fits: `plans` of the configuration has no rule for such a shop", file=sys.stderr)
        return 1
    name = next(one.name for one in plans if one.id == id)
    print(f"{id}\t{in_language(name, config.site.languages[0])}")
    return 0
