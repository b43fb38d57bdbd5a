"""Where a fitted model comes from: the columns by which each row of the registries tells it.

Its scores at a cutoff are the rows of forecasts/metrics of the same region, panel, model, cutoff and version, with
slice 'all'.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

# Of a run: other commits of the same code, and other versions of the same rows, make the same model.
OF_RUN = {
    "training_tables": "map<string,bigint>",
    "code_version": "string",
    "git_commit": "string",
    "libraries": "map<string,string>",
}
# Of a model: where the words lie that it knows ("artefact", or the table), and all that it was made with, as text.
OF_MODEL = {"vocabulary": "string", "hyperparameters": "map<string,string>"}
LINEAGE = ", ".join(f"{name} {kind}" for name, kind in (OF_MODEL | OF_RUN).items())


@dataclass(frozen=True)
class Lineage:
    """training_tables: the versions of the tables that a run's models have learned from. code_version: a hash of the
    modules of the job. git_commit: None where nobody knows. libraries: package -> version."""

    training_tables: Mapping[str, int]
    code_version: str
    git_commit: str | None
    libraries: Mapping[str, str]

    def columns(self) -> dict[str, Column]:
        """The columns OF_RUN, the same in each row."""
        return {name: _constant(getattr(self, name), kind) for name, kind in OF_RUN.items()}


def _constant(value: object, kind: str) -> Column:
    return F.from_json(F.lit(json.dumps(value)), kind) if isinstance(value, Mapping) else F.lit(value).cast(kind)


def as_text(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings of any kind as they are kept: those that are None are not set."""
    return {name: str(value) for name, value in settings.items() if value is not None}
