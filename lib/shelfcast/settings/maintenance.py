"""How long what was published can be read."""

from pydantic import Field

from shelfcast.settings.sections import Section


class Maintenance(Section):
    """keep_days: what was published in so many days stays readable, and no file is removed before it is as old. At
    least two: a run that takes a day has files that no version names yet. Regions of one lake share its tables: the
    least of theirs holds for all."""

    keep_days: int = Field(default=14, ge=2)
