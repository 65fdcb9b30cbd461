"""Metrics: what Prometheus reads. The `probe_*` family as the blackbox exporter writes it, our own as `monitor_*`."""

from monitor.metrics.collector import Metrics

__all__ = ["Metrics"]
