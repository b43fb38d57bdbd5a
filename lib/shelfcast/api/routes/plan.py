"""The plan: target levels, stock and risks."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from shelfcast.api.answers import Paged, answer_page, page_docs
from shelfcast.api.listing import Listing
from shelfcast.api.rows.plan import PolicyRow, RiskRow, StockRow
from shelfcast.api.view import Condition, Seen, View

ROUTER = APIRouter(prefix="/v1", tags=["plan"])
Named = Annotated[str | None, Query(max_length=128)]
PAIR = ("store_id", "product_id")


@ROUTER.get("/policies", responses=page_docs(PolicyRow))
def list_policies(
    request: Request, view: Seen, paging: Paged, store_id: Named = None, product_id: Named = None,
    vendor_id: Named = None,
) -> Response:  # fmt: skip
    """Target levels of each product in each store. Without a count of stock there are these alone."""
    return answer_page(request, view, policies(view, store_id, product_id, vendor_id), paging)


@ROUTER.get("/stock", responses=page_docs(StockRow))
def list_stock(
    request: Request, view: Seen, paging: Paged, store_id: Named = None, product_id: Named = None
) -> Response:
    """What is on hand: counted, received and sold since."""
    return answer_page(request, view, stock(view, store_id, product_id), paging)


@ROUTER.get("/risks", responses=page_docs(RiskRow))
def list_risks(
    request: Request, view: Seen, paging: Paged, store_id: Named = None, product_id: Named = None,
    risk: Literal["stock_out", "overstock"] | None = None,
) -> Response:  # fmt: skip
    """What is likely to run out, and of what there is too much."""
    return answer_page(request, view, risks(view, store_id, product_id, risk), paging)


def policies(
    view: View, store_id: str | None = None, product_id: str | None = None, vendor_id: str | None = None
) -> Listing[PolicyRow]:
    conditions = [*of_pair(view, store_id, product_id), Condition.equal("vendor_id", vendor_id)]
    return Listing(PolicyRow, "select * from policies", PAIR, conditions)


def stock(view: View, store_id: str | None = None, product_id: str | None = None) -> Listing[StockRow]:
    return Listing(StockRow, "select * from on_hand", PAIR, of_pair(view, store_id, product_id))


def risks(
    view: View, store_id: str | None = None, product_id: str | None = None, risk: str | None = None
) -> Listing[RiskRow]:
    conditions = [*of_pair(view, store_id, product_id), Condition.equal("risk", risk)]
    return Listing(RiskRow, "select * from risks", (*PAIR, "risk"), conditions)


def of_pair(view: View, store_id: str | None, product_id: str | None) -> list[Condition | None]:
    """That a row is of the store and the product that are asked for, and of the user's own stores."""
    view.require_store(store_id)
    pair = [Condition.equal("store_id", store_id), Condition.equal("product_id", product_id)]
    return [*pair, view.own("store_id")]
