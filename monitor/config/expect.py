"""`expect:` of a probe: what should hold of an answer, in the words of the file, and its core form."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from monitor.config.addresses import HeaderName
from monitor.config.expressions import JmesPath, Regex, Status
from monitor.config.patterns import compiled
from monitor.config.scalars import Anything, Boolean, Duration, Number, Percentage, Texts, refuse
from monitor.core import expectation
from monitor.core.clause import OPERATORS, Clause


class Section(BaseModel):
    """What all mappings of the file share: a key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Lenient(Section):
    """A section in which a key without a value is as good as left out; a key that is not declared stays an error."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            declared = {field.alias or name for name, field in cls.model_fields.items()}
            return {key: one for key, one in value.items() if one is not None or key not in declared}
        return value


def whole(model: type[Section], description: str) -> Any:
    """A field that is a mapping with defaults of its own: leaving it out is the same as writing `{}`."""
    return Field(default_factory=model, description=description, json_schema_extra={"default": {}})


def listed(description: str) -> Any:
    """A field that is an empty list unless written; a factory, because pydantic copies other defaults slowly."""
    return Field(default_factory=list, description=description, json_schema_extra={"default": []})


def mapped(description: str, alias: str | None = None) -> Any:
    """A field that is an empty mapping unless written."""
    return Field(default_factory=dict, alias=alias, description=description, json_schema_extra={"default": {}})


class Operators(Section):
    """Operators on one value; all that are written must hold. A bare value means `equals`."""

    equals: Anything = Field(None, description="The value, exactly; numbers compare as numbers, text as text.")
    not_: Anything = Field(None, alias="not", description="Anything but this value.")
    one_of: list[Anything] | None = Field(None, min_length=1, description="One of these values.")
    at_least: Number | None = Field(None, description="A number not below this one.")
    at_most: Number | None = Field(None, description="A number not above this one.")
    more_than: Number | None = Field(None, description="A number above this one.")
    less_than: Number | None = Field(None, description="A number below this one.")
    matches: Regex | None = Field(None, description="Text in which this regular expression (RE2) is found.")
    contains: Anything = Field(None, description="Text that contains this text, or a list with this member.")
    exists: Boolean | None = Field(None, description="true: there is a value; false: there is none.")
    empty: Boolean | None = Field(None, description="true: null or an empty text, list or object; false: the contrary.")
    newer_than: Duration | None = Field(None, description="A time less than this long ago.")
    older_than: Duration | None = Field(None, description="A time more than this long ago.")
    type: Literal["string", "number", "integer", "boolean", "array", "object", "null"] | None = Field(
        None, description="The JSON type of the value."
    )
    baseline: Percentage | None = Field(
        None, description="What the value usually is: a number within this share of it, anything else exactly."
    )

    def clauses(self) -> tuple[Clause, ...]:
        """The core form, in the order the operators are documented."""
        written = {"not" if name == "not_" else name: getattr(self, name) for name in self.model_fields_set}
        return tuple(Clause(name, _operand(name, written[name])) for name in OPERATORS if name in written)


def _operand(operator: str, value: Any) -> Any:
    if operator == "matches":
        return compiled(value)
    return tuple(value) if operator == "one_of" else value


def _wrap(value: Any) -> Any:
    """A bare value is `equals`; a mapping is operators, so an object to compare with is written `{equals: {…}}`."""
    return value if isinstance(value, dict) and value else {"equals": value}


def _of_header(value: Operators) -> Operators:
    if value.baseline is not None:
        raise refuse("cannot have a `baseline`: only values of `json` are remembered")
    return value


Clauses = Annotated[Operators, BeforeValidator(_wrap)]
HeaderClauses = Annotated[Clauses, AfterValidator(_of_header)]


class CertificateExpect(Section):
    """What should hold of the certificate the server shows."""

    valid_for: Duration = Field(description="How long it must still be valid; less is told as `tls.expires_soon`.")


class Expect(Lenient):
    """What should hold of one answer; a probe without it expects a status of 2xx."""

    status: Status = Field(((200, 299),), description='Expected status: `200`, `2xx`, `"200-299"` or a list of those.')
    slow_after: Duration | None = Field(None, description="A run that passes but takes longer is slow.")
    content_type: str | None = Field(None, description="The media type of the answer, parameters aside.")
    header: dict[HeaderName, HeaderClauses] = mapped("A value or operators for each response header, by name.")
    contains: Texts = listed("Text, or texts, that must be in the body.")
    not_contains: Texts = listed("Text, or texts, that must not be in the body.")
    matches: Annotated[
        list[Regex],
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = listed("Regular expression (RE2), or several, to be found in the body.")
    json_: dict[JmesPath, Clauses] = mapped("A value or operators for each JMESPath into the body.", alias="json")
    certificate: CertificateExpect | None = Field(None, description="What should hold of the certificate.")

    def core(self) -> expectation.Expect:
        """The same, as judgement reads it."""
        return expectation.Expect(
            status=self.status,
            slow_after=self.slow_after,
            content_type=self.content_type,
            header=tuple((name, operators.clauses()) for name, operators in self.header.items()),
            contains=tuple(self.contains),
            not_contains=tuple(self.not_contains),
            matches=tuple(self.matches),
            json=tuple((path, operators.clauses()) for path, operators in self.json_.items()),
            certificate_valid_for=self.certificate.valid_for if self.certificate else None,
        )
