"""Files of sales that people bring."""

import json
import os
import tempfile
from datetime import date, datetime
from functools import partial
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from shelfcast.api.access.accounts import now
from shelfcast.api.access.audit import record
from shelfcast.api.access.guard import Planner, origin_of, refused
from shelfcast.api.access.tables import UPLOADS
from shelfcast.api.problems import Problem
from shelfcast.api.service import Service, service_of
from shelfcast.api.uploads import Form, Judged, NoUploadsError, digest_of, form_of, judge, lay
from shelfcast.api.view import Region, View, open_view
from shelfcast.api.waiting import wait_for

ROUTER = APIRouter(prefix="/v1", tags=["uploads"])
_BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}
_DOCS: dict[int | str, dict[str, Any]] = {
    409: {"description": "the file was brought before, or the source takes none"},
    413: {"description": "too large"},
}


class UploadRow(BaseModel):
    """A file of sales that waits for the next ingestion, or has been taken in by it."""

    id: int
    region: str
    file: str = Field(examples=["sales-upload-20180108T073000-9f86d081.csv"])
    rows: int
    stores: list[str]
    first_day: date | None
    last_day: date | None
    uploaded_at: datetime
    user: str


@ROUTER.post("/uploads", status_code=HTTPStatus.CREATED, openapi_extra=_BODY, responses=_DOCS)
async def upload_sales(request: Request, principal: Planner, region: Region = None) -> UploadRow:
    """Bring a file of sales as the source's own are written: its body, text/csv. Judged row by row; a file with a row
    that cannot be read is refused whole, with its first lines named. The next ingestion takes it in."""
    service = service_of(request)
    view = open_view(service, principal, region)
    form = _form(service, view)
    _require_own_key(service, view)
    waiting = Path(service.settings.folder) / "uploads"
    waiting.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=waiting, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            async for block in request.stream():
                file.write(block)
        return await wait_for(request, partial(_take, service, request, view, form, Path(name)))
    finally:
        Path(name).unlink(missing_ok=True)


@ROUTER.get("/uploads")
def list_uploads(
    request: Request, principal: Planner, region: Region = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[UploadRow]:  # fmt: skip
    """The files that were brought, the newest first: those whose stores are all yours."""
    service = service_of(request)
    view = open_view(service, principal, region)
    query = select(UPLOADS).where(UPLOADS.c.region == view.region).order_by(UPLOADS.c.id.desc())
    with service.database.read() as connection:
        # What a list in a column holds each database asks in words of its own: rows are read until enough are found.
        rows = (_as_row(dict(row)) for row in connection.execute(query.execution_options(yield_per=limit)).mappings())
        own = (row for row in rows if view.stores is None or view.stores.issuperset(row.stores))
        return list(islice(own, limit))


def _form(service: Service, view: View) -> Form:
    config = service.configs.get(view.region)
    try:
        if config is None:
            raise NoUploadsError(f"region {view.region}: served without its configuration; wanted it named")
        return form_of(config)
    except NoUploadsError as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from None


def _require_own_key(service: Service, view: View) -> None:
    """Refuse who reaches single stores where rows of one store's file would take the place of another's."""
    key = service.configs[view.region].cleaning.key_of("sales")
    if view.stores is not None and key and "store_id" not in key:
        found = f"cleaning.keys.sales tells no stores apart ({', '.join(key)})"
        detail = f"region {view.region}: {found}; wanted store_id in it, or one who reaches all of the region"
        raise refused("store", HTTPStatus.FORBIDDEN, detail)


def _take(service: Service, request: Request, view: View, form: Form, path: Path) -> UploadRow:
    """Judge the file, lay it out, and keep that somebody brought it: all of it or nothing."""
    judged = judge(path, form)
    if judged.problems:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"file: {'; '.join(judged.problems)}")
    others = sorted(store for store in judged.stores if not view.principal.reaches(view.region, store))
    if others:
        detail = f"file: sales of store {', '.join(others)[:200]}: not yours"
        raise refused("store", HTTPStatus.FORBIDDEN, detail)
    digest = digest_of(path)
    row = _row(view, judged, digest)
    try:
        with service.database.begin() as connection:
            row_id = connection.execute(insert(UPLOADS).values(row).returning(UPLOADS.c.id)).scalar_one()
            # Whoever brings the same at once is refused before the file lies there twice.
            name = lay(path, form, digest)
            connection.execute(UPLOADS.update().where(UPLOADS.c.id == row_id).values(file=name))
            told = {"rows": judged.rows, "stores": sorted(judged.stores)}
            user = view.principal.name
            record(connection, origin_of(request), user, "uploaded", name, region=view.region, detail=told)
    except IntegrityError:
        raise Problem(HTTPStatus.CONFLICT, f"file: brought before ({digest[:8]}); wanted another") from None
    return _as_row({**row, "id": row_id, "file": name})


def _row(view: View, judged: Judged, digest: str) -> dict[str, Any]:
    days = {"first_day": judged.first_day, "last_day": judged.last_day}
    told = {"region": view.region, "file": "", "digest": digest, "rows": judged.rows, "user": view.principal.name}
    return {**told, **days, "stores": json.dumps(sorted(judged.stores)), "uploaded_at": now()}


def _as_row(row: dict[str, Any]) -> UploadRow:
    return UploadRow.model_validate({**row, "stores": json.loads(row["stores"])})
