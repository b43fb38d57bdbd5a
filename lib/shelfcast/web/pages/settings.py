"""What planners set, and the next plan is made by."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from shelfcast.api.access.guard import origin_of
from shelfcast.api.adjusting import Adjusted, adjust, settings_of
from shelfcast.api.problems import Problem
from shelfcast.errors import ConfigError
from shelfcast.web.guard import PlannerVisit, ViewerVisit
from shelfcast.web.routing import page_router
from shelfcast.web.settings_form import CLASSES, GROUPS, KINDS, LISTS, FormError, as_fields, changes_in
from shelfcast.web.visit import Visit

ROUTER = page_router()


async def _fields(request: Request) -> dict[str, list[str]]:
    form = await request.form()
    return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


Sent = Annotated[Mapping[str, list[str]], Depends(_fields)]


@ROUTER.get("/settings")
def show_settings(visit: ViewerVisit, saved: bool = False) -> Response:
    try:
        found = settings_of(visit.service, visit.view)
    except Problem as problem:
        if problem.status != HTTPStatus.CONFLICT:
            raise
        return visit.show("settings.html", found=None, problem=problem.detail, saved=False)
    return _show(visit, found, {}, saved=saved)


@ROUTER.post("/settings")
def take_settings(visit: PlannerVisit, sent: Sent) -> Response:
    found = settings_of(visit.service, visit.view)
    fields = {name: values[-1].replace("\r\n", "\n") for name, values in sent.items() if values}
    try:
        changes = {**changes_in(fields, found.values, visit.say), **dict.fromkeys(sent.get("reset", []))}
        unknown = changes.keys() - found.values.keys()
        if unknown:
            raise FormError(f"reset: found {', '.join(sorted(unknown))[:80]}; wanted settings of this page")
        adjust(visit.service, visit.view, origin_of(visit.request), fields.get("version", ""), changes)
    except Problem as problem:
        return _show(visit, found, fields, problem.status, problem.detail)
    except (ConfigError, FormError) as error:
        return _show(visit, found, fields, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    return visit.back_to("/settings", saved="true")


def _show(
    visit: Visit,
    found: Adjusted,
    fields: Mapping[str, str],
    status: int = HTTPStatus.OK,
    problem: str = "",
    saved: bool = False,
) -> Response:
    shapes = {"groups": GROUPS, "lists": LISTS, "classes": CLASSES, "kinds": KINDS}
    configured = as_fields(found.configured, visit.say)
    # Who was refused stays refused: only the settings read anew are those that the version stands for.
    filled = {"version": found.version, **as_fields(found.values, visit.say), **fields}
    told = {"found": found, "fields": filled, "configured": configured, "problem": problem, "saved": saved}
    return visit.show("settings.html", status, **told, **shapes)
