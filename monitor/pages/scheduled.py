"""Scheduled: planned work in the words of Statuspage v2, an incident with a plan and with impact `maintenance`.

The vocabulary has no word for withdrawn work: it is `completed`, and its last update says that it does not take place.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from monitor.core.announcement import components_of, work_body, work_message, work_title
from monitor.core.identity import stable_id
from monitor.core.maintenance import Maintenance, WorkStage, WorkUpdate
from monitor.core.observation import stamp
from monitor.core.rollup import ComponentStatus
from monitor.core.wording import Sentence
from monitor.pages import works
from monitor.pages.picture import Picture

NEWEST = 50
QUIET = {"replanned"}  # kinds of updates that subscribers are not told of

Object = dict[str, Any]


def scheduled_files(
    picture: Picture,
    say: Callable[[Sentence], str],
    page_id: str,
    components: Mapping[str, Object],
    names: Mapping[str, str],
) -> dict[str, list[Object]]:
    """The lists of `scheduled-maintenances` and its two parts, and of `summary` under ``.

    `components` are their objects by public id, `names` what updates call them by their own id.
    """

    def objects(found: Sequence[Maintenance]) -> list[Object]:
        return [_object(one, picture, say, page_id, components, names) for one in found]

    active, upcoming = objects(works.going_on(picture)), objects(works.coming(picture)[: works.COMING])
    past = objects(works.past(picture)[: works.PAST])
    newest = [*reversed(upcoming), *reversed(active), *past][: max(NEWEST, len(active) + len(upcoming))]
    return {
        "": [*active, *upcoming],
        "scheduled-maintenances": newest,
        "scheduled-maintenances/upcoming": upcoming,
        "scheduled-maintenances/active": active,
    }


def _object(
    work: Maintenance,
    picture: Picture,
    say: Callable[[Sentence], str],
    page_id: str,
    components: Mapping[str, Object],
    names: Mapping[str, str],
) -> Object:
    touched = [id for id in components_of(work, picture.board.platform) if stable_id(f"component:{id}") in components]
    return {
        "id": work.id,
        "name": say(work_title(work)),
        "status": _stage(work.stage),
        "created_at": stamp(work.announced_at),
        "updated_at": stamp(work.updated_at),
        "monitoring_at": None,
        "resolved_at": stamp(work.ended_at or (work.updated_at if work.is_over else None)),
        "impact": "maintenance",
        "shortlink": f"{picture.site.url}/incidents/{work.id}/",
        "started_at": stamp(work.started_at or work.announced_at),
        "page_id": page_id,
        "incident_updates": _updates(work, say, {id: names[id] for id in touched}),
        "components": [components[stable_id(f"component:{id}")] for id in touched],
        "reminder_intervals": None,
        "scheduled_for": stamp(work.planned_from),
        "scheduled_until": stamp(work.planned_until),
    }


def _stage(stage: WorkStage) -> str:
    return WorkStage.COMPLETED.value if stage is WorkStage.CANCELLED else stage.value


def _updates(work: Maintenance, say: Callable[[Sentence], str], touched: Mapping[str, str]) -> list[Object]:
    """The newest first; a component is under maintenance from the update that says so to the one that ends it."""
    told: list[Object] = []
    before = ComponentStatus.OPERATIONAL
    for number, update in enumerate(work.updates, 1):
        going_on = update.stage in (WorkStage.IN_PROGRESS, WorkStage.VERIFYING)
        after = ComponentStatus.MAINTENANCE if going_on else ComponentStatus.OPERATIONAL
        at = stamp(update.at)
        told.append(
            {
                "id": stable_id(f"update:{work.key}:{number}"),
                "status": _stage(update.stage),
                "body": "<br />".join(escape(say(_body(work, update))).splitlines()),
                "incident_id": work.id,
                "created_at": at,
                "updated_at": at,
                "display_at": at,
                "affected_components": [
                    {
                        "code": stable_id(f"component:{id}"),
                        "name": name,
                        "old_status": before.value,
                        "new_status": after.value,
                    }
                    for id, name in touched.items()
                ]
                or None,
                "deliver_notifications": update.kind not in QUIET,
                "custom_tweet": None,
                "tweet_id": None,
            }
        )
        before = after
    return told[::-1]


def _body(work: Maintenance, update: WorkUpdate) -> Sentence:
    """The first update is the announcement, with all that was written about the work."""
    return work_message(work) if update is work.updates[0] and work.message else work_body(update)
