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
OPEN_ORDERS = Table(
    "inventory/open_orders",
    # On order and not received, and approved and not yet bought. reference: of a purchase its number, else order_id.
    "region string, forecast_date date, store_id string, product_id string, source string, reference string, "
    "since date, quantity double",
    key=("region", "forecast_date", "store_id", "product_id", "source", "reference"),
    checks={"source_is_known": "source in ('purchase', 'decision')", "something_is_due": "quantity > 0"},
    partitions=_BY_DATE,
)
OPEN_TRANSFERS = Table(
    "inventory/open_transfers",
    # Approved and in no count yet. given, taken: whether the count of the one store, and of the other, is too old to
    # know of it.
    "region string, forecast_date date, product_id string, from_store string, to_store string, reference string, "
    "since date, quantity double, given boolean, taken boolean",
    key=("region", "forecast_date", "reference"),
    checks={"something_moves": "quantity > 0"},
    partitions=_BY_DATE,
)
ORDER_DECISIONS = Table(
    "inventory/order_decisions",
    # A row per order or transfer and day of decision. from_store: the store that gives, of transfers alone. quantity:
    # units approved, amended to, or refused. problem: why the row counts for nothing, else null.
    "region string, order_id string, store_id string, vendor_id string, product_id string, from_store string, "
    "need_by date, decision string, quantity double, decided_on date, problem string",
    key=("region", "order_id", "decided_on"),
    checks={"problems_are_named": "problem is not null or decision in ('approved', 'amended', 'rejected')"},
)
POLICIES = Table(
    "inventory/policies",
    # A row a series, target levels in units for orders of the day. lead_days: mean; order_quantity: economic, in packs.
    # daily_mean: over the days that an order of today protects. Without a stock table on_hand, on_order and all after
    # them are null. shortfall: units expected to be missing until an order of the next review comes; stock_out: the
    # chance that something is missing until one of today comes; stock_out_after: until one of the next review does,
    # where S is ordered up to today. missing_share: the units expected to be missing until one of today comes, as a
    # share of what sells from one order to the next, as a fill rate counts them. surplus: units beyond what is needed,
    # and not promised to another store.
    "region string, forecast_date date, bucket int, store_id string, product_id string, category_id string, "
    "vendor_id string, forecast_age int, class string, target_kind string, target double, lead_days double, "
    "review_days int, may_order boolean, pack double, minimum double, unit_cost double, price double, "
    "daily_mean double, dispersion double, safety_stock double, normal_safety_stock double, reorder_point double, "
    "order_up_to double, order_quantity double, on_hand double, on_order double, promised double, position double, "
    "need double, stock_out double, shortfall double, days_of_supply double, surplus double, need_by date, "
    "stock_out_after double, missing_share double",
    key=("region", "forecast_date", "store_id", "product_id"),
    checks={"levels_are_in_order": "reorder_point >= 0 and order_up_to >= reorder_point"},
    partitions=_BY_DATE,
    sought_by=("store_id",),
)
ORDERS = Table(
    "inventory/orders",
    # status: suggested, or what holds it back: rejected (as before, and not grown), over_limit, below_minimum (of the
    # vendor). is_due: whether the position is down to the reorder point; else the order fills up a vendor's minimum.
    # expected_on: after the mean lead time. stock_out: the chance of a shortage before it can come; stock_out_after: of
    # one before the next can, with it. cost: with freight.
    "region string, forecast_date date, order_id string, store_id string, vendor_id string, product_id string, "
    "need_by date, expected_on date, is_due boolean, quantity double, status string, cost double, stock_out double, "
    "stock_out_after double, days_of_supply double",
    key=("region", "forecast_date", "order_id"),
    checks={
        "status_is_known": "status in ('suggested', 'rejected', 'over_limit', 'below_minimum')",
        "something": "quantity > 0",
    },
    partitions=_BY_DATE,
)
TRANSFERS = Table(
    "inventory/transfers",
    # order_id: as of an order, to decide on it by. status: suggested, or rejected (as before, and not grown).
    "region string, forecast_date date, order_id string, product_id string, from_store string, to_store string, "
    "need_by date, quantity double, status string",
    key=("region", "forecast_date", "product_id", "from_store", "to_store"),
    checks={"something_moves": "quantity > 0 and from_store != to_store"},
    partitions=_BY_DATE,
)
RISKS = Table(
    "inventory/risks",
    # risk: stock_out (before an order of today comes: likelier than a cycle service level allows, or with more missing
    # than a fill rate does) or overstock. probability: of a shortage. units: expected to be missing, or too many;
    # value: at the shelf price, or at cost.
    "region string, forecast_date date, store_id string, product_id string, risk string, probability double, "
    "units double, value double, days_of_supply double",
    key=("region", "forecast_date", "store_id", "product_id", "risk"),
    checks={"risk_is_known": "risk in ('stock_out', 'overstock')"},
    partitions=_BY_DATE,
)
REPLAYS = Table(
    "inventory/replays",
    # What each rule makes of the held-out demand, swept by its parameter, under each seed's lead times; class (all): of
    # all series. fill_rate, short_days (share of days), stock (units on average, per series), turnover (a year);
    # holding, ordering, lost_margin and cost, their sum: money.
    "region string, forecast_date date, rule string, parameter double, seed int, class string, series double, "
    "fill_rate double, short_days double, stock double, stock_value double, turnover double, holding double, "
    "ordering double, lost_margin double, cost double",
    key=("region", "forecast_date", "rule", "parameter", "seed", "class"),
    partitions=_BY_DATE,
)
REPLAY_GAINS = Table(
    "inventory/replay_gains",
    # What the probabilistic rule saves beside another, as a share, at equal `given`, interpolated on both curves and
    # summed over what they have in common: mean over seeds with its 95 % interval.
    "region string, forecast_date date, other string, given string, saved string, mean double, lower double, "
    "upper double, seeds int",
    key=("region", "forecast_date", "other", "given", "saved"),
    partitions=_BY_DATE,
)
LEAD_TIME_CALIBRATION = Table(
    "inventory/lead_time_calibration",
    # Demand over a drawn lead time and a review period from each replayed week on, beside what the plan's simulation
    # said before it: the shares of `rows` (series and weeks) that stayed at or below its quantile `level`, and below.
    # For counts a true quantile lies between the two. class (all): of all series.
    "region string, forecast_date date, class string, level double, rows bigint, observed double, below double",
    key=("region", "forecast_date", "class", "level"),
    partitions=_BY_DATE,
)
