"""What every test shares: examples of hypothesis are the same on every machine and every run."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "stable",
    derandomize=True,
    deadline=None,
    max_examples=60,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],  # the phase that explains a failure traces every line
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("stable")
