"""The tables of networks that began with another company's: shaped as those of networks trained from scratch, and apart
from them, for the rows of a region are replaced as a whole by the one job that writes a table."""

from dataclasses import replace

from shelfcast.schemas import NETWORK_BACKTESTS, NETWORK_REGISTRY
from shelfcast.windows import WINDOWS

TRANSFER_WINDOWS = replace(WINDOWS, name="features/transfer_windows")
TRANSFER_BACKTESTS = replace(NETWORK_BACKTESTS, name="forecasts/transfer_backtests")
TRANSFER_REGISTRY = replace(NETWORK_REGISTRY, name="models/transfer_registry")
