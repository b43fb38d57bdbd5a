"""The scripts of others that are bundled with the pages: they are what was published, and their licences lie beside."""

import hashlib
import json
from importlib.resources import files

import pytest

from shelfcast.web.rendering import static_file

VENDOR = files("shelfcast.web") / "static" / "vendor"
RECORD = json.loads((VENDOR / "record.json").read_text(encoding="utf-8"))


def test_the_record_knows_every_file_and_no_other() -> None:
    known = {name for entry in RECORD for name in (entry["file"], entry["licence_file"])} | {"record.json"}
    assert {file.name for file in VENDOR.iterdir()} == known


@pytest.mark.parametrize("entry", RECORD, ids=lambda entry: entry["name"])
def test_a_bundled_script_is_what_the_record_says(entry: dict[str, str]) -> None:
    content = (VENDOR / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert entry["version"] in entry["file"]
    assert entry["version"].encode() in content
    assert "Permission" in (VENDOR / entry["licence_file"]).read_text(encoding="utf-8")


def test_every_bundled_script_is_served() -> None:
    served = {static_file(name)[0] for name in ("chart.umd.js", "chart.annotation.js", "htmx.js")}
    assert served == {(VENDOR / entry["file"]).read_bytes() for entry in RECORD}
