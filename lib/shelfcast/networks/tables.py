"""The tables of the jobs that begin with a trained network: fine_tune_stores and transfer.

A transfer's are shaped as those of networks trained from scratch, and apart from them: the rows of a region are
replaced as a whole by the one job that writes a table.
"""

from dataclasses import replace

from shelfcast.schemas import NETWORK_BACKTESTS, NETWORK_REGISTRY, REGISTRY
from shelfcast.table import Table
from shelfcast.windows import WINDOWS

TRANSFER_WINDOWS = replace(WINDOWS, name="features/transfer_windows")
TRANSFER_BACKTESTS = replace(NETWORK_BACKTESTS, name="forecasts/transfer_backtests")
TRANSFER_REGISTRY = replace(NETWORK_REGISTRY, name="models/transfer_registry")

# A head has a number for each unit and column of the network's last layer: 1,755 of the 64 units that are usual.
MOST_HEAD_WEIGHTS = 16_384
STORE_HEADS = Table(
    "models/store_heads",
    # A row per store, network and cutoff. weights: of the kept ones alone, flat. gain, lower, upper: the share of the
    # network's own loss that the store's heads saved on the weeks behind the earlier cutoffs, and its interval, from so
    # many `cutoffs` and `series`; null where these are too few. The sums are over the weeks behind the cutoff itself,
    # which the choice has not seen, in units: loss as trained on, error of the median; null of the heads that forecast
    # the weeks ahead.
    "region string, panel string, model string, cutoff date, store_id string, kept boolean, weights array<float>, "
    "gain double, lower double, upper double, cutoffs int, series int, base_loss double, head_loss double, "
    "base_error double, head_error double, units double, windows bigint, seconds double",
    key=("region", "panel", "model", "cutoff", "store_id"),
    checks={
        "a_kept_head_won_beyond_chance": "not kept or ifnull(lower > 0, false)",
        "a_head_is_bounded": f"weights is null or size(weights) <= {MOST_HEAD_WEIGHTS}",
    },
    operational=("seconds",),
)
STORE_BACKTESTS = Table(
    "forecasts/store_backtests",
    # As forecasts/network_backtests, by the store's own head where one is kept; the models are called `<kind>_stores`
    # and `<kind>_stores_median`.
    NETWORK_BACKTESTS.columns,
    key=NETWORK_BACKTESTS.key,
    checks=NETWORK_BACKTESTS.checks,
    partitions=NETWORK_BACKTESTS.partitions,
)
STORE_REGISTRY = Table(
    "models/store_registry",
    # As models/registry; artefact: the network whose first layers the heads share; panel_run: as there.
    f"{REGISTRY.columns}, panel_run string",
    key=REGISTRY.key,
    checks=REGISTRY.checks,
    operational=(*REGISTRY.operational, "panel_run"),
)

# What networks forecast at the cutoffs, and the registry of those that did, by the job that writes both.
OF_NETWORKS = (NETWORK_BACKTESTS, NETWORK_REGISTRY)
OF_STORES = (STORE_BACKTESTS, STORE_REGISTRY)
OF_TRANSFERS = (TRANSFER_BACKTESTS, TRANSFER_REGISTRY)
BY_NETWORKS = (OF_NETWORKS, OF_STORES, OF_TRANSFERS)
