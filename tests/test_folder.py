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


NAMED = {
    "by-its-path-below-the-root": ("models/a.zip", "/here/lake/models/a.zip"),
    "by-its-path-on-a-disk": ("/there/lake/models/a.zip", "/there/lake/models/a.zip"),
    "by-its-address-in-a-store": ("s3a://there/lake/models/a.zip", "s3a://there/lake/models/a.zip"),
}


@pytest.mark.parametrize(("name", "address"), NAMED.values(), ids=NAMED)
def test_a_file_that_a_row_names_is_found_whether_the_row_is_of_now_or_of_before(name: str, address: str) -> None:
    folder = Folder(Mock(), "/here/lake/")
    assert folder.address(name) == address
    assert folder.address(folder.below(address)) == address
