"""Where model versions are told of, beside the registries."""

from shelfcast.settings.sections import Section


class Tracking(Section):
    """uri: an MLflow server (http, https) or a file of SQLite (sqlite:///runs.db); none is told where it is null."""

    uri: str | None = None
