"""The tables of insights in the lake, kept by date."""

from shelfcast.table import Table

_BY_DATE = ("region", "forecast_date")
PRODUCT, STORE, CATEGORY = "product", "store", "category"

SEGMENTS = Table(
    "inventory/segments",
    # A row a product and a row a store, measured over the last year's weeks since its first sale. level: units a week;
    # variation: coefficient of variation of weekly units; cv2, adi: as in demand/series; price: revenue a unit; trend:
    # change over these weeks, season: strength, both shares; discounted: share of the shelf value; breadth: stores that
    # sold the product, or products that the store sold. up_to: the share of revenue up to and with this product, class:
    # ABC-XYZ, both null of stores. segment 0: sold in too few weeks to tell. remoteness: distance from the nearest
    # dense place, 1 its edge; null where nothing is dense. oddest: what the item differs most in.
    "region string, forecast_date date, kind string, item_id string, category_id string, units double, revenue double, "
    "up_to double, class string, weeks int, selling_weeks int, level double, variation double, cv2 double, adi double, "
    "price double, trend double, season double, discounted double, breadth bigint, segment int, label string, "
    "remoteness double, is_outlier boolean, oddest string",
    key=("region", "forecast_date", "kind", "item_id"),
    checks={
        "kind_is_known": "kind in ('product', 'store')",
        "each_has_a_segment": "segment >= 0 and label is not null",
        "each_product_has_a_class": "kind = 'store' or class is not null",
    },
    partitions=_BY_DATE,
)
SEASONS = Table(
    "insights/seasons",
    # A row a category of all stores. season, trend: strengths from 0 to 1; growth: a year, a share, with its 95 %
    # interval; all null where fewer than two years are known. index: of each week from first_week on, as multiples of
    # the trend, mean over the years (is_seasonal), or of the average week, as it sold.
    "region string, forecast_date date, category_id string, weeks int, revenue double, season double, trend double, "
    "growth double, growth_lower double, growth_upper double, is_seasonal boolean, first_week date, "
    "index array<double>, peak_week date, peak double",
    key=("region", "forecast_date", "category_id"),
    checks={"peak_is_not_negative": "peak >= 0"},
    partitions=_BY_DATE,
)
VENDORS = Table(
    "insights/vendors",
    # Days from order to receipt; variation: their coefficient of variation; p10, p90: quantiles. freight_share: of the
    # purchase price, null where no invoice tells of it.
    "region string, forecast_date date, vendor_id string, orders bigint, mean_days double, variation double, p10 int, "
    "p90 int, freight_share double, products bigint",
    key=("region", "forecast_date", "vendor_id"),
    checks={"quantiles_are_in_order": "p10 <= p90"},
    partitions=_BY_DATE,
)
STORES = Table(
    "insights/stores",
    # units, missed (forecast too many or too few), wape, bias: of the category champion in the weeks after the
    # backtest's last cutoff, null for stores outside that panel. excess: units beyond what is needed, at cost in
    # excess_value; null where no stock is counted.
    "region string, forecast_date date, store_id string, units double, missed double, wape double, bias double, "
    "excess_products bigint, excess double, excess_value double",
    key=("region", "forecast_date", "store_id"),
    partitions=_BY_DATE,
)
DELISTINGS = Table(
    "insights/delistings",
    # Products that the rule would have go, over the weeks that it looks back. stores: that list it. units: that were
    # paid for, none capped. margin: revenue - units at cost; holding: the cost of holding today's stock over as many
    # weeks. rule: margin or rate.
    "region string, forecast_date date, product_id string, category_id string, stores bigint, units double, "
    "revenue double, margin double, on_hand double, holding double, rule string",
    key=("region", "forecast_date", "product_id"),
    checks={"rule_is_known": "rule in ('margin', 'rate')"},
    partitions=_BY_DATE,
)
FINDINGS = Table(
    "insights/findings",
    # rank 1.. within its topic. figure: the number that the sentence rests on, in `unit`; null where the sentence says
    # why there is nothing to tell. subject: the product, store, vendor or category, null for the whole.
    "region string, forecast_date date, topic string, rank int, subject string, figure double, unit string, "
    "sentence string",
    key=("region", "forecast_date", "topic", "rank"),
    checks={"sentence_is_there": "length(sentence) > 0", "figure_has_a_unit": "figure is null or unit is not null"},
    partitions=_BY_DATE,
)
