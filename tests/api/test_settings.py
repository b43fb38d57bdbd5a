from pathlib import Path

import pytest

from api.conftest import CONFIG, configs_of
from shelfcast import config
from shelfcast.api.server import open_service
from shelfcast.errors import ConfigError

REFUSED = [
    pytest.param(["serving.host=0.0.0.0"], "https", id="passwords over a wire that anybody reads"),
    pytest.param(["serving.host=shelf.example"], "https", id="a name of another machine"),
    pytest.param(["serving.public_url=http://shelf.example", "serving.host='::'"], "https", id="plain http"),
    pytest.param(["serving.public_url=ftp://shelf.example"], "an address such as", id="no address"),
    pytest.param(["serving.public_url=https://shelf.example/?x=1"], "an address such as", id="a question"),
    pytest.param(["serving.port=70000"], "less than or equal to 65535", id="port"),
]


@pytest.mark.parametrize(("changes", "wanted"), REFUSED)
def test_what_would_serve_wrongly_is_refused(changes: list[str], wanted: str) -> None:
    with pytest.raises(ConfigError, match=wanted):
        config.load(CONFIG, changes)


@pytest.mark.parametrize(
    ("changes", "address", "prefix", "scheme"),
    [
        ([], "http://127.0.0.1:8000", "", "http"),
        (["serving.host=localhost", "serving.port=9000"], "http://localhost:9000", "", "http"),
        (
            ["serving.public_url=https://shelf.example/forecasts/", "serving.host=0.0.0.0"],
            "https://shelf.example/forecasts", "/forecasts", "https",
        ),
    ],
)  # fmt: skip
def test_users_reach_it_by_the_address_that_is_given(
    changes: list[str], address: str, prefix: str, scheme: str
) -> None:
    serving = config.load(CONFIG, changes).serving
    assert (serving.address, serving.prefix, serving.scheme) == (address, prefix, scheme)


def test_what_is_served_together_is_of_one_lake_and_of_regions_of_their_own(tmp_path: Path) -> None:
    north, south = configs_of(tmp_path / "lake", tmp_path)
    (elsewhere, _) = configs_of(tmp_path / "another", tmp_path)
    with pytest.raises(ConfigError, match="one lake for all"):
        open_service([north, elsewhere])
    with pytest.raises(ConfigError, match="two configurations of one region"):
        open_service([south, south])


DATABASES = [
    pytest.param("sqlite:////nowhere/at/all.sqlite", "cannot be used", id="no folder"),
    pytest.param("nonsense", "not an address", id="no address"),
    pytest.param("postgresql+pg8000://ada:secret@localhost/x", "holds a password", id="a password in the file"),
    pytest.param("oracle://localhost/x", "wanted SQLite or PostgreSQL", id="another kind"),
]


@pytest.mark.parametrize(("address", "told"), DATABASES)
def test_a_database_that_cannot_be_used_is_named(address: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        open_service(configs_of(tmp_path / "lake", tmp_path, f"serving.database={address}"))
    assert "secret" not in str(refused.value)
