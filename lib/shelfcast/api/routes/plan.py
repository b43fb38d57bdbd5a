"""The plan: target levels, stock and risks."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from shelfcast.api.answers import Paged, answer_page, page_docs
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
    conditions = [*of_pair(view, store_id, product_id), Condition.equal("vendor_id", vendor_id)]
    return answer_page(request, view, PolicyRow, "select * from policies", PAIR, conditions, paging)


@ROUTER.get("/stock", responses=page_docs(StockRow))
def list_stock(
    request: Request, view: Seen, paging: Paged, store_id: Named = None, product_id: Named = None
) -> Response:
    """What is on hand: counted, received and sold since."""
    return answer_page(
        request, view, StockRow, "select * from on_hand", PAIR, of_pair(view, store_id, product_id), paging
    )


@ROUTER.get("/risks", responses=page_docs(RiskRow))
def list_risks(
    request: Request, view: Seen, paging: Paged, store_id: Named = None, product_id: Named = None,
    risk: Literal["stock_out", "overstock"] | None = None,
) -> Response:  # fmt: skip
    """What is likely to run out, and of what there is too much."""
    conditions = [*of_pair(view, store_id, product_id), Condition.equal("risk", risk)]
    return answer_page(request, view, RiskRow, "select * from risks", (*PAIR, "risk"), conditions, paging)


def of_pair(view: View, store_id: str | None, product_id: str | None) -> list[Condition | None]:
    """That a row is of the store and the product that are asked for, and of the user's own stores."""
    view.require_store(store_id)
    pair = [Condition.equal("store_id", store_id), Condition.equal("product_id", product_id)]
    return [*pair, view.own("store_id")]
