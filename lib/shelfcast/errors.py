"""What can go wrong, by kind. Each message is one line: the thing, what was found, what was wanted."""


class ShelfcastError(Exception):
    """A permanent failure: a second try of the same thing fails the same way."""

    exit_status = 1


class ConfigError(ShelfcastError):
    """The configuration does not say what a job needs, or says it wrongly."""


class SchemaError(ShelfcastError):
    """A table or a file lacks a column, or holds it in another type."""


class SourceError(ShelfcastError):
    """A source's files are not there or cannot be read."""


class ContractError(ShelfcastError):
    """A source has not kept what it promised, and the promise is one that nothing is made without."""


class LakeError(ShelfcastError):
    """A table that a job reads is not in the lake, or two runs want the same region at once."""


class ArtefactError(ShelfcastError):
    """The file of a fitted model holds what no model of this package is made of: it is not loaded."""


class NotEnoughHistoryError(ShelfcastError):
    """A model needs more periods than the series have."""


class HeldError(ShelfcastError):
    """Sales of the day are put aside as anomalous: nothing is ordered by them."""


class LateError(ShelfcastError):
    """A day was not published by its deadline: an alert, which has been told."""

    exit_status = 3


class TransientError(ShelfcastError):
    """A failure that a later try may not meet."""

    exit_status = 75
