"""What every test shares: examples of hypothesis are the same on every machine and every run."""

import gc

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.depth import examples

settings.register_profile(
    "stable",
    derandomize=True,
    deadline=None,
    max_examples=examples(60),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],  # the phase that explains a failure traces every line
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever hypothesis plays is marked as a property."""
    for item in items:
        if isinstance(item, pytest.Function) and getattr(item.obj, "is_hypothesis_test", False):
            item.add_marker("property")


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no garbage collection has to look at it again."""
    gc.collect()
    gc.freeze()
