"""features/panel_demand, features/vocabularies, the network of another company -> features/transfer_windows,
forecasts/transfer_backtests, models/transfer_registry"""

import hashlib
from dataclasses import replace

from pyspark.sql import functions as F

from shelfcast import artefacts, demand, schemas
from shelfcast.code import TRAINING_PACKAGES, installed
from shelfcast.config import Config
from shelfcast.errors import ConfigError, LakeError
from shelfcast.job import Job, Run
from shelfcast.lake import Lake
from shelfcast.networks.modelling import write_windows
from shelfcast.networks.tables import TRANSFER_BACKTESTS, TRANSFER_REGISTRY, TRANSFER_WINDOWS
from shelfcast.settings.transfer import Transfer
from shelfcast.steps.build_features import plan_of
from shelfcast.steps.train_mlp import plan_fits, publish
from shelfcast.training import distributed
from shelfcast.training.networks import NetworkFit
from shelfcast.training.transfer import NetworkTransfer, transfer_networks

_READS = (schemas.PANEL_DEMAND, schemas.VOCABULARIES, demand.KNOWN_STORES)
_WRITES = (TRANSFER_WINDOWS, TRANSFER_BACKTESTS, TRANSFER_REGISTRY)
_SUFFIX = "_transferred"


def job(config: Config) -> Job:
    settings = ("backtest", "training", "networks", "transfer", "runtime", "country")
    return Job("transfer", _READS, _WRITES, settings, transfer, stamp=_stamp)


def transfer(run: Run) -> None:
    plan, settings = plan_of(run), run.config.networks
    write_windows(run, plan, TRANSFER_WINDOWS, len(plan.weeks) - 1)
    transfers = [
        _planned(run, fit)
        for panel in settings.panels
        for fit in plan_fits(run, plan, panel, [_settings(run.config).model])
    ]
    arguments = (transfers, settings.mixed_precision)
    outcomes, *_ = distributed.run(run.spark, transfer_networks, arguments, settings.processes, settings.timeline)
    publish(run, plan, [each.fit for each in transfers], outcomes, [each.hyperparameters for each in transfers])


def _planned(run: Run, fit: NetworkFit) -> NetworkTransfer:
    settings = _settings(run.config)
    frozen = replace(fit.recipe, epochs=settings.epochs, learning_rate=settings.learning_rate)
    # A network that has learned already needs no slow start.
    tuning = replace(fit.recipe, epochs=settings.tuning_epochs, learning_rate=settings.tuning_rate, warmup=0.0)
    named = replace(fit, model=f"{fit.model}{_SUFFIX}", recipe=frozen)
    return NetworkTransfer(named, _base(run, fit.panel), settings.adapters, tuning)


def _base(run: Run, panel: str) -> str:
    """Where the base of a panel lies. Raises LakeError where the other company has none."""
    settings = _settings(run.config)
    if settings.artefact:
        return settings.artefact
    lake, region = Lake(run.spark, settings.lake_root(run.config.lake_root)), str(settings.region)
    fitted = lake.read(schemas.NETWORK_REGISTRY, region).where(
        (F.col("panel") == panel) & (F.col("model") == settings.model) & (F.col("status") == "fitted")
    )
    newest = fitted.orderBy(F.desc("cutoff")).select("artefact").first()
    if newest is None:
        raise LakeError(
            f"transfer.region: {lake.root} has no network {settings.model} of panel {panel} in region {region}; "
            "wanted one that train_mlp has fitted"
        )
    return lake.address(newest["artefact"])


def _settings(config: Config) -> Transfer:
    if config.transfer is None:
        raise ConfigError("transfer: missing section; wanted one that names the network of another company")
    return config.transfer


def _stamp(run: Run) -> str:
    """The bases themselves: another lake's runs are none of this one's."""
    bases = [_base(run, panel) for panel in run.config.networks.panels]
    return repr((installed(TRAINING_PACKAGES), [_hash_of(base) for base in bases]))


def _hash_of(base: str) -> str:
    try:
        return hashlib.sha256(artefacts.read_bytes(base)).hexdigest()
    except FileNotFoundError:
        raise LakeError(f"transfer: {base} is not there; wanted the file of a network") from None
