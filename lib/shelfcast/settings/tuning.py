"""The section of a configuration that networks are tuned by."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shelfcast.settings.sections import Section

Rate = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Level = Annotated[int, Field(ge=0)]
_FILLED = Field(min_length=1)


class Bounds(Section):
    """Both belong to what is searched; where they are the same, the parameter is."""

    low: float
    high: float

    @model_validator(mode="after")
    def _are_in_order(self) -> "Bounds":
        if self.low > self.high:
            raise ValueError("low at most as large as high")
        return self


class Rates(Bounds):
    low: Rate
    high: Rate


class Shares(Bounds):
    low: Share
    high: Share


class Counts(Bounds):
    low: Count
    high: Count


class Levels(Bounds):
    low: Level
    high: Level


class Space(Section):
    """What TPE draws from: the settings of `networks` of these names. Dropout and blocks are drawn evenly, the others
    evenly in their logarithm."""

    learning_rate: Rates = Rates(low=0.0003, high=0.01)
    batch_size: Counts = Counts(low=128, high=1024)
    blocks: Levels = Levels(low=0, high=3)
    units: Counts = Counts(low=16, high=128)
    dropout: Shares = Shares(low=0.0, high=0.4)
    store_embedding: Counts = Counts(low=2, high=32)
    item_embedding: Counts = Counts(low=2, high=64)
    category_embedding: Counts = Counts(low=2, high=32)


class Grid(Section):
    """The values of each setting of `networks` that the grid search tries, each with each of the others."""

    learning_rate: Annotated[tuple[Rate, ...], _FILLED] = (0.001, 0.002, 0.004)
    batch_size: Annotated[tuple[Count, ...], _FILLED] = (512,)
    blocks: Annotated[tuple[Level, ...], _FILLED] = (1, 2)
    units: Annotated[tuple[Count, ...], _FILLED] = (32, 64)
    dropout: Annotated[tuple[Share, ...], _FILLED] = (0.1, 0.3)
    store_embedding: Annotated[tuple[Level, ...], _FILLED] = (0,)
    item_embedding: Annotated[tuple[Level, ...], _FILLED] = (0,)
    category_embedding: Annotated[tuple[Level, ...], _FILLED] = (0,)


# What is tuned: settings of `networks`.
PARAMETERS = tuple(Space.model_fields)


class Tuning(Section):
    """The search of job tune_mlp for the settings of each kind of network on each panel.

    method: tpe makes `trials` trials in `space`, of which the first `random_trials` are drawn at random; grid tries
    each point of `grid`. parallelism: trials at once, a core each; near the number of trials TPE has nothing to learn
    from, and is random search. max_failed: the share of the trials that may fail.
    """

    method: Literal["tpe", "grid"] = "tpe"
    trials: int = Field(default=24, ge=1)
    random_trials: int = Field(default=8, ge=1)
    parallelism: int = Field(default=2, ge=1, le=128)
    max_failed: float = Field(default=0.25, ge=0, le=1)
    space: Space = Space()
    grid: Grid = Grid()
