"""Answers: rows as JSON, CSV or Arrow, in pages, and not at all where the client has them."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args
from urllib.parse import urlencode

import pyarrow as pa
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from shelfcast.api.listing import MOST_ROWS, Listing
from shelfcast.api.view import View

CSV, ARROW, JSON = "text/csv", "application/vnd.apache.arrow.stream", "application/json"
_FORMATS = {"json": JSON, "csv": CSV, "arrow": ARROW}
# What a spreadsheet would take for a formula, and run.
_FORMULAE = ("=", "+", "-", "@", "\t", "\r")
_ARROW = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_(), date: pa.date32(),
          datetime: pa.timestamp("us", "UTC")}  # fmt: skip
M = TypeVar("M", bound=BaseModel)


class Page(BaseModel, Generic[M]):
    """Some rows of many, in a fixed order."""

    region: str = Field(examples=["north"])
    forecast_date: date = Field(description="the day as which all of this was known")
    items: list[M]
    next: str | None = Field(description="the `cursor` of the next page; null on the last one")


@dataclass(frozen=True)
class Paging:
    """How much, from where on, and written how."""

    limit: int
    cursor: str | None
    format: Literal["json", "csv", "arrow"] | None


async def paging(
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="rows, or series, of a page")] = 100,
    cursor: Annotated[str | None, Query(max_length=2000, description="`next` of the page before")] = None,
    format: Annotated[
        Literal["json", "csv", "arrow"] | None, Query(description="else what the header Accept asks for")
    ] = None,
) -> Paging:
    return Paging(limit, cursor, format)


Paged = Annotated[Paging, Depends(paging)]


def page_docs(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI tells of a page of such rows."""
    content = {CSV: {"schema": {"type": "string"}}, ARROW: {"schema": {"type": "string", "format": "binary"}}}
    not_modified = {"description": "as the header If-None-Match has it"}
    return {200: {"model": Page[model], "content": content}, 304: not_modified}  # type: ignore[valid-type]


def answer_page(request: Request, view: View, listing: Listing[M], paging: Paging) -> Response:
    """A page of the listing; nothing where the client has it already."""
    etag = view.etag(request, listing.state)
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_headers(etag))
    items, following = listing.page(view, paging.limit, paging.cursor)
    return _written(request, view, listing, items, following, paging, _headers(etag))


def answer_one(request: Request, view: View, make: Callable[[], BaseModel], state: Any = None) -> Response:
    """What `make` returns; it is not asked where the client has that already. state: what it depends on beside the
    index, as it was before."""
    etag = view.etag(request, state)
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_headers(etag))
    return Response(make().model_dump_json(), media_type=JSON, headers=_headers(etag))


def _headers(etag: str) -> dict[str, str]:
    return {"etag": etag, "cache-control": "private, no-cache", "vary": "Accept, Authorization, Cookie"}


def _written(
    request: Request,
    view: View,
    listing: Listing[M],
    items: Sequence[M],
    following: str | None,
    paging: Paging,
    headers: dict[str, str],
) -> Response:
    model, flatten = listing.model, listing.flatten
    media_type = _FORMATS[paging.format] if paging.format else _accepted(request)
    if following:
        query = urlencode({**dict(request.query_params), "cursor": following})
        headers["link"] = f'<?{query}>; rel="next"'
    if media_type == JSON:
        page = Page[model].model_construct(  # type: ignore[valid-type]
            region=view.region, forecast_date=view.index.origin["forecast_date"], items=items, next=following
        )
        return Response(page.model_dump_json(warnings=False), media_type=JSON, headers=headers)
    flat = [row for item in items for row in (flatten(item) if flatten else [item.model_dump()])]
    columns = _columns(model)
    body = _as_csv(flat, columns) if media_type == CSV else _as_arrow(flat, columns)
    return Response(body, media_type=media_type, headers=headers)


def _accepted(request: Request) -> str:
    """The first that we write of what the header Accept names; JSON where it names none of these."""
    named = [part.split(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
    return next((kind for kind in named if kind in _FORMATS.values()), JSON)


def _columns(model: type[BaseModel]) -> dict[str, Any]:
    """The columns of a model and their types; those of the list that it holds in place of the list."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = next((part for part in get_args(field.annotation) if _is_model(part)), None)
        if inner is not None and str(field.annotation).startswith("list["):
            found |= _columns(inner)
        else:
            found[name] = next(
                (kind for kind in (field.annotation, *get_args(field.annotation)) if kind in _ARROW), str
            )
    return found


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _as_csv(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_in_csv(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def _in_csv(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULAE):
        return f"'{value}"
    return json.dumps(value, default=str) if isinstance(value, dict | list) else value


def _as_arrow(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any]) -> bytes:
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
    texts = {name for name, kind in columns.items() if kind is str}
    values = [{name: _in_arrow(row.get(name), name in texts) for name in columns} for row in rows]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pa.Table.from_pylist(values, schema))
    return bytes(sink.getvalue())


def _in_arrow(value: Any, is_text: bool) -> Any:
    return json.dumps(value, default=str) if is_text and not isinstance(value, str | None) else value
