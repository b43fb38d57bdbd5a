"""Builds the index of a region's newest publication: `python -m shelfcast.api.index LAKE REGION FOLDER`."""

import sys
from pathlib import Path

from shelfcast.api.index.build import build
from shelfcast.api.reader import Lake
from shelfcast.errors import LakeError
from shelfcast.processes import give_way


def main(root: str, region: str, folder: str) -> int:
    # Requests that are waited for come first.
    give_way()
    lake = Lake(root)
    publication = lake.newest_publications().get(region)
    try:
        if publication is None:
            raise LakeError(f"lake {root}: no publication of region {region}; wanted one by job report")
        build(lake, publication, Path(folder))
    except LakeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
