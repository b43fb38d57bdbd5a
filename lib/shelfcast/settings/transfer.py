"""The configuration of job transfer."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from shelfcast.settings.sections import Section


class Transfer(Section):
    """Another company's network as the base of this one's; sizes of batches, windows and panels are as in `networks`.

    lake, region: where the company's networks are; of each panel its newest `model` is taken. artefact: the file of one
    network instead, for all panels. adapters: blocks of batch normalisation and dense layers that are put behind its
    hidden layers. epochs, learning_rate: of the pass in which those are frozen; tuning_*: of that in which all learn,
    which there is none of where tuning_epochs is 0.
    """

    lake: str | None = None
    region: str | None = None
    model: Literal["mlp", "lstm"] = "mlp"
    artefact: str | None = None
    adapters: int = Field(default=1, ge=0)
    epochs: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=0.001, gt=0)
    tuning_epochs: int = Field(default=3, ge=0)
    tuning_rate: float = Field(default=0.0005, gt=0)

    @model_validator(mode="after")
    def _names_one_base(self) -> Self:
        if (self.region is None) == (self.artefact is None):
            raise ValueError("either the region whose network is the base, or its artefact")
        return self

    def lake_root(self, own: str) -> str:
        """The address of the base's lake; that of the company itself where none is named."""
        if self.lake is None:
            return own
        return self.lake if "://" in self.lake else str(Path(self.lake).absolute())
