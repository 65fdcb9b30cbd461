"""Schemas: what the objects of the operators' API are described with, as JSON Schema (2020-12).

Of what is sent to us every key is named and no other is taken; of what we answer every key is always there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "minLength": 1}
INCIDENT_ID: Schema = {"type": "string", "pattern": "^[0-9a-z]{12}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
NEXT: Schema = {"type": ["string", "null"], "description": "Where the next page is; null at the end."}
SECONDS: Schema = {"type": "number", "minimum": 0}


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def maybe(schema: Schema) -> Schema:
    """This, or null while it is not known."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def answered(properties: Mapping[str, Schema], optional: Sequence[str] = ()) -> Schema:
    """An object of ours: every key is there, but those that only some have."""
    needed = [name for name in properties if name not in optional]
    return {"type": "object", "required": needed, "properties": dict(properties)}


def sent(properties: Mapping[str, Schema], needed: Sequence[str] = ()) -> Schema:
    """An object that is sent to us: these keys and no others."""
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return found | ({"required": list(needed)} if needed else {})


def one_of(words: Sequence[str]) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": [str(word) for word in words]}


def said(longest: int, languages: Sequence[str], *, needed: bool = True) -> Schema:
    """A text in the site's first language, or one per language; `needed`: it says something."""
    text: Schema = {"type": "string", "maxLength": longest}
    by_language: Schema = {"type": "object", "propertyNames": {"enum": list(languages)}, "additionalProperties": text}
    if not needed:
        return {"anyOf": [text, by_language]}
    seen = {"pattern": r"[^\s\u0000-\u001f\u007f-\u009f]"}
    some = [{"required": [one], "properties": {one: seen}} for one in languages]
    return {"anyOf": [text | seen, by_language | {"anyOf": some}]}
