"""What if: a forecast and an order line under other circumstances, beside the published ones."""

from collections.abc import Mapping
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shelfcast.api.access.guard import Viewer
from shelfcast.api.access.principal import Principal
from shelfcast.api.answers import JSON
from shelfcast.api.index.parts import FORECAST_WEEKS
from shelfcast.api.problems import Problem
from shelfcast.api.routes.forecasts import rows_of_weeks
from shelfcast.api.rows.series import ForecastWeek
from shelfcast.api.service import service_of
from shelfcast.api.view import View, open_view
from shelfcast.api.whatif.order_line import Terms, bounded, is_fill_rate, order_line
from shelfcast.api.whatif.planned import Planned, planned_of
from shelfcast.api.whatif.scorer import NoScorerError, scorer_of
from shelfcast.api.whatif.series import Published, panel_of, published, supposing
from shelfcast.config import Config
from shelfcast.panel import FloatArray, Panel

ROUTER = APIRouter(prefix="/v1", tags=["what if"])
_DOCS: dict[int | str, dict[str, Any]] = {
    404: {"description": "no forecast of it"},
    409: {"description": "no champion that can be asked here"},
}
_PRICE_RATIOS = (0.2, 5.0)
_QUANTILES = [FORECAST_WEEKS.index(name) for name in ("p10", "p50", "p90", "p98")]
_MEAN = FORECAST_WEEKS.index("mean")


def _is_monday(day: date) -> date:
    if day.weekday():
        raise ValueError("a Monday")
    return day


Monday = Annotated[date, AfterValidator(_is_monday), Field(examples=["2018-01-08"])]
Units = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class SoldInstead(BaseModel):
    model_config = ConfigDict(extra="forbid")
    week: Monday
    quantity: Units


class Supposed(BaseModel):
    """What is supposed; what is not given stays as it is known."""

    model_config = ConfigDict(extra="forbid")
    region: str | None = Field(None, max_length=64, description="wanted where you reach several")
    store_id: str = Field(max_length=128, examples=["7"])
    product_id: str = Field(max_length=128, examples=["1082185"])
    price: float | None = Field(None, gt=0, le=1e6, allow_inf_nan=False, description="at the shelf, in all weeks ahead")
    promoted: list[Monday] | None = Field(
        None, max_length=104, description="weeks ahead with a promotion; others have none"
    )
    history: list[SoldInstead] = Field([], max_length=208, description="sales of past weeks in place of those known")
    on_hand: Units | None = None
    on_order: Units | None = None
    lead_days: int | None = Field(None, ge=0, le=365, description="from order to receipt, always so many")
    service_level: float | None = Field(None, gt=0, lt=1, description="the share that the target is set to")


_NOTHING = Supposed.model_validate({"store_id": "", "product_id": ""})


class PriceEffect(BaseModel):
    """How the price acts: demand x (asked / current) ^ elasticity."""

    current: float
    asked: float
    elasticity: float = Field(description="of the category, measured within series")
    error: float = Field(description="its standard error")


class OrderLine(BaseModel):
    """Target levels and the order of today, for this series alone. null: without a count of stock."""

    reorder_point: float
    order_up_to: float
    safety_stock: float
    order: float | None = Field(description="units to order today: 0 where the vendor takes none today")
    stock_out: float | None = Field(description="chance of a shortage before that order comes")


class Outlook(BaseModel):
    weeks: list[ForecastWeek]
    order: OrderLine | None = Field(description="null where there is no plan of the series")


class Prediction(BaseModel):
    """The published outlook, and the one under what is supposed."""

    region: str
    store_id: str
    product_id: str
    model: str = Field(description="the champion that was asked", examples=["hist_gradient_boosting"])
    price: PriceEffect | None
    current: Outlook
    supposed: Outlook


@ROUTER.post("/predict", response_model=Prediction, responses=_DOCS)
def predict(request: Request, principal: Viewer, asked: Supposed) -> Response:
    """Ask the champion what it would say.

    Means are the published ones times the ratio of what the champion says under what is supposed to what it says
    without; quantiles keep their ratio to the mean, by which they are calibrated. The models know no price: its effect
    is that of the category, measured.
    """
    return Response(prediction(request, principal, asked).model_dump_json(), media_type=JSON)


def prediction(request: Request, principal: Principal, asked: Supposed) -> Prediction:
    """Raises Problem 403, 404, 409 or 422 where it cannot be said."""
    service = service_of(request)
    view = open_view(service, principal, asked.region)
    view.require_store(asked.store_id)
    series = published(view.index, asked.store_id, asked.product_id)
    if series is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"product {asked.product_id} in store {asked.store_id}: no forecast of it")
    config = service.configs.get(view.region)
    if config is None:
        raise Problem(HTTPStatus.CONFLICT, f"region {view.region}: served without its configuration; wanted it named")
    effect = _price_effect(view, series, asked.price)
    weeks, model = _weeks_under(view, series, asked, config)
    weeks = _scaled(weeks, 1.0 if effect is None else (effect.asked / effect.current) ** effect.elasticity)
    planned = planned_of(view.index, series)
    return Prediction(
        region=view.region, store_id=series.store_id, product_id=series.product_id, model=model, price=effect,
        current=_outlook(planned, series.weeks, _NOTHING),
        supposed=_outlook(planned, weeks, asked),
    )  # fmt: skip


