"""Persons: what the platform knows of a shopper, and how little of it a stranger is shown."""

from typing import Any

from monitor.simulator.visit import Answer, Endpoint, Visit, bad, data

# The one registered customer. She does not exist.
CUSTOMER = {"email": "cliente@demostore.example", "firstName": "Cliente", "lastName": "Teste", "phone": "+5500000000"}


def masked(person: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a stranger sees of a person: the first letter of each word that was said."""
    if person is None:
        return None
    return {
        name: value if value is None or name == "attachmentId" else f"{str(value)[:1]}***"
        for name, value in person.items()
    }


async def profile(visit: Visit) -> Answer:
    """What is known of a shopper: nothing of one that belongs to nobody, no letter too many of a customer."""
    email = visit.query.get("email", "")
    if "@" not in email:
        raise bad(visit, "email is needed")
    known = email == CUSTOMER["email"]
    return data(
        {
            "userProfileId": "cliente-1" if known else None,
            "userProfile": masked(dict(CUSTOMER)) if known else None,
            "profileProvider": "masterData" if known else None,
            "availableAccounts": [],
            "availableAddresses": [],
            "isComplete": known,
        }
    )


async def profile_schema(visit: Visit) -> Answer:
    """The shape of a profile."""
    return data({"title": "profileSystem", "version": 1, "properties": {"email": {"type": "string"}}})


_API = ("commerce", "io", "store")
_SCHEMA = "/api/storage/profile-system/schemas/profileSystem"

ENDPOINTS = (
    Endpoint("GET", _API, "/api/checkout/pub/profiles", "profile", profile),
    Endpoint("GET", ("commerce", "io"), _SCHEMA, "profile", profile_schema, keyed=True),
)
