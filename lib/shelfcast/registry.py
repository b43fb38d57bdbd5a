"""The registry: what became of each model at each cutoff."""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.ensembles import ENSEMBLES, FAMILY
from shelfcast.lineage import Lineage, as_text
from shelfcast.models import mllib, sklearn_models, spec
from shelfcast.networks.scoring import kind_of, with_heads
from shelfcast.networks.tables import STORE_REGISTRY
from shelfcast.plan import Plan
from shelfcast.schemas import REGISTRY, VOCABULARIES

_KEY = ("panel", "model", "cutoff")
INTENDED = (
    "panel string, model string, cutoff date, family string, minimises string, has_history boolean, detail string, "
    "vocabulary string, hyperparameters map<string,string>"
)
# Where the words lie that a model knows: in its own artefact, or in a table; what reads no words is not named.
IN_ARTEFACT = "artefact"
_VOCABULARY = {"scikit-learn": IN_ARTEFACT, "MLlib": VOCABULARIES.name}


def intended(
    spark: SparkSession, plan: Plan, panel: str, models: Sequence[str], sampled: Mapping[str, int], seed: int
) -> DataFrame:
    """A row per model and cutoff that the backtest is to run: INTENDED.

    sampled: the models that forecast the largest series alone, and how many of them. seed: of the fits.
    """
    rows: list[tuple[object, ...]] = []
    for model in models:
        known = spec(model)
        wanted, made_with = known.minimum_history(plan.season), _hyperparameters(model, plan.season, seed)
        for cutoff in plan.cutoffs:
            has_history = cutoff >= wanted
            part = f"the largest {sampled[model]:,} series alone" if model in sampled else None
            detail = part if has_history else f"{cutoff} weeks known, wanted {wanted}"
            row = (panel, model, plan.last_week(cutoff), known.library, known.minimises, has_history, detail)
            rows.append((*row, _VOCABULARY.get(known.library), made_with))
    return spark.createDataFrame(rows, INTENDED)


def intended_ensembles(spark: SparkSession, plan: Plan, panel: str) -> DataFrame:
    """As `intended`, of the ensembles, which have no window to learn from at the first cutoff."""
    rows = [
        (panel, name, plan.last_week(cutoff), FAMILY, ensemble.minimises, True, None, None, None)
        for name, ensemble in ENSEMBLES.items()
        for cutoff in plan.cutoffs[1:]
    ]
    return spark.createDataFrame(rows, INTENDED)


def _hyperparameters(model: str, season: int, seed: int) -> dict[str, str]:
    """What a baseline is made with."""
    known = spec(model)
    if known.library == "scikit-learn":
        return as_text(sklearn_models.REGRESSORS[model].make(seed).get_params())
    if known.library == "MLlib":
        made = mllib.REGRESSORS[model](seed)
        return as_text({param.name: value for param, value in made.extractParamMap().items()})
    return as_text({"season": season})


def as_registry(
    wanted: DataFrame, fitted: DataFrame, backtests: DataFrame, region: str, version: str, lineage: Lineage
) -> DataFrame:
    """Rows of models/registry. wanted: INTENDED. fitted: FIT_COLUMNS of the global models, artefacts as paths below the
    lake's root. backtests: forecasts/backtests."""
    series = (
        backtests.where(F.col("step") == 1)
        .groupBy(*_KEY)
        .agg(F.count(F.lit(1)).alias("series"), F.count("fallback").alias("fallbacks"))
    )
    joined = wanted.join(fitted, [*_KEY], how="left").join(series, [*_KEY], how="left")
    return joined.select(
        F.lit(region).alias("region"),
        *_KEY,
        F.lit(version).alias("version"),
        "family",
        "minimises",
        _status().alias("status"),
        F.coalesce("error", "detail").alias("detail"),
        "examples",
        F.coalesce("series", F.lit(0)).alias("series"),
        F.coalesce("fallbacks", F.lit(0)).alias("fallbacks"),
        "seconds",
        "artefact",
        "vocabulary",
        "hyperparameters",
        *[column.alias(name) for name, column in lineage.columns().items()],
    ).select(*REGISTRY.names)


def current_networks(rows: DataFrame, panel_run: str, cutoffs: Sequence[date]) -> DataFrame:
    """Of models/network_registry the networks of the panel that the run `panel_run` made, at these cutoffs: others
    have not learned from what the baselines did."""
    return rows.where((F.col("panel_run") == F.lit(panel_run)) & F.col("cutoff").isin(*cutoffs))


def register_heads(
    networks: DataFrame,
    heads: DataFrame,
    version: str,
    last_cutoff: date,
    lineage: Lineage,
    hyperparameters: Mapping[str, str],
) -> DataFrame:
    """Rows of models/store_registry, one for each mean and median of a network that stores have heads of.

    networks: the current ones of models/network_registry. heads: models/store_heads. At the last cutoff the detail
    says how many are kept; seconds: of the network and all of its heads. hyperparameters: of the heads, beside the
    network's.
    """
    by = ("panel", "kind", "cutoff")
    told = heads.withColumnRenamed("model", "kind").groupBy(*by)
    summed = told.agg(
        F.format_string("%,d of %,d stores have a head of their own", F.count_if("kept"), F.count("kept")).alias(
            "told"
        ),
        F.sum("windows").alias("_windows"),
        F.sum("seconds").alias("_seconds"),
    )
    joined = networks.withColumn("kind", kind_of("model")).join(summed, [*by])
    changed = {
        "version": F.lit(version),
        "detail": F.when(F.col("cutoff") == F.lit(last_cutoff), F.col("told")),
        "examples": F.col("_windows"),
        "seconds": F.col("seconds") + F.col("_seconds"),
        "model": with_heads("model"),
        "hyperparameters": _with_more("hyperparameters", hyperparameters),
        **lineage.columns(),
    }
    return joined.withColumns(changed).select(*STORE_REGISTRY.names)


def current_heads(rows: DataFrame, networks: DataFrame) -> DataFrame:
    """Of models/store_registry the rows whose network is one of those of models/network_registry."""
    return rows.join(
        F.broadcast(networks.select("panel", "cutoff", "artefact")), ["panel", "cutoff", "artefact"], "semi"
    )


def with_versions(measured: DataFrame, rows: DataFrame) -> DataFrame:
    """Adds `version` to rows of forecasts/metrics: that of the model they tell of. rows: of the registries."""
    versions = rows.groupBy("panel", "model").agg(F.max("version").alias("version"))
    return measured.join(F.broadcast(versions), ["panel", "model"], how="left")


def _with_more(name: str, more: Mapping[str, str]) -> Column:
    """The map with what it does not hold yet; a table of before knew of none."""
    kept = F.coalesce(name, F.create_map().cast("map<string,string>"))
    added = F.create_map(*[F.lit(word) for pair in more.items() for word in pair])
    return F.map_concat(kept, added)


def _status() -> Column:
    return (
        F.when(~F.col("has_history"), "not enough history")
        .when(F.col("error").isNotNull(), "failed")
        .otherwise("fitted")
    )
