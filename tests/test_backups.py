"""Where a copy of a lake may lie."""

from pathlib import Path

import pytest

from shelfcast import backups
from shelfcast.errors import LakeError


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the region of a bucket is asked for."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.mark.parametrize(
    ("lake", "place"),
    [
        pytest.param("{}/lake", "{}/lake", id="the-lake-itself"),
        pytest.param("{}/lake", "{}/lake/copies/daily", id="a-folder-in-the-lake"),
        pytest.param("{}/lake", "{}", id="a-folder-that-the-lake-lies-in"),
        pytest.param("{}/lake", "{}/lake/", id="the-lake-by-a-trailing-slash"),
        pytest.param("{}/lake", "{}/other/../lake/copy", id="in-the-lake-by-another-path"),
        pytest.param("{}/lake", "{}/link/copy", id="in-the-lake-by-a-link"),
        pytest.param("{}/lake", "file://{}/lake/copy", id="in-the-lake-by-a-uri"),
        pytest.param("s3a://apart/lake", "s3a://apart/lake/copy", id="in-a-lake-in-s3"),
        pytest.param("s3a://apart/lake/", "s3://apart/lake//", id="a-lake-in-s3-by-another-scheme"),
        pytest.param("s3a://apart/lake", "s3a://apart", id="the-bucket-of-the-lake"),
    ],
)
def test_a_place_is_refused_that_is_the_lake_or_lies_in_it_or_has_it(tmp_path: Path, lake: str, place: str) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "lake")
    lake, place = lake.format(tmp_path), place.format(tmp_path)
    with pytest.raises(LakeError) as refused:
        backups._require_apart(lake, place)
    said = f"{place}: lies in the lake {lake}, or the lake in it; wanted a place apart from the lake"
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("lake", "place"),
    [
        pytest.param("/data/lake", "/data/lake-copy", id="a-name-that-begins-as-the-lake-s"),
        pytest.param("s3a://apart/lake", "s3a://apart/copy", id="beside-the-lake-in-its-bucket"),
        pytest.param("s3a://apart/lake", "s3a://apart-copies/lake", id="in-another-bucket"),
        pytest.param("/apart/lake", "s3a://apart/lake/copy", id="a-bucket-named-as-the-lake-s-folder"),
    ],
)
def test_a_place_apart_from_the_lake_is_none_that_is_refused(lake: str, place: str) -> None:
    backups._require_apart(lake, place)
