"""What planners set: targets, lead times, packs, and when to be told."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from shelfcast.api.access.guard import Planner, origin_of
from shelfcast.api.adjusting import Adjusted, adjust, settings_of
from shelfcast.api.service import service_of
from shelfcast.api.view import Region, Seen, open_view
from shelfcast.settings.adjustments import KEYS

ROUTER = APIRouter(prefix="/v1", tags=["settings"])
_EXAMPLE = {"inventory.lead_days": 5, "inventory.packs": {"1082185": 6}, "monitoring.warning_ratio": None}
Changes = Annotated[
    dict[Annotated[str, Field(pattern=f"^({'|'.join(sorted(KEYS)).replace('.', '[.]')})$")], Any],
    Field(max_length=len(KEYS), examples=[_EXAMPLE], description="key -> value; null: as the configuration has it"),
]
_DOCS: dict[int | str, dict[str, Any]] = {409: {"description": "no file for it, or changed by others since"}}


class SettingsRow(BaseModel):
    """The settings as the next plan reads them."""

    region: str
    version: str = Field(description="to be sent back with changes: who has read older ones is refused")
    values: dict[str, Any] = Field(examples=[{"inventory.lead_days": 5}])
    configured: dict[str, Any] = Field(description="as the configuration has them")
    own: list[str] = Field(description="the keys that planners have set")


class SettingsAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: str = Field(max_length=64)
    changes: Changes


@ROUTER.get("/settings", responses=_DOCS)
def get_settings(request: Request, view: Seen) -> SettingsRow:
    """Of who reaches all of the region."""
    return _as_row(view.region, settings_of(service_of(request), view))


@ROUTER.patch("/settings", responses=_DOCS)
def change_settings(request: Request, principal: Planner, asked: SettingsAsked, region: Region = None) -> SettingsRow:
    """Set what is given. The next run of the jobs reads it."""
    service = service_of(request)
    view = open_view(service, principal, region)
    return _as_row(view.region, adjust(service, view, origin_of(request), asked.version, asked.changes))


def _as_row(region: str, found: Adjusted) -> SettingsRow:
    values, configured = dict(found.values), dict(found.configured)
    return SettingsRow(
        region=region, version=found.version, values=values, configured=configured, own=sorted(found.own)
    )
