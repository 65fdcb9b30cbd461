"""Templates of the operator's own: every mistake that can be known is known early, and none does harm."""

import time

import pytest

from monitor.core.incident import Incident
from monitor.pages.api import incident_object
from monitor.template import LARGEST, LONGEST, NAMES, SECONDS, TemplateFailed, faults, render
from tests.pages import pictures
from tests.pages.test_api import SPEECH


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "{{ subject }} {{ body | urlencode }} {{ language }} {{ event_id }} {{ at[:10] }}",
        "{% for one in incident.modules if one.role == 'root' %}{{ one.id }}{{ loop.index }}{% endfor %}",
        "{{ incident.cause.code or 'unknown' }} {{ incident['cause']['class'] }} {{ incident.title.en }}",
        "{{ text['pt-BR'] | tojson }} {{ links.page or '' }} {{ range(3) | list }}",
        "{% set incident = {'own': 1} %}{{ incident.own }}",
        "{% macro one(x) %}{{ x.any }}{% endmacro %}{{ one(incident) }}",
        "{{ incident.get('x') }}",
    ],
)
def test_what_is_right_is_not_complained_about(text: str) -> None:
    """Everything a notice holds, and everything of Jinja that does no harm."""
    known = [one for one in faults(text) if "`get`" not in one.message]
    assert known == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\n{% if %}", 2, "Expected an expression, got 'end of statement block'"),
        ("{{ subject", 1, "unexpected end of template, expected 'end of print statement'"),
        ("\n\n{{ subjct }}", 3, "there is no `subjct`; did you mean `subject`?"),
        ("{{ incident.titel }}", 1, "`incident` has no `titel`; did you mean `title`?"),
        ("{{ incident['cause'].cod }}", 1, "`incident.cause` has no `cod`; did you mean `code`?"),
        ("{{ links.pge }}", 1, "`links` has no `pge`; did you mean `page`?"),
        ("{{ subject | tojsn }}", 1, "No filter named 'tojsn'"),
        ("{{ subject is urgnt }}", 1, "No test named 'urgnt'"),
        ("x\n{% include '/etc/passwd' %}", 2, "it stands alone: nothing can be included, imported or extended"),
        ("x" * (LONGEST + 1), 1, f"it is longer than {LONGEST:,} characters"),
        ("{{ lipsum() }}", 1, "there is no `lipsum`"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", 1, ""),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    """And the nearest right word."""
    fault = next(faults(text))
    assert fault.line == line
    assert said in fault.message


def test_every_mistake_is_told_in_one_pass() -> None:
    """Once for each name, however often it is used."""
    found = list(faults("{{ a }}\n{{ b }}{{ a }}\n{{ links.c }}"))
    assert [(one.line, one.near) for one in found] == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% for a in range(9000) %}{{ 'x' ~ 'y' ~ body }}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x' | format }}",
        "{{ body.__class__.__mro__ }}",
        "{{ body.encode.__globals__ }}",
        "{{ incident.update({}) }}",
        "{{ nothing }}",
        "{{ incident.nothing }}",
        "{{ 1 / 0 }}",
        "{{ body + 1 }}",
    ],
)
def test_nothing_that_a_template_does_takes_long_or_gets_out(text: str) -> None:
    """It fails, within its time, with a reason of one line."""
    began = time.monotonic()
    with pytest.raises(TemplateFailed) as caught:
        render(text, {"body": "b" * 100, "incident": {}})
    assert time.monotonic() - began < 2 * SECONDS + 1
    assert "\n" not in str(caught.value)


def test_a_body_is_never_larger_than_a_receiver_takes() -> None:
    """Whatever the notice holds."""
    with pytest.raises(TemplateFailed, match="characters"):
        render("{{ body }}", {"body": "b" * (LARGEST + 1)})


def test_a_failure_names_the_line_of_the_template() -> None:
    """Not one of ours."""
    with pytest.raises(TemplateFailed, match=r"UndefinedError in line 3: .*has no attribute"):
        render("\n\n{{ incident.id }}", {"incident": None})


def test_text_is_not_escaped_and_not_read_again() -> None:
    """Filters do that for the form it goes into."""
    assert render("{{ body }}|{{ body | tojson }}", {"body": "<{{ 7*7 }}>"}) == (
        '<{{ 7*7 }}>|"\\u003c{{ 7*7 }}\\u003e"'
    )


@pytest.mark.parametrize("one", [pictures.troubled().history.incidents[0], pictures.by_hand()])
def test_every_key_of_an_incident_can_be_named(one: Incident) -> None:
    """A key that is added to our JSON is one that templates may use."""
    seen = pictures.troubled()
    found = incident_object(one, seen.board.platform, SPEECH, public=False)
    assert found.keys() <= NAMES["incident"].keys()
    assert found["cause"].keys() <= NAMES["incident"]["cause"].keys()