def _weeks_under(view: View, series: Published, asked: Supposed, config: Config) -> tuple[FloatArray, str]:
    try:
        scorer = scorer_of(view.index, config.country)
    except NoScorerError as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from None
    if not asked.history and asked.promoted is None:
        return series.weeks, scorer.name
    panel = panel_of(view.index, series, config.backtest.season)
    other = supposing(panel, *_changes(panel, series, asked))
    horizon = len(series.weeks)
    said, without = scorer.predict([other, panel], horizon)
    ratio = np.divide(said, without, out=np.ones(horizon), where=without > 0)
    mean = np.where(without > 0, series.mean * ratio, series.mean + said)
    return _with_mean(series.weeks, np.maximum(mean, 0.0)), scorer.name


def _changes(panel: Panel, series: Published, asked: Supposed) -> tuple[Mapping[date, float], Mapping[date, float]]:
    """Raises Problem 422 for a week that is neither known nor ahead."""
    first, ahead = (
        panel.periods[0].astype(object),
        [series.first_week + timedelta(weeks=n) for n in range(len(series.weeks))],
    )
    history = {entry.week: entry.quantity for entry in asked.history}
    for week in history:
        if not first <= week < series.first_week:
            wanted = f"{first} to {series.first_week - timedelta(weeks=1)}"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"body.history: found week {week}; wanted {wanted}")
    for week in asked.promoted or []:
        if week not in ahead:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"body.promoted: found week {week}; wanted one ahead")
    promoted = {} if asked.promoted is None else {week: float(week in asked.promoted) for week in ahead}
    return history, promoted


def _price_effect(view: View, series: Published, price: float | None) -> PriceEffect | None:
    if price is None:
        return None
    query = "select elasticity, error from elasticities where category_id in (?, '(all)') order by category_id = ? desc"
    found = view.index.rows(query, (series.category_id, series.category_id))
    if series.price is None or not found:
        detail = f"body.price: what prices do to {series.product_id} is not known; wanted weeks with different prices"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    least, most = (ratio * series.price for ratio in _PRICE_RATIOS)
    if not least <= price <= most:
        detail = f"body.price: found {price}; wanted {least:.2f} to {most:.2f}, for nothing is known beyond"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    return PriceEffect(current=series.price, asked=price, **found[0])


def _scaled(weeks: FloatArray, factor: float) -> FloatArray:
    return _with_mean(weeks, weeks[:, _MEAN] * factor)


def _with_mean(weeks: FloatArray, mean: FloatArray) -> FloatArray:
    """The weeks with other means; quantiles, which are calibrated as multiples of the mean, go with them."""
    changed, before = weeks.copy(), weeks[:, _MEAN]
    ratio = np.divide(mean, before, out=np.full(len(mean), np.nan), where=before > 0)
    changed[:, _MEAN] = mean
    changed[:, _QUANTILES] *= np.where(mean == before, 1.0, ratio)[:, None]
    return changed


def _outlook(planned: Planned | None, weeks: FloatArray, asked: Supposed) -> Outlook:
    told = [ForecastWeek(**week) for week in rows_of_weeks(weeks, FORECAST_WEEKS)]
    return Outlook(weeks=told, order=None if planned is None else _order(planned, weeks, asked))


def _order(planned: Planned, weeks: FloatArray, asked: Supposed) -> OrderLine:
    terms = _terms(planned, asked)
    line = order_line(weeks[:, _MEAN], bounded(planned.policy["dispersion"]), planned.first_day, terms)
    is_counted = not np.isnan(terms.position)
    return OrderLine(
        reorder_point=line.reorder_point, order_up_to=line.order_up_to, safety_stock=line.safety_stock,
        order=line.order if is_counted else None, stock_out=line.stock_out if is_counted else None,
    )  # fmt: skip


def _terms(planned: Planned, asked: Supposed) -> Terms:
    policy = planned.policy
    on_hand, on_order = (
        policy[name] if given is None else given
        for name, given in (("on_hand", asked.on_hand), ("on_order", asked.on_order))
    )
    position = np.nan if on_hand is None else on_hand + (on_order or 0.0) - (policy["promised"] or 0.0)
    days, chances = (planned.days, planned.chances) if asked.lead_days is None else ((asked.lead_days,), (1.0,))
    return Terms(
        position=float(position), days=days, chances=chances, review=int(policy["review_days"] or 7),
        target=asked.service_level or float(policy["target"]), is_fill=is_fill_rate(policy["target_kind"]),
        pack=policy["pack"] or 1.0, minimum=policy["minimum"] or 0.0, order_quantity=policy["order_quantity"],
        may_order=bool(policy["may_order"]),
    )  # fmt: skip
