"""What all requests share: the settings, the indexes, the database and the limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Request

from shelfcast.api.access.database import Database
from shelfcast.api.decisions import Outbox
from shelfcast.api.index.reading import Indexes
from shelfcast.api.index.refresh import Refresh
from shelfcast.api.limiter import Limiter
from shelfcast.config import Config
from shelfcast.settings.serving import Serving
from shelfcast.storage import is_remote


@dataclass(frozen=True)
class Service:
    """configs: region -> the configuration that its jobs run by; of a region without one all can be read and nothing
    be decided."""

    settings: Serving
    configs: Mapping[str, Config]
    indexes: Indexes
    refresh: Refresh
    database: Database
    outbox: Outbox
    limiter: Limiter

    @property
    def regions(self) -> list[str]:
        """Those that are published or configured."""
        return sorted({*self.indexes.regions, *self.configs})

    def collects(self, region: str) -> bool:
        """Whether decisions on the region's orders are read by a job."""
        return region in decision_folders(self.configs)

    def may_plan(self, region: str) -> bool:
        """Whether the region's source tells of its supply, without which no job plans; so it does where it is not known
        here."""
        config = self.configs.get(region)
        return config is None or config.source.tells_of_supply

    def currency(self, region: str) -> str:
        """The sign before the region's money; none where its configuration is not known here."""
        config = self.configs.get(region)
        return "" if config is None else config.insights.currency

    @property
    def origin(self) -> str:
        """What a browser says of our own pages."""
        parts = urlsplit(self.settings.address)
        return f"{parts.scheme}://{parts.netloc}"


def decision_folders(configs: Mapping[str, Config]) -> dict[str, Path]:
    """region -> the folder of this machine in which its decisions are collected; a single file is somebody's own."""
    named = {region: config.inventory.decisions for region, config in configs.items()}
    return {region: Path(path) for region, path in named.items() if path and not (is_remote(path) or Path(path).suffix)}


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service
