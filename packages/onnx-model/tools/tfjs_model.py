"""The tfjs layers model that the tests of backend-tfjs have: only described here, not copied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fixture import Array, Fixture, Fold, Layer

FOLDER = Path(__file__).resolve().parents[2] / "backend-tfjs" / "test" / "fixtures" / "digits"
FIELDS = {"gamma": "gamma", "beta": "beta", "moving_mean": "movingMean", "moving_variance": "movingVariance"}


def weights() -> dict[str, Array]:
    """Every array of weights.bin by its name in model.json."""
    manifest = json.loads((FOLDER / "model.json").read_text())["weightsManifest"]
    arrays, offset = {}, 0
    data = (FOLDER / "weights.bin").read_bytes()
    for entry in manifest[0]["weights"]:
        count = int(np.prod(entry["shape"]))
        arrays[entry["name"]] = np.frombuffer(data, np.float32, count, offset).reshape(entry["shape"])
        offset += 4 * count
    assert offset == len(data)
    return arrays


def fixtures() -> Iterator[Fixture]:
    """One model, its layers in the order of the file."""
    arrays = weights()
    topology = json.loads((FOLDER / "model.json").read_text())["modelTopology"]["model_config"]["config"]["layers"]
    layers = []
    for layer in topology:
        if layer["class_name"] != "BatchNormalization":
            continue
        config = layer["config"]
        name = config["name"]
        state = {ours: arrays[f"{name}/{theirs}"] for theirs, ours in FIELDS.items() if f"{name}/{theirs}" in arrays}
        options = {"readable": (*state, "epsilon"), "state": state}
        channels = len(state["movingMean"])
        fold = Fold(reason="no-graph")
        layers.append(Layer(name, "weights", channels, config["epsilon"], config["momentum"], fold, name, **options))
    about = "a tf-keras model in the form of tensorflowjs_converter: model.json and weights.bin"
    made_by = "packages/backend-tfjs/tools/record-fine-tuning.py"
    path = "../../../backend-tfjs/test/fixtures/digits/model.json"
    yield Fixture("tfjs/digits", about, made_by, {}, layers, existing=path, notes=("middle is frozen (trainable false)",))
