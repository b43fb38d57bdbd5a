"""every table -> reports/index.html"""

from shelfcast import schemas
from shelfcast.config import Config
from shelfcast.job import Job, Run


def job(config: Config) -> Job:
    return Job("report", (schemas.FORECASTS,), (), (), report)


def report(run: Run) -> None:
    run.say("to come")
