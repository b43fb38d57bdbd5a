"""What one user sees of one region: every query of a route goes through it, and none forgets whose stores they are."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from shelfcast.api.access.guard import Viewer, refused
from shelfcast.api.access.principal import Principal
from shelfcast.api.index.reading import Index, Row
from shelfcast.api.problems import Problem
from shelfcast.api.service import Service, service_of

Region = Annotated[
    str | None, Query(description="wanted where you reach several regions", examples=["north"], max_length=64)
]


@dataclass(frozen=True)
class Condition:
    """A part of a query's `where`, and its values."""

    text: str
    values: tuple[Any, ...] = ()

    @staticmethod
    def equal(column: str, value: Any) -> "Condition | None":
        """Nothing where no value is asked for."""
        return None if value is None else Condition(f'"{column}" = ?', (value,))


@dataclass(frozen=True)
class View:
    """stores: those of the region that the user reaches; None stands for all."""

    index: Index
    principal: Principal
    stores: frozenset[str] | None

    @property
    def region(self) -> str:
        return str(self.index.origin["region"])

    @property
    def is_planned(self) -> bool:
        """Whether a plan is published with the forecast: without one no orders, stock and risks are known."""
        return bool(self.index.rows("select 1 from policies limit 1"))

    def require_store(self, store: str | None) -> None:
        """Raises Problem 403 where the store is named and not the user's."""
        if store is not None and self.stores is not None and store not in self.stores:
            raise refused("store", HTTPStatus.FORBIDDEN, f"store {store} of region {self.region}: not yours")

    def require_region(self) -> None:
        """Raises Problem 403 where the user does not reach all of the region."""
        if self.stores is not None:
            raise refused("store", HTTPStatus.FORBIDDEN, f"region {self.region} as a whole: not yours; wanted a store")

    def own(self, *columns: str) -> Condition | None:
        """That a row is of the user's stores, by any of the columns that name one."""
        if self.stores is None:
            return None
        marks = ", ".join("?" * len(self.stores))
        text = " or ".join(f'"{column}" in ({marks})' for column in columns)
        return Condition(f"({text})", tuple(sorted(self.stores)) * len(columns))

    def select(self, query: str, conditions: Sequence[Condition | None], rest: str = "", *values: Any) -> list[Row]:
        """The rows of `query` (select ... from ...) that meet all conditions, with what stands after them."""
        kept = [condition for condition in conditions if condition is not None]
        where = f" where {' and '.join(condition.text for condition in kept)}" if kept else ""
        bound = [value for condition in kept for value in condition.values]
        return self.index.rows(f"{query}{where} {rest}", [*bound, *values])

    def etag(self, request: Request, *further: Any) -> str:
        """What changes where the answer does: the index, the question, whose it is, and what else it depends on."""
        asked = (request.url.path, request.url.query, request.headers.get("accept", ""))
        told = repr((self.index.name, asked, sorted(self.stores or ()), self.stores is None, further))
        return f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'


async def view_of(request: Request, principal: Viewer, region: Region = None) -> View:
    return open_view(service_of(request), principal, region)


Seen = Annotated[View, Depends(view_of)]


def open_view(service: Service, principal: Principal, region: str | None) -> View:
    """The user's view of the region, or of the only one that it reaches.

    Raises Problem 503 where nothing is published yet, 403 where the region is not the user's, 422 where it is not said
    which of several is meant.
    """
    if region is None:
        region = _only(service, principal)
    if not principal.reaches(region):
        raise refused("region", HTTPStatus.FORBIDDEN, f"region {region[:64]}: not yours")
    index = service.indexes.find(region)
    if index is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"region {region[:64]}: nothing is published of it")
    return View(index, principal, principal.stores(region))


def views(service: Service, principal: Principal) -> list[View]:
    """The user's views of all its regions."""
    return [open_view(service, principal, region) for region in service.indexes.regions if principal.reaches(region)]


def _only(service: Service, principal: Principal) -> str:
    own = [region for region in service.indexes.regions if principal.reaches(region)]
    if not service.indexes.regions:
        detail = service.refresh.problem or "nothing is published yet; wanted a run of the pipeline"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"retry-after": "10"})
    if not own:
        raise refused("region", HTTPStatus.FORBIDDEN, "you reach no region of which something is published")
    if len(own) > 1:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"query.region: missing; wanted one of {', '.join(own)}")
    return own[0]
