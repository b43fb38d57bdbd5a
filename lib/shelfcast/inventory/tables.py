"""The tables of a plan in the lake, in the order in which they are written.

All but the decisions are kept by date, that of the plan: what was known when the orders were suggested stays.
"""

from shelfcast.table import Table

_BY_DATE = ("region", "forecast_date")
ALL_STORES = "(all)"

LEAD_TIMES = Table(
    "inventory/lead_times",
    # Days from order to receipt, rising, and with what chance it is so many or fewer. store_id (all): the vendor as a
    # whole, for stores that have not ordered there. orders: of the store; vendor_orders: of all.
    "region string, forecast_date date, vendor_id string, store_id string, orders bigint, vendor_orders bigint, "
    "days array<int>, chances array<double>, mean double",
    key=("region", "forecast_date", "vendor_id", "store_id"),
    checks={"days_have_chances": "size(days) = size(chances) and size(days) > 0"},
    partitions=_BY_DATE,
)
COSTS = Table(
    "inventory/costs",
    # purchase_price and freight: money a unit; price: at the shelf. pack: units that come together.
    "region string, forecast_date date, product_id string, vendor_id string, purchase_price double, freight double, "
    "price double, pack double",
    key=("region", "forecast_date", "product_id"),
    checks={"pack_is_positive": "pack >= 1", "freight_is_not_negative": "ifnull(freight >= 0, true)"},
    partitions=_BY_DATE,
)
ON_HAND = Table(
    "inventory/on_hand",
    # At the closing of forecast_date: what was counted + received - sold since. balance: that sum, below 0 where the
    # books have lost something; on_hand is never below 0.
    "region string, forecast_date date, store_id string, product_id string, counted_on date, counted double, "
    "received double, sold double, balance double, on_hand double",
    key=("region", "forecast_date", "store_id", "product_id"),
    checks={"on_hand_is_not_negative": "on_hand >= 0"},
    partitions=_BY_DATE,
)
