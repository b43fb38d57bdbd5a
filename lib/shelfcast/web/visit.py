"""A request for a page: who asks, of which region, and how that reader writes numbers."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from shelfcast.api.access.principal import Principal, Role
from shelfcast.api.orders import forecast_day
from shelfcast.api.rows.plan import OrderRow, TransferRow
from shelfcast.api.service import Service
from shelfcast.api.view import View, open_view
from shelfcast.web.localized import Localized
from shelfcast.web.rendering import base_of, localized, render

_PART_HEADER = "hx-request"


class MenuEntry(NamedTuple):
    """A page of the menu, for users in that role at least. whole: for who reaches all of the region."""

    title: str
    path: str
    role: Role
    whole: bool = False


MENU = (
    MenuEntry("Overview", "/", Role.VIEWER),
    MenuEntry("Orders", "/orders", Role.VIEWER),
    MenuEntry("Transfers", "/transfers", Role.VIEWER),
    MenuEntry("Stores", "/stores", Role.VIEWER),
    MenuEntry("Products", "/products", Role.VIEWER),
    MenuEntry("What if", "/what-if", Role.VIEWER),
    MenuEntry("Alerts", "/alerts", Role.VIEWER),
    MenuEntry("Models", "/models", Role.VIEWER),
    MenuEntry("Data quality", "/quality", Role.VIEWER, whole=True),
    MenuEntry("Settings", "/settings", Role.VIEWER, whole=True),
    MenuEntry("Audit", "/audit", Role.PLANNER),
    MenuEntry("Users", "/users", Role.ADMIN),
)


@dataclass(frozen=True)
class Visit:
    """asked: the region that the address names; else the first of those that the user reaches."""

    request: Request
    service: Service
    principal: Principal
    asked: str | None

    @cached_property
    def view(self) -> View:
        """What the user sees of the region. Raises Problem as `open_view` does."""
        return open_view(self.service, self.principal, self.region)

    @property
    def region(self) -> str | None:
        return self.asked or next(iter(self.regions), None)

    @property
    def regions(self) -> list[str]:
        """Those that are served and that the user reaches."""
        return [region for region in self.service.indexes.regions if self.principal.reaches(region)]

    @cached_property
    def say(self) -> Localized:
        """How the reader writes numbers and days, and the region its money."""
        currency = self.service.currency(self.region) if self.region else ""
        return replace(localized(self.request), currency=currency)

    @property
    def may_plan(self) -> bool:
        return self.principal.role >= Role.PLANNER

    @property
    def may_decide(self) -> bool:
        """Whether the user decides on the region's orders, and a job collects what is decided."""
        return self.may_plan and self.service.collects(self.view.region)

    @property
    def could_plan(self) -> bool:
        """Whether the region's source tells what a plan needs."""
        return self.service.may_plan(self.view.region)

    def decides_on(self, row: OrderRow | TransferRow) -> bool:
        """Whether the user's stores are all that an order or a transfer concerns."""
        stores = (row.from_store, row.to_store) if isinstance(row, TransferRow) else (row.store_id,)
        return self.may_decide and all(self.principal.reaches(self.view.region, store) for store in stores)

    def store_of(self, row: OrderRow | TransferRow) -> str:
        """The user's store that an order or a transfer concerns; of two the one that takes."""
        if isinstance(row, OrderRow):
            return row.store_id
        takes = self.principal.reaches(self.view.region, row.to_store)
        return row.to_store if takes else row.from_store

    @property
    def pages(self) -> list[tuple[str, str]]:
        """Titles and paths of what the user may look at."""
        own = [page for page in MENU if self.principal.role >= page.role]
        return [(page.title, page.path) for page in own if self.reaches_all or not page.whole]

    @property
    def reaches_all(self) -> bool:
        """Whether all stores of the region are the user's."""
        return self.region is not None and self.principal.stores(self.region) is None

    @property
    def path(self) -> str:
        return self.request.url.path.removeprefix(base_of(self.request))

    @property
    def today(self) -> date:
        """The day of the plan."""
        return forecast_day(self.view)

    @property
    def published_at(self) -> datetime:
        return datetime.fromisoformat(self.view.index.origin["published_at"])

    @property
    def reach(self) -> str:
        """Which regions and stores are the user's, in words."""
        names = sorted(map(str, self.principal.grants))
        return ", ".join("everything" if name == "*" else name for name in names) or "nothing"

    @property
    def csrf_field(self) -> Markup:
        """What each form of the session's has to send along."""
        return Markup('<input type="hidden" name="csrf" value="{}">').format(self.principal.csrf)

    @property
    def wants_part(self) -> bool:
        """Whether htmx asks for a part of the page, to put in its place."""
        return _PART_HEADER in self.request.headers

    def url(self, path: str, **query: Any) -> str:
        """The address of a page, in the same region."""
        kept = {"region": self.region, **query}
        told = urlencode({name: value for name, value in kept.items() if value is not None})
        return f"{base_of(self.request)}{path}{'?' if told else ''}{told}"

    def show(self, template: str, status: int = HTTPStatus.OK, **context: Any) -> HTMLResponse:
        return render(self.request, template, status, visit=self, url=self.url, say=self.say, **context)

    def back_to(self, path: str, fragment: str = "", **query: Any) -> Response:
        """On to another page, once a form has been taken."""
        return RedirectResponse(self.url(path, **query) + fragment, HTTPStatus.SEE_OTHER)
