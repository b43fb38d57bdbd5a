"""Files of the lake beside its tables, in stores that no test reaches; those of a disk are in test_lake.py."""

from unittest.mock import Mock

import pytest

from shelfcast.folder import Folder


@pytest.mark.parametrize("scheme", ["s3a", "s3", "gs"])
def test_an_object_that_is_there_once_it_has_been_sent_is_not_renamed(scheme: str) -> None:
    spark = Mock()
    path = spark.sparkContext._jvm.org.apache.hadoop.fs.Path.return_value
    path.getFileSystem.return_value.getScheme.return_value = scheme
    Folder(spark, f"{scheme}://corner/lake").write_text("reports/index.html", "<html>")
    path.getFileSystem.return_value.create.assert_called_once_with(path, True)
    spark.sparkContext._jvm.org.apache.hadoop.fs.Path.assert_called_once_with(
        f"{scheme}://corner/lake/reports/index.html"
    )
