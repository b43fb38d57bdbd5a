from pathlib import Path

import pytest

from api.conftest import ADDRESS, CONFIG
from shelfcast import cli
from shelfcast.api.access.credentials import of_token
from shelfcast.api.access.database import Database
from shelfcast.settings.serving import Serving


def run(folder: Path, *words: str) -> int:
    common = [
        "--config",
        str(CONFIG),
        "--config",
        str(CONFIG.with_name("walmart.yaml")),
        "--set",
        f"serving.folder={folder}",
        "--set",
        f"serving.public_url={ADDRESS}",
    ]
    return cli.main(["user", *words, *common])


def test_a_user_is_added_listed_and_shut_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "add", "ada", "--role", "planner", "--reach", "tiny", "--reach", "walmart/9") == 0
    assert capsys.readouterr().out.startswith(f"user ada: choose a password within 24 hours at {ADDRESS}/welcome#")
    run(tmp_path, "list")
    assert capsys.readouterr().out == "ada  planner  tiny walmart/9  no password yet\n"
    run(tmp_path, "token", "ada", "--days", "3")
    token = capsys.readouterr().out.strip()
    database = Database(Serving(folder=str(tmp_path)))
    with database.begin() as connection:
        assert of_token(connection, token).stores("walmart") == {"9"}
    assert run(tmp_path, "disable", "ada") == 0
    with database.begin() as connection:
        assert of_token(connection, token) is None
    run(tmp_path, "enable", "ada")
    with database.begin() as connection:
        # What was revoked stays so.
        assert of_token(connection, token) is None
    database.close()


WRONG = [
    pytest.param(["add", "ada"], "user ada: reaches nothing; wanted --reach", id="who reaches nothing"),
    pytest.param(
        ["add", "ada", "--reach", "tiny", "--reach", "mars/1"],
        "--reach mars/1: no such region or store; wanted one of tiny, walmart, or its configuration by --config too",
        id="a region that is none",
    ),
    pytest.param(
        ["add", "ada", "--reach", "tiny/"],
        "--reach tiny/: no such region or store; wanted one of tiny, walmart",
        id="a store whose name a script has left out",
    ),
    pytest.param(["add", " ", "--reach", "tiny"], "user ' ': wanted a name", id="without a name"),
    pytest.param(["link", "nobody"], "user nobody: not there", id="nobody"),
    pytest.param(["token", "nobody", "--days", "4000"], "--days: found 4000, wanted 1 to 365", id="for ever"),
]


@pytest.mark.parametrize(("words", "told"), WRONG)
def test_what_cannot_be_done_is_told_in_a_line(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, *words) == 1
    found = capsys.readouterr()
    assert found.err.startswith(f"shelfcast: {told}")
    assert (found.out, found.err.count("\n")) == ("", 1)


def test_a_name_is_given_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "add", "ada", "--reach", "tiny") == 0
    assert run(tmp_path, "add", "ada", "--reach", "*") == 1
    assert "user ada: there already" in capsys.readouterr().err
    run(tmp_path, "list")
    assert capsys.readouterr().out.startswith("ada  viewer  tiny")
