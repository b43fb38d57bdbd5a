"""raw/* -> models/*: champion and challenger backtested anew, where that is due"""

from datetime import date, timedelta
from types import ModuleType

from pyspark.sql import functions as F

from shelfcast import demand, promotion, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.config import Config
from shelfcast.errors import LakeError
from shelfcast.logs import say
from shelfcast.monitoring import drift
from shelfcast.monitoring.alerts import WARNING, at_or_above
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.retraining import Training, training_of
from shelfcast.runner import Runner
from shelfcast.steps import aggregate, build_features, check_inputs, clean, evaluate, ingest, train_baselines, train_mlp
from shelfcast.weeks import WEEK, whole_weeks

# What the source has now, whatever the day; and what a day makes of it, for models and forecasts alike.
RECEIVED: tuple[ModuleType, ...] = (ingest, clean)
BEFORE: tuple[ModuleType, ...] = (check_inputs, aggregate, build_features)


def retrain(runner: Runner, now: bool = False) -> None:
    """Backtest and evaluate as of the runner's date where a training is due, or `now` whatever the schedule says."""
    with runner.lease:
        receive(runner)
        day = day_of(runner)
        due = training_due(runner, day)
        if not due.reason and not now:
            say(f"retrain: not due; models are of {due.day}")
        else:
            _train(runner.on(day), due.reason or "asked for")


def receive(runner: Runner) -> None:
    """Take in what the source has now."""
    for step in RECEIVED:
        runner.run(step.job(runner.config))


def day_of(runner: Runner) -> date:
    """The as-of date. Raises LakeError where none is given and nothing is known."""
    if runner.as_of is None:
        raise LakeError("no as-of date: none is given, and there are no sales in the lake; wanted one or the other")
    return runner.as_of


def training_due(runner: Runner, day: date) -> Training:
    """Whose models the day is forecast by, as the history of champions and of drift says."""
    every = runner.config.retraining.every_days
    drifted = _drifted(runner, day - timedelta(days=every))
    return training_of(day, trained_days(runner), every, drifted)


def _drifted(runner: Runner, since: date) -> dict[date, set[str]]:
    """What check_inputs warned of as drifting, on each day from `since` on."""
    lake, region = runner.lake, runner.config.region
    if not lake.exists(INPUT_ALERTS):
        return {}
    alerts = lake.read(INPUT_ALERTS, region).where((F.col("check") == drift.CHECK) & (F.col("forecast_date") >= since))
    days = at_or_above(alerts, WARNING).groupBy("forecast_date").agg(F.collect_set("alert_id").alias("found"))
    return {row.forecast_date: {*row.found} for row in days.collect()}


def trained_days(runner: Runner) -> list[date]:
    lake, region = runner.lake, runner.config.region
    return promotion.training_days(lake.read(CHAMPIONS, region)) if lake.exists(CHAMPIONS) else []


def with_models(runner: Runner, day: date) -> Runner:
    """The runner of `day`, once the models that it is forecast by are there: trained where that is due, or where the
    lake holds those of another day."""
    training = training_due(runner, day)
    trained = runner.on(training.day)
    if training.reason or not _stand(trained):
        _train(trained, training.reason or f"the lake's models are not those of {training.day}")
    return runner.on(day, _last_day_known(runner, day))


def _train(runner: Runner, reason: str) -> None:
    say(f"retrain: as of {runner.as_of}, {reason}")
    for step in (*BEFORE, *trainers(runner.config)):
        runner.run(step.job(runner.config))


def trainers(config: Config) -> tuple[ModuleType, ...]:
    """The jobs that backtest and evaluate, in order."""
    networks = (train_mlp,) if config.retraining.networks else ()
    return (train_baselines, *networks, evaluate)


def _stand(runner: Runner) -> bool:
    """Whether the lake has the models of the runner's date. Champions that were named later change none of them."""
    config = runner.config
    return all(runner.stands(step.job(config), but=(CHAMPIONS,)) for step in trainers(config))


def _last_day_known(runner: Runner, day: date) -> date | None:
    """The last day that the backtest in the lake knew; None where `day` knows no more whole weeks than that."""
    lake, region = runner.lake, runner.config.region
    tested = lake.read(schemas.BACKTESTS, region).agg(F.max("cutoff")).first()
    known = demand.standing(lake.read(schemas.SALES, region), day)
    sold = known.agg(F.min("sold_on"), F.max("sold_on")).first()
    if not tested or not sold or not tested[0] or not sold[0]:
        raise LakeError(f"region {region}: no backtest or no sales; wanted both, from train_baselines and clean")
    last_week = tested[0] + runner.config.backtest.horizon * WEEK
    return None if whole_weeks(sold[0], sold[1])[-1] == last_week else last_week + timedelta(days=6)
