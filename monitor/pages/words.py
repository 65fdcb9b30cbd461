"""Words: what statuses, stages and classes of causes are called on the pages, and the mark each is drawn with.

A mark is a shape and a colour of the theme (`ok slow part down work none`); the word always stands beside it.
"""

from monitor.core.incident import Incident, Stage
from monitor.core.module import Platform, Status
from monitor.core.rollup import ComponentStatus
from monitor.core.wording import N_, Sentence, platform_says, public_summary, summary, title

COMPONENT: dict[ComponentStatus | None, tuple[str, str]] = {
    ComponentStatus.OPERATIONAL: ("ok", N_("Operational")),
    ComponentStatus.MAINTENANCE: ("work", N_("Under maintenance")),
    ComponentStatus.DEGRADED: ("slow", N_("Degraded performance")),
    ComponentStatus.PARTIAL: ("part", N_("Partial outage")),
    ComponentStatus.MAJOR: ("down", N_("Major outage")),
    None: ("none", N_("No data")),
}

MODULE: dict[Status, tuple[str, str]] = {
    Status.UP: ("ok", N_("Healthy")),
    Status.DEGRADED: ("slow", N_("Warning")),
    Status.DOWN: ("down", N_("Unhealthy")),
    Status.UNKNOWN: ("none", N_("Unknown")),
}

ROOT = N_("Cause of the open incident")
AFFECTED = N_("Affected by {module}")

STAGE: dict[Stage, str] = {
    Stage.INVESTIGATING: N_("Investigating"),
    Stage.IDENTIFIED: N_("Identified"),
    Stage.MONITORING: N_("Monitoring"),
    Stage.RESOLVED: N_("Resolved"),
    Stage.POSTMORTEM: N_("Postmortem"),
}

IMPACT: dict[str, tuple[str, str]] = {
    "minor": ("slow", N_("Minor impact")),
    "major": ("part", N_("Major impact")),
    "critical": ("down", N_("Critical impact")),
}

OVERALL: dict[str, str] = {
    "none": "ok",
    "minor": "slow",
    "major": "part",
    "critical": "down",
    "maintenance": "work",
    "unknown": "none",
}

# The phrases of the Statuspage v2 interface, so that page and file say the same.
PHRASES = (
    N_("All Systems Operational"),
    N_("Partially Degraded Service"),
    N_("Degraded System Service"),
    N_("Minor Service Outage"),
    N_("Partial System Outage"),
    N_("Major System Outage"),
    N_("Service Under Maintenance"),
    N_("Status Unknown"),
)

CLASS: dict[str, str] = {
    "deploy_or_config_change": N_("a change that was put live"),
    "dependency_failure": N_("a failure of something it depends on"),
    "capacity_or_throttling": N_("overload, or a limit on requests"),
    "network_or_edge": N_("the network or the edge servers in front of it"),
    "data_store": N_("the place where its data is kept"),
    "external_provider": N_("a provider outside the platform"),
    "store_configuration": N_("a setting of the store"),
    "certificate": N_("a security certificate"),
    "dns": N_("name resolution (DNS)"),
    "stalled_or_stale": N_("work that has come to a halt"),
}

LINKS: dict[str, str] = {
    "help_center": N_("Help center"),
    "community": N_("Community"),
    "tickets": N_("Open a ticket"),
    "healthcheck": N_("VTEX Healthcheck"),
}


def why(incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """The cause in plain words below a headline, without repeating what else stands there: the headline, the list of
    components, what the platform says."""
    if incident.summary is not None:
        return public_summary(incident, platform)
    cause, headline = incident.cause, title(incident, platform).places.get("seen")
    sentences: list[Sentence] = []
    if cause.cls in CLASS and not incident.is_regional:
        known = N_("Confirmed cause: {cause}.") if cause.state == "confirmed" else N_("Probable cause: {cause}.")
        sentences.append(Sentence(known, {"cause": Sentence(CLASS[cause.cls])}))
    elsewhere = platform_says(incident)
    for sentence in summary(incident, platform):
        repeats = cause.module is not None and sentence.places.get("seen", ()) == headline
        if not repeats and "components" not in sentence.places and sentence not in elsewhere:
            sentences.append(sentence)
    if not any("confidence" not in sentence.places for sentence in sentences):
        open_question, closed = N_("The reason is not known yet."), N_("The reason was not found.")
        sentences = [Sentence(open_question if incident.is_open else closed)]
    return tuple(sentences)
