"""What if: another price, promotion, stock, lead time or service level, beside what is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ValidationError

from shelfcast.api.problems import Problem
from shelfcast.api.routes.forecasts import Asked, history
from shelfcast.api.routes.plan import policies
from shelfcast.api.routes.predict import Prediction, Supposed, prediction
from shelfcast.api.whatif.series import Published, promotions_ahead, published
from shelfcast.settings.problems import wanted
from shelfcast.web.charts.description import Chart
from shelfcast.web.charts.outlook import Outlook, outlook_chart, summed
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.products import named_products
from shelfcast.web.routing import page_router
from shelfcast.web.visit import Visit

ROUTER = page_router()
# A field that is left empty is none.
Number = Annotated[float | None, BeforeValidator(lambda value: None if value == "" else value)]


class Fields(BaseModel):
    """What the form holds; service is in percent. asked: whether it was filled in, so that no week that is ticked means
    no promotion."""

    store_id: str = ""
    product_id: str = ""
    region: str = ""
    price: Number = None
    promoted: list[date] = []
    on_hand: Number = None
    on_order: Number = None
    lead_days: Number = None
    service: Number = None
    asked: bool = False


@dataclass(frozen=True)
class _Known:
    """A series of which a forecast is published, and which weeks of it have a promotion planned."""

    series: Published
    planned: Sequence[date]

    @property
    def weeks(self) -> list[date]:
        return [date.fromordinal(self.series.first_week.toordinal() + 7 * n) for n in range(len(self.series.weeks))]


@ROUTER.get("/what-if")
def show_what_if(visit: ViewerVisit, fields: Annotated[Fields, Query()]) -> Response:
    if not (fields.store_id and fields.product_id):
        return visit.show("what_if.html", fields=fields, known=None, answer=None, problem="")
    known = _known(visit, fields)
    context = {"fields": fields, "known": known, **_current(visit, fields)}
    try:
        answer = prediction(visit.request, visit.principal, _supposed(visit, fields, known))
    except (Problem, ValidationError) as error:
        status = error.status if isinstance(error, Problem) else HTTPStatus.UNPROCESSABLE_ENTITY
        return visit.show("what_if.html", status, answer=None, problem=_told(error), **context)
    return visit.show("what_if.html", answer=answer, chart=_chart(visit, answer), problem="", **context)


def _known(visit: Visit, fields: Fields) -> _Known:
    view = visit.view
    view.require_store(fields.store_id)
    series = published(view.index, fields.store_id, fields.product_id)
    if series is None:
        told = f"product {fields.product_id[:64]} in store {fields.store_id[:64]}: no forecast of it"
        raise Problem(HTTPStatus.NOT_FOUND, told)
    return _Known(series, promotions_ahead(view.index, series))


def _current(visit: Visit, fields: Fields) -> dict[str, Any]:
    """What the fields stand for where they are left empty."""
    policy = next(iter(policies(visit.view, fields.store_id, fields.product_id).page(visit.view)[0]), None)
    name = named_products(visit.view, [fields.product_id])[fields.product_id]
    return {"policy": policy, "name": name}


def _supposed(visit: Visit, fields: Fields, known: _Known) -> Supposed:
    ticked = sorted(fields.promoted)
    told: dict[str, Any] = {
        "region": visit.view.region,
        "store_id": fields.store_id,
        "product_id": fields.product_id,
        "price": fields.price,
        "promoted": ticked if fields.asked and ticked != list(known.planned) else None,
        "on_hand": fields.on_hand,
        "on_order": fields.on_order,
        "lead_days": fields.lead_days,
        "service_level": None if fields.service is None else fields.service / 100,
    }
    return Supposed.model_validate(told)


def _told(error: Problem | ValidationError) -> str:
    if isinstance(error, Problem):
        return error.detail.removeprefix("body.")
    names = {"service_level": "service level, as a share"}
    return "; ".join(
        f"{names.get(str(part['loc'][0]), str(part['loc'][0]))}: found {part['input']}, wanted: {wanted(part)}"
        for part in error.errors()
    )


def _chart(visit: Visit, answer: Prediction) -> Chart:
    asked = Asked(store_id=answer.store_id, product_id=answer.product_id)
    sold = summed(history(visit.view, "product", asked).page(visit.view)[0])
    is_other = answer.supposed.weeks != answer.current.weeks
    outlook = Outlook(sold, answer.current.weeks, answer.supposed.weeks if is_other else ())
    return outlook_chart(f"Product {answer.product_id} in store {answer.store_id}", outlook, visit.say)
