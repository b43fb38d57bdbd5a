"""Whether demand is recovered where there was nothing to sell."""

from pydantic import Field

from shelfcast.settings.sections import Section


class HiddenDemand(Section):
    """enabled: stock-outs, closings and delistings are sought, and demand is recovered for days out of stock; not where
    the sales are those of a panel of households, which say nothing of the shelf. min_probability: of an absence or a
    closing that silence alone tells of, below which it is none. absent_share: of runs of days without a sale, how many
    are absences before one looks at how long they are. delisted_days: a product that is gone for
    longer, and no chance, is off the list, and a store that is still gone has closed for good.
    """

    enabled: bool = False
    min_probability: float = Field(default=0.9, gt=0.5, lt=1)
    absent_share: float = Field(default=0.02, gt=0, lt=0.5)
    delisted_days: int = Field(default=28, ge=7)
