"""The version of a lake's layout, in a file of its own: code of another version leaves the lake alone, and any code one
that is half made from a copy."""

from threading import Lock

from shelfcast.errors import LakeError
from shelfcast.folder import Folder

# With each step in migrations.py one more.
VERSION = 4
_FILE = "_version"
# There while the lake is made from a copy.
RESTORING = "_restoring"
_MARKING = Lock()


def version_of(folder: Folder) -> int:
    """A lake of before this file has version 1; one without tables will be made in the code's."""
    if folder.has_file(_FILE):
        return int(folder.read_text(_FILE))
    return 1 if folder.names("*/*/_delta_log") else VERSION


def set_version(folder: Folder, version: int) -> None:
    folder.write_text(_FILE, f"{version}\n")


def mark_new(folder: Folder) -> None:
    """Before its first table is made a lake is given the code's version."""
    # A job may make several tables at once.
    with _MARKING:
        if not folder.has_file(_FILE) and version_of(folder) == VERSION:
            set_version(folder, VERSION)


def require_there(folder: Folder) -> None:
    """Raise LakeError where there is no lake: a lease would make the folder."""
    if not folder.has_file(""):
        raise LakeError(f"lake {folder.root}: not there; wanted one that jobs have made")


def require_whole(folder: Folder) -> None:
    """Raise LakeError where the lake is being made from a copy."""
    if folder.has_file(RESTORING):
        raise LakeError(f"lake {folder.root}: half restored; wanted `shelfcast restore` done again, which goes on")


def require_current(folder: Folder) -> None:
    """Raise LakeError unless the lake is whole and has the code's version."""
    require_whole(folder)
    found = version_of(folder)
    if found < VERSION:
        raise LakeError(f"lake {folder.root}: version {found}, wanted {VERSION}; `shelfcast migrate` brings it there")
    if found > VERSION:
        raise LakeError(f"lake {folder.root}: version {found}, wanted {VERSION}; a newer shelfcast has made it")
