"""The settings of the networks, and of the heads of single stores."""

from typing import Literal

from pydantic import Field

from shelfcast.settings.sections import Section

Kind = Literal["mlp", "lstm"]


class Networks(Section):
    """The networks of job train_mlp: which, on which panels, of what size, and how they are trained.

    processes: that train together. windows: about so many of a panel are learned from, at most. held_back_weeks: the
    last ones known, which nothing is learned from and which stop the training; 0 trains every epoch on all. timeline: a
    file for the trace of what the processes sent one another. *_embedding: numbers that stand for a store, an item or a
    category; 0 stands for as many as `units`. tuned: where job tune_mlp has tuned a network on the data of now, what it
    found stands in place of what is set here.
    """

    panels: tuple[Literal["reference", "category", "product"], ...] = ("reference", "product")
    kinds: tuple[Kind, ...] = ("mlp",)
    processes: int = Field(default=1, ge=1)
    windows: int = Field(default=200_000, ge=1)
    units: int = Field(default=64, ge=1)
    blocks: int = Field(default=1, ge=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    store_embedding: int = Field(default=0, ge=0)
    item_embedding: int = Field(default=0, ge=0)
    category_embedding: int = Field(default=0, ge=0)
    calendar: bool = False
    epochs: int = Field(default=6, ge=1)
    batch_size: int = Field(default=512, ge=1)
    learning_rate: float = Field(default=0.002, gt=0)
    warmup_epochs: float = Field(default=0.5, ge=0)
    weight_decay: float = Field(default=0.0001, ge=0)
    held_back_weeks: int = Field(default=0, ge=0)
    patience: int = Field(default=3, ge=1)
    mixed_precision: bool = False
    timeline: str | None = None
    tuned: bool = False


class FineTuning(Section):
    """How job fine_tune_stores trains the heads of single stores.

    windows: about so many of a store are learned from, at most.
    """

    windows: int = Field(default=4000, ge=1)
    # Short and slow: at the earlier cutoffs of Complete Journey, heads that were trained longer or faster learned by
    # heart what their few weeks had in common.
    epochs: int = Field(default=2, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=0.0002, gt=0)
