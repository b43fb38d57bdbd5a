"""Files that belong to the package: jobs/ and conf/ lie beside lib/ in a checkout, inside the package once shipped."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def resource_folder(name: str) -> Traversable:
    """The folder `name` ("jobs", "conf") of the package: in a wheel or a zip its own, else the checkout's."""
    package = files("shelfcast")
    shipped = package / name
    if shipped.is_dir():
        return shipped
    return Path(str(package)).parents[1] / name
