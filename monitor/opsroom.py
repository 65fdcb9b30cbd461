"""Opsroom: what the operators' side is made of, whether the monitor behind it leads or stands by."""

import asyncio
from importlib import import_module
from typing import Any, Protocol

from monitor.circulation import Circulation
from monitor.clock import Clock
from monitor.config import Config
from monitor.desk import Desk
from monitor.figures import Figures
from monitor.leadership import Leadership
from monitor.mailroom import Mailroom
from monitor.metrics import Metrics
from monitor.plots import Plots
from monitor.press import Press
from monitor.store import Store
from monitor.web.counter import Planner
from monitor.web.link import Links
from monitor.web.ops import OpsContext


class House(Protocol):
    """A monitor with everything in its place."""

    config: Config
    store: Store
    desk: Desk
    press: Press
    metrics: Metrics
    leadership: Leadership
    figures: Figures
    mailroom: Mailroom
    circulation: Circulation
    links: Links
    _clock: Clock


def context_of(house: House, **own: Any) -> OpsContext:
    """What both have, read where it is now, and what each has of its `own`, by the names of the context."""
    desk, press, clock = house.desk, house.press, house._clock
    return OpsContext(
        board=lambda: desk.board,
        history=lambda: press.history,
        speech=lambda: press.speech,
        metrics_page=lambda openmetrics, view, modules: house.metrics.page(
            desk.board, press.history, openmetrics, view, modules
        ),
        leader=house.leadership.told,
        find=desk.find,
        incidents=desk.incidents,
        entries=desk.entries,
        planner=lambda: planner_of(house.config),
        links=house.links,
        trusted_proxies=house.config.settings.trusted_proxies,
        roster=lambda: house.config.settings.roster,
        series=Plots(house.store, clock, lambda: house.config.settings.keep_observations).series,
        spent=house.figures.spent,
        outgoing=house.mailroom,
        roll=house.circulation,
        courses=house.mailroom.courses,
        **own,
    )


async def planner_of(config: Config) -> Planner:
    """Whoever reads what people plan. It comes with the models of the whole file, 16 MB, when somebody plans at all."""
    planning = await asyncio.to_thread(import_module, "monitor.config.planning")
    planner: Planner = planning.Planner(config)
    return planner
