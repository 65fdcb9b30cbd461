"""Subscription: what customers can choose to be told of, and what they chose."""

from dataclasses import dataclass

from monitor.core.subscriber import Subscriber
from monitor.core.wording import N_
from monitor.pages.lens import Lens
from monitor.pages.view import Link

# Sentences of the side that serves these pages.
SAID = (
    N_("There are no subscriptions here."),
    N_("Give an e-mail address, or an address to call that begins with https://."),
    N_("Give one address, not two."),
    N_("That is no e-mail address."),
    N_("That is no address that can be called: it has to begin with https:// and be reachable from everywhere."),
    N_("That is not offered here."),
    N_("There is no such component."),
    N_("Choose at least one."),
    N_("This cannot be stored now: try again in a minute."),
)


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """Every component by its group, each a text and its id; `chosen` what somebody has chosen of them, empty where
    that is everything. `page` is the public page."""

    groups: tuple[tuple[str, tuple[Link, ...]], ...]
    chosen: tuple[str, ...]
    page: str


def choice_view(lens: Lens, one: Subscriber | None) -> ChoiceView:
    """What can be chosen, and what was."""
    platform, site = lens.facts.platform, lens.facts.site
    groups = tuple(
        (lens.text(group.name), tuple(Link(lens.text(each.name), each.id) for each in group.components))
        for group in platform.groups
    )
    wanted = one.components if one is not None and one.components is not None else frozenset[str]()
    chosen = tuple(lens.text(each.name) for id, each in platform.components.items() if id in wanted)
    way = "" if lens.language == lens.speech.default else f"{lens.language.lower()}/"
    return ChoiceView(groups, chosen, f"{site.url}/{way}")
