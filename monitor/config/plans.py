"""`plans` and `stores`: the support an operator offers, and to whom. What is not written is not shown."""

from typing import Literal

from pydantic import Field

from monitor.config.addresses import Link
from monitor.config.expect import Section, listed
from monitor.config.notices import Priority
from monitor.config.scalars import Amount, Boolean, Count, Duration, Id, Number, Percentage, Text, Title


class Price(Section):
    """What a plan costs."""

    amount: Amount = Field(description="How much.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code, such as BRL.")
    period: Literal["month", "quarter", "year"] = Field("month", description="For how long.")


class Phone(Section):
    """When the telephone is answered."""

    hours: str | None = Field(None, description="`always`, or a calendar.")
    urgent_outside: Boolean | None = Field(None, description="Urgent calls are answered outside of it too.")


class Range(Section):
    """Bounds of a number; all that are written must hold."""

    at_least: Number | None = Field(None, description="Not below this.")
    at_most: Number | None = Field(None, description="Not above this.")
    more_than: Number | None = Field(None, description="Above this.")
    less_than: Number | None = Field(None, description="Below this.")


class Suggestion(Section):
    """For whom a plan is suggested; all that are given must hold, the last plan that fits is suggested."""

    orders_per_day: Range | None = Field(None, description="Orders a day.")
    average_ticket: Range | None = Field(None, description="Average value of an order.")
    growth_percent: Range | None = Field(None, description="Yearly growth in percent.")


class Feature(Section):
    """A further row of the comparison table."""

    name: Title = Field(description="Name of the row, in one text or one per language.")
    included: Boolean | None = Field(None, description="Whether the plan has it.")
    text: Text | None = Field(None, description="What the cell says instead of yes or no.")
    url: Link | None = Field(None, description="Where to read more.")


class Plan(Section):
    """A support plan."""

    id: Id = Field(description="Name of the plan in this file.")
    name: Title = Field(description="What people call it, in one text or one per language.")
    description: Text | None = Field(None, description="A sentence about it.")
    price: Price | None = Field(None, description="What it costs.")
    first_contact: Text | None = Field(None, description="Who answers first.")
    hours: str | None = Field(None, description="Calendar outside of which clocks stop; absent or `always`: never.")
    response: dict[Priority, Duration] | None = Field(None, description="Time to the first answer, by priority.")
    update: dict[Priority, Duration] | None = Field(None, description="Time to the next public update, by priority.")
    objective: Percentage | None = Field(None, description="Promised part of good time over 30 days, such as 99.9%.")
    phone: Phone | None = Field(None, description="When the telephone is answered.")
    ticket_users: Count | None = Field(None, description="Users of the ticket tool; null: unlimited.")
    key_account: Boolean | None = Field(None, description="There is a person to turn to.")
    quarterly_review: Boolean | None = Field(None, description="A meeting each quarter, and its report, sent.")
    suggested_when: Suggestion | None = Field(None, description="For whom the plan is suggested.")
    features: list[Feature] = listed("The other rows of the comparison table.")


class KeyAccount(Section):
    """The person a store turns to; never published."""

    name: str | None = Field(None, description="Who it is.")
    channels: list[str] = listed("Channels that reach this person.")


class Store(Section):
    """A store that is supported."""

    id: Id = Field(description="Name of the store in this file.")
    name: str | None = Field(None, description="What people call it.")
    plan: str | None = Field(None, description="Its plan.")
    team: str | None = Field(None, description="The team that looks after it.")
    key_account: KeyAccount | None = Field(None, description="The person it turns to.")
    ticket_users: Count | None = Field(None, description="Users of the ticket tool it has.")
    channels: list[str] = listed("Channels that reach its team.")
