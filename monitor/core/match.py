"""Match: which incidents a rule is about. What is None fits everything; all that is given must fit."""

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Match:
    """Priorities, what an incident touches: groups, components and modules, and the stores it concerns; by id."""

    priorities: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    components: frozenset[str] | None = None
    modules: frozenset[str] | None = None
    stores: frozenset[str] | None = None

    def fits(
        self,
        priority: str,
        groups: Set[str],
        components: Set[str],
        modules: Set[str],
        stores: Set[str] = frozenset(),
    ) -> bool:
        """Whether an incident that touches these is meant."""
        facts = (*self._beside(priority, groups, components, modules), (self.stores, stores))
        return all(wanted is None or wanted & given for wanted, given in facts)

    def covers(self, priority: str, groups: Set[str], components: Set[str], modules: Set[str]) -> bool:
        """Whether all of this is meant, and there is some of it: what a rule does not name, it does not speak for."""
        facts = self._beside(priority, groups, components, modules)
        return all(wanted is None or (given and given <= wanted) for wanted, given in facts)

    def _beside(
        self, priority: str, groups: Set[str], components: Set[str], modules: Set[str]
    ) -> tuple[tuple[frozenset[str] | None, Set[str]], ...]:
        """What is wanted, beside what is given."""
        return (
            (self.priorities, {priority}),
            (self.groups, groups),
            (self.components, components),
            (self.modules, modules),
        )


@dataclass(frozen=True, slots=True)
class PublishRule:
    """When matching incidents appear on public surfaces: so long after they opened; None: once a person says so."""

    match: Match = field(default_factory=Match)
    after: timedelta | None = timedelta(0)
