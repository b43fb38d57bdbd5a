"""scikit-learn's fitted models as files of the lake without code: arrays and the names of types, by skops, no pickle.

What such a file may hold is written down here. skops by itself trusts all of scikit-learn's estimators, and functions
of numpy and scipy: more than is ever stored.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from shelfcast import artefacts
from shelfcast.errors import ArtefactError
from shelfcast.models.sklearn_models import FittedModel

# A worker scores bucket after bucket with the same few models: it loads each once.
_LOADED_AT_ONCE = 64
_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
# How skops makes a part -> the types that it may make so.
_ALLOWED = {
    "JsonNode": {"builtins.str"},
    "TypeNode": {"builtins.str"},
    "DictNode": {"builtins.dict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "NdArrayNode": {"numpy.ndarray", "numpy.float64", "numpy.uint64"},
    "RandomGeneratorNode": {"numpy.random._generator.Generator"},
    "TreeNode": {"sklearn.tree._tree.Tree"},
    "LossNode": {"sklearn._loss._loss.CyAbsoluteError", "sklearn._loss._loss.CyHalfSquaredError"},
    "ObjectNode": {
        "shelfcast.models.encoder.Encoder",
        "shelfcast.models.sklearn_models.FittedModel",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.loss.AbsoluteError",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn.ensemble._forest.RandomForestRegressor",
        f"{_BOOSTING}.binning._BinMapper",
        f"{_BOOSTING}.gradient_boosting.HistGradientBoostingRegressor",
        f"{_BOOSTING}.predictor.TreePredictor",
        "sklearn.linear_model._base.LinearRegression",
        "sklearn.linear_model._coordinate_descent.ElasticNet",
        "sklearn.linear_model._coordinate_descent.Lasso",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.neighbors._regression.KNeighborsRegressor",
        "sklearn.tree._classes.DecisionTreeRegressor",
    },
}
# Files of an older protocol are read by older code of skops, which checks less.
_PROTOCOL = 2
_WANTED = "wanted a model as this package stores it"


def save(fitted: FittedModel, uri: str) -> None:
    """Write a model, whole or not at all: a reader of `uri` never finds half of one."""
    artefacts.write_bytes(dumps(fitted), uri)


@lru_cache(maxsize=_LOADED_AT_ONCE)
def load(uri: str) -> FittedModel:
    """The model at `uri`, kept by the process that loads it. Raises FileNotFoundError, and as `loads`."""
    return loads(artefacts.read_bytes(uri), uri)


def dumps(fitted: FittedModel) -> bytes:
    """The model as a zip of arrays and a tree of types."""
    # It looks at all of scikit-learn when it is imported: a second, which only those pay who store or load a model.
    import skops.io

    packed: bytes = skops.io.dumps(_with_words(fitted, np.array), compression=zipfile.ZIP_DEFLATED)
    return packed


def loads(packed: bytes, name: str) -> FittedModel:
    """What `dumps` made. Nothing is made of the bytes before all that they name is known.

    Raises ArtefactError, which names the file `name` and what was found in it: no such archive, a type that is never
    stored, or a tree whose branches lead out of it, which scikit-learn would follow.
    """
    import skops.io

    schema = _read_schema(packed, name)
    if schema.get("protocol") != _PROTOCOL:
        raise ArtefactError(f"{name}: found protocol {schema.get('protocol')} of skops, wanted {_PROTOCOL}")
    for loader, kind in _parts(schema):
        if kind not in _ALLOWED.get(loader, ()):
            raise ArtefactError(f"{name}: found the type {kind} ({loader}); {_WANTED}")
    found = skops.io.loads(packed, trusted=sorted(set().union(*_ALLOWED.values())))
    if not isinstance(found, FittedModel):
        raise ArtefactError(f"{name}: found a {type(found).__name__}; {_WANTED}")
    if not all(_is_sound(*tree) for tree in _trees(found)):
        raise ArtefactError(f"{name}: found a tree whose branches lead out of it; {_WANTED}")
    return _with_words(found, list)


def _with_words(fitted: FittedModel, make: Callable[[Sequence[str]], Any]) -> FittedModel:
    """Words are many: as an array they are one part of a file, as a list each is one."""
    words = {name: make(known) for name, known in fitted.encoder.vocabularies.items()}
    return replace(fitted, encoder=replace(fitted.encoder, vocabularies=words))


def _read_schema(packed: bytes, name: str) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            schema: dict[str, Any] = json.loads(archive.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise ArtefactError(f"{name}: found no archive of skops; {_WANTED}") from None
    return schema


def _parts(schema: Any) -> Iterator[tuple[str, str]]:
    """How each part is made, and its type."""
    if isinstance(schema, dict):
        if "__loader__" in schema:
            yield schema["__loader__"], f"{schema.get('__module__')}.{schema.get('__class__')}"
        for value in schema.values():
            yield from _parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _parts(value)


Nodes = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.bool_], int]


def _trees(fitted: FittedModel) -> Iterator[Nodes]:
    """Of each tree: the left and right child and the feature of each node, whether it is a leaf, and how many columns
    the model is shown."""
    encoder, estimator = fitted.encoder, fitted.estimator
    columns = len(encoder.numeric) + len(encoder.vocabularies)
    if isinstance(estimator, RandomForestRegressor):
        for tree in (each.tree_ for each in estimator.estimators_):
            yield tree.children_left, tree.children_right, tree.feature, tree.children_left == -1, columns
    elif isinstance(estimator, HistGradientBoostingRegressor):
        for nodes in (predictor.nodes for stage in estimator._predictors for predictor in stage):
            # a split by categories reads a table of its own: no feature is declared to be one
            feature = np.where(nodes["is_categorical"] == 0, nodes["feature_idx"], -1)
            yield nodes["left"], nodes["right"], feature, nodes["is_leaf"] == 1, columns


def _is_sound(
    left: NDArray[Any], right: NDArray[Any], feature: NDArray[Any], is_leaf: NDArray[np.bool_], columns: int
) -> bool:
    """Whether each branch leads on, to a later node of the tree, and asks for a column that there is."""
    own, inner = np.arange(len(left)), ~is_leaf
    leads_on = [(child > own) & (child < len(left)) for child in (left, right)]
    return bool(len(left) and np.all((leads_on[0] & leads_on[1] & (feature >= 0) & (feature < columns))[inner]))
