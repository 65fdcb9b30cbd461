"""Support: where people get help, what the plans offer side by side, and which one fits a shop."""

from dataclasses import dataclass
from datetime import timedelta

from monitor.core.plan import Feature, Opening, Plan
from monitor.core.suggestion import Question, Tier, asked
from monitor.core.wording import N_
from monitor.pages.lens import Lens
from monitor.pages.view import Link

PRIORITIES = {"urgent": N_("urgent"), "high": N_("high"), "normal": N_("normal"), "low": N_("low")}
PERIODS = {"month": N_("{price} a month"), "quarter": N_("{price} a quarter"), "year": N_("{price} a year")}
ASKED = {
    "orders_per_day": N_("How many orders does the shop have on a day?"),
    "average_ticket": N_("What is an order worth, on average?"),
    "growth_percent": N_("By how many percent does the shop grow in a year?"),
}
HELP = {
    "help_center": N_("Manuals, tutorials and answers to frequent questions."),
    "community": N_("Questions to other shops, agencies and the people of the platform."),
    "tickets": N_("A question about one shop, followed up until it is answered."),
    "healthcheck": N_("What the platform itself says of its modules."),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a plan offers in one row. `kind` is `yes`, `no`, `text`, or empty where the operator has not said."""

    kind: str
    text: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What is compared, and a cell for each plan."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, and for each answer the next one or the name of the plan that fits; empty: none does."""

    text: str
    answers: tuple[tuple[str, "Ask | str"], ...]


@dataclass(frozen=True, slots=True)
class SupportView:
    """`help` are links with a sentence about each. Without plans nothing is compared, without rules nothing asked."""

    help: tuple[tuple[Link, str], ...]
    plans: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    ask: Ask | None


def support_page(lens: Lens, links: tuple[Link, ...]) -> SupportView:
    """The page. `links` lead to where people help."""
    plans = lens.facts.site.plans
    addresses = {address: name for name, address in lens.facts.site.links.items()}
    told = (lens.word(HELP[name]) if (name := addresses.get(one.href, "")) in HELP else "" for one in links)
    question = asked(plans)
    return SupportView(
        help=tuple(zip(links, told, strict=True)),
        plans=tuple((lens.text(one.name), lens.text(one.description or {})) for one in plans),
        rows=_rows(lens, plans),
        ask=_ask(lens, question) if isinstance(question, Question) else None,
    )


def _rows(lens: Lens, plans: tuple[Plan, ...]) -> tuple[Row, ...]:
    """Only rows that at least one plan says something in."""
    word, urgency = lens.word, {id: lens.word(told) for id, told in PRIORITIES.items()}
    features = dict.fromkeys(lens.text(feature.name) for one in plans for feature in one.features)
    rows = [
        (word(N_("Price")), [_text(_price(lens, one)) for one in plans]),
        (word(N_("First contact")), [_text(lens.text(one.first_contact or {})) for one in plans]),
        (word(N_("Hours")), [_text(_hours(lens, one.hours)) for one in plans]),
        *(
            (word(N_("First answer, {priority}"), priority=told), [_time(lens, one.response.get(id)) for one in plans])
            for id, told in urgency.items()
        ),
        *(
            (word(N_("Next update, {priority}"), priority=told), [_time(lens, one.update.get(id)) for one in plans])
            for id, told in urgency.items()
        ),
        (word(N_("Telephone")), [_text(_phone(lens, one)) for one in plans]),
        (word(N_("Users of the ticket tool")), [_text(_users(lens, one)) for one in plans]),
        (word(N_("Key account")), [_said(one.key_account) for one in plans]),
        (word(N_("Quarterly review")), [_said(one.quarterly_review) for one in plans]),
        *((name, [_feature(lens, name, one) for one in plans]) for name in features),
    ]
    return tuple(Row(name, tuple(cells)) for name, cells in rows if any(cell.kind for cell in cells))


def _text(text: str) -> Cell:
    return Cell("text", text) if text else Cell("")


def _said(included: bool | None) -> Cell:
    return Cell("") if included is None else Cell("yes" if included else "no")


def _time(lens: Lens, time: timedelta | None) -> Cell:
    return Cell("") if time is None else Cell("text", lens.length(time))


def _feature(lens: Lens, name: str, plan: Plan) -> Cell:
    one: Feature | None = next((one for one in plan.features if lens.text(one.name) == name), None)
    if one is None:
        return Cell("")
    if text := lens.text(one.text or {}):
        return Cell("text", text, one.url or "")
    if one.included is None and one.url:
        return Cell("text", name, one.url)
    return Cell(_said(one.included).kind, href=one.url or "")


def _price(lens: Lens, plan: Plan) -> str:
    if plan.price is None:
        return ""
    if plan.price.amount == 0:
        return lens.word(N_("free"))
    price = lens.speech.price(lens.language, plan.price.amount, plan.price.currency)
    return lens.word(PERIODS[plan.price.period], price=price)


def _hours(lens: Lens, hours: Opening | tuple[()] | None) -> str:
    if hours is None:
        return ""
    if not isinstance(hours, Opening):
        return lens.word(N_("at any time"))
    return f"{lens.speech.weekdays(lens.language, hours.days)}, {hours.since}–{hours.until} ({hours.timezone})"


def _phone(lens: Lens, plan: Plan) -> str:
    told = _hours(lens, plan.phone)
    if plan.phone_urgent_outside:
        urgent = lens.word(N_("urgent calls at any time"))
        return f"{told}; {urgent}" if told else urgent
    return told


def _users(lens: Lens, plan: Plan) -> str:
    if plan.is_unlimited:
        return lens.word(N_("unlimited"))
    return "" if plan.ticket_users is None else lens.number(plan.ticket_users)


def _ask(lens: Lens, question: Question) -> Ask:
    names = {one.id: lens.text(one.name) for one in lens.facts.site.plans}
    answers = (
        (
            _tier(lens, tier),
            _ask(lens, then) if isinstance(then, Question) else names.get(then or "", ""),
        )
        for tier, then in question.answers
    )
    return Ask(lens.word(ASKED[question.measure]), tuple(answers))


def _tier(lens: Lens, tier: Tier) -> str:
    low = high = ""
    if tier.low is not None:
        bound = N_("more than {number}") if tier.low[1] else N_("{number} or more")
        low = lens.word(bound, number=lens.number(tier.low[0]))
    if tier.high is not None:
        bound = N_("up to {number}") if tier.high[1] else N_("less than {number}")
        high = lens.word(bound, number=lens.number(tier.high[0]))
    return lens.word(N_("{low}, but {high}"), low=low, high=high) if low and high else low or high
