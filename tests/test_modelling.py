from datetime import date
from pathlib import Path
from types import SimpleNamespace

from pyspark.sql import SparkSession

from shelfcast.folder import Folder
from shelfcast.modelling import artefact_uri, artefacts, remove_old_artefacts


def test_only_what_the_newest_run_of_a_region_fitted_is_kept(spark: SparkSession, lake_root: Path) -> None:
    folder = Folder(spark, str(lake_root))
    runs = [SimpleNamespace(lake=folder, config=SimpleNamespace(region=region), key=key)
            for region, key in (("north", "old"), ("south", "old"), ("north", "new"))]  # fmt: skip
    uris = [artefact_uri(run, "product", "linear", date(2017, 7, 3)) for run in runs]
    for uri in uris:
        Path(uri).parent.mkdir(parents=True)
        Path(uri).touch()
    remove_old_artefacts(runs[2], artefacts(runs[2]))
    assert [Path(uri).exists() for uri in uris] == [False, True, True]
