"""Weights: how much of a bad time counts as lost in uptime, as the operator states."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Parts from 0 to 1: of a degraded time, and of one in which some modules of a component are down and others are
    not. Down is lost whole, whatever these say."""

    degraded: float = 0.0
    partial: float = 1.0


USUAL = Weights()
