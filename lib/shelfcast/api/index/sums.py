"""What a day adds up to, store by store: the day at a glance is told of these, however many products are planned.

Sums alone, which add up over stores; what is divided by what is said where it is asked for (`api/summary.py`).
"""

import sqlite3


def _lacks(other: str, table: str) -> str:
    """That a risk of `table` is none of `other`."""
    same = " and ".join(f"b.{name} = {table}.{name}" for name in ("store_id", "product_id", "risk"))
    return f"not exists (select 1 from {other} b where {same})"


# Demand that an order of today has to last for, and what a unit is worth.
_PROTECTED = "daily_mean * (lead_days + review_days)"
_WORTH = "coalesce(unit_cost, price)"
_POLICIES = (
    f"select store_id, count(*) as products, sum({_PROTECTED}) as protected, sum(target * {_PROTECTED}) as aimed, "
    f"sum(case when shortfall is not null then {_PROTECTED} end) as counted, sum(shortfall) as missing, "
    "sum(case when on_hand is not null then on_hand <= 0 end) as empty, "
    f"sum(on_hand * {_WORTH}) as value, sum(on_hand) as units, sum(surplus * {_WORTH}) as surplus, "
    "sum(case when on_hand is not null then daily_mean end) as daily from policies group by store_id"
)
_ORDERS = "select store_id, count(*) as orders, sum(cost) as cost from {} where status = 'suggested' group by store_id"
_RISKS = (
    "select store_id, risk, count(*) as products, sum(value) as value, sum(is_new) as new, 0 as gone from risks "
    "group by store_id, risk union all "
    f"select store_id, risk, 0, null, 0, count(*) from risks_before where {_lacks('risks', 'risks_before')} "
    "group by store_id, risk"
)
SUMS = {
    "policy_sums": _POLICIES,
    "order_sums": _ORDERS.format("orders"),
    "order_sums_before": _ORDERS.format("orders_before"),
    "risk_sums": _RISKS,
}


def write_sums(file: sqlite3.Connection) -> None:
    """Adds the tables of SUMS, and to each risk whether it was none the day before: null where no plan of that day is
    published, without which all would be new."""
    file.execute("alter table risks add column is_new")
    is_compared = "exists (select 1 from origin_before where planned)"
    file.execute(f"update risks set is_new = {_lacks('risks_before', 'risks')} where {is_compared}")
    for name, query in SUMS.items():
        file.execute(f"create table {name} as {query}")
