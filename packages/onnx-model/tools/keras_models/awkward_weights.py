"""Weight files that are easy to misread: nested models, equal class names, bfloat16, several shards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from fixture import FIELDS, Array, Fixture, Fold, Layer

NO_GRAPH = Fold(reason="no-graph")


def norm_layers(model: Any) -> list[Any]:
    """The normalizations of a model, those of models inside it included."""
    found: list[Any] = []
    for layer in model.layers:
        found += norm_layers(layer) if hasattr(layer, "layers") else []
        found += [layer] if isinstance(layer, keras.layers.BatchNormalization) else []
    return found


def draw(model: Any) -> Any:
    """The model with drawn weights; variances are positive."""
    random = np.random.Generator(np.random.PCG64(20150211))
    for variable in model.weights:
        value = random.normal(size=variable.shape)
        variable.assign(np.abs(value) + 0.1 if variable.name == "moving_variance" else value)
    return model


def groups_by_name(path: Path) -> dict[str, str]:
    """The groups of numbered arrays by the name that each carries."""
    groups: dict[str, str] = {}
    with h5py.File(path) as file:

        def visit(name: str, group: Any) -> None:
            if isinstance(group, h5py.Group) and name.endswith("vars") and len(group):
                groups[str(group.attrs["name"])] = name

        file.visititems(visit)
    return groups


def described(model: Any, groups: dict[str, str]) -> list[Layer]:
    """The layers of a weight file."""
    layers = []
    for layer in norm_layers(model):
        arrays = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
        state: dict[str, Array] = {
            name: np.float32(np.asarray(keras.ops.cast(array, "float32")))
            for name, array in zip(FIELDS, arrays, strict=True)
            if array is not None
        }
        options = {"readable": tuple(state), "state": state}
        channels = state["movingMean"].size
        layers.append(Layer(layer.name, "weights", channels, layer.epsilon, layer.momentum, NO_GRAPH, groups.get(layer.name), **options))
    return layers


def nested() -> Any:
    """A model in a model in a model, with layers whose class, shape and number of arrays are the same."""
    k = keras.layers
    inner = keras.Sequential([keras.Input((4,)), k.Dense(3, name="projection"), k.BatchNormalization(name="inner_norm")], name="inner")
    middle_in = keras.Input((4,))
    middle = keras.Model(middle_in, k.BatchNormalization(scale=False, epsilon=1e-4, name="without_gamma")(inner(middle_in)), name="middle")
    x = keras.Input((4,))
    y = k.BatchNormalization(center=False, momentum=0.7, name="without_beta")(middle(k.BatchNormalization(name="outer_norm")(x)))
    return draw(keras.Model(x, y, name="outer"))


def bfloat16() -> Any:
    """A layer whose variables are bfloat16, which HDF5 stores as opaque numbers of two bytes."""
    return draw(keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(name="brain_norm", dtype="bfloat16")]))


def fixture(id: str, about: str, made_by: str, files: list[Path], layers: list[Layer]) -> Fixture:
    """A fixture of the files' contents."""
    return Fixture(f"keras/{id}", about, made_by, {f"keras/{file.name}": file.read_bytes() for file in files}, layers)


def fixtures(folder: Path) -> Iterator[Fixture]:
    """The files, written into a temporary folder."""
    model = nested()
    model.save(folder / "nested.keras")
    model.save(folder / "nested.h5")
    model.save_weights(folder / "nested.weights.h5")
    about = "models in models; two layers with three arrays each, one without gamma and one without beta"
    groups = groups_by_name(folder / "nested.weights.h5")
    yield fixture("nested-keras", about, "model.save(), the .keras format", [folder / "nested.keras"], described(model, groups))
    yield fixture("nested-h5", about, "model.save('.h5'), the legacy format", [folder / "nested.h5"], described(model, {}))
    model.save_weights(folder / "nested.weights.json", max_shard_size=1e-7)
    shards = sorted(folder.glob("nested_*.weights.h5"))
    about = "the same in shards; which array is in which file is in the .json"
    yield fixture(
        "nested-shards", about, "model.save_weights('.weights.json')", [folder / "nested.weights.json", *shards], described(model, {})
    )
    model = bfloat16()
    model.save_weights(folder / "bfloat16.weights.h5")
    groups = groups_by_name(folder / "bfloat16.weights.h5")
    about = "arrays in bfloat16: opaque numbers of two bytes; the states here are those numbers in float32"
    yield fixture(
        "bfloat16-weights-h5", about, "model.save_weights('.weights.h5')", [folder / "bfloat16.weights.h5"], described(model, groups)
    )
