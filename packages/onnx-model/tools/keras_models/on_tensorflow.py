"""Trains the digits net in Keras 3 on TensorFlow; its weight files; its ONNX exports through tf2onnx."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import onnx
import tensorflow as tf

from fixture import Array, Fixture, Fold, Layer

from . import awkward_weights
from .digits import ALL, BATCH, EPOCHS, NORMS, SEED, STATES, TRAINING_IMAGES, build, images, kernels_of, state_of, with_weights
from .locate import in_training, locate

NO_GRAPH = Fold(reason="no-graph")


def train() -> tuple[Any, float]:
    """The trained net and its accuracy on the images that it has not seen."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(SEED)
    model = build(keras)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
    x, labels = images()
    seen, unseen = slice(0, TRAINING_IMAGES), slice(TRAINING_IMAGES, None)
    model.fit(x[seen], labels[seen], batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
    return model, float(model.evaluate(x[unseen], labels[unseen], verbose=0)[1])


def weight_groups(path: Path) -> dict[str, str]:
    """For every layer of a Keras 3 weight file the path of the group with its arrays, which are numbered."""
    groups: dict[str, str] = {}

    def visit(name: str, group: Any) -> None:
        if isinstance(group, h5py.Group) and name.endswith("vars") and len(group):
            groups[str(group.attrs["name"])] = name

    with h5py.File(path) as file:
        file.visititems(visit)
    return groups


def weight_layers(states: dict[str, dict[str, Array]], groups: dict[str, str]) -> list[Layer]:
    """The layers of a weight file; `node` is the path of the group that holds a layer's arrays."""
    return [
        Layer(
            norm.name,
            "weights",
            norm.channels,
            norm.epsilon,
            norm.momentum,
            NO_GRAPH,
            groups[norm.name],
            readable=tuple(state),
            state=state,
        )
        for norm in NORMS
        for state in [states[norm.name]]
    ]


def weight_files(model: Any, accuracy: float, folder: Path) -> Iterator[Fixture]:
    """.keras, legacy .h5 and .weights.h5 of the net."""
    states = state_of(model)
    model.save_weights(folder / "digits.weights.h5")  # with the optimizer's arrays
    bare = with_weights(keras, model.get_weights())
    bare.save(folder / "digits.keras")
    bare.save(folder / "digits.h5")
    groups = weight_groups(folder / "digits.weights.h5")
    x = images()[0][TRAINING_IMAGES : TRAINING_IMAGES + 4]
    note = f"trained on {TRAINING_IMAGES} images for {EPOCHS} epochs; accuracy {accuracy:.3f} on the others"
    about = "scikit-learn's digits: five layers of different epsilon and momentum, one without scale, one without center"
    full = (
        "model.save(), the .keras format",
        "model.save('.h5'), the legacy format",
        "model.save_weights('.weights.h5') with Adam's arrays",
    )
    for id, file, made_by in zip(("keras", "h5", "weights-h5"), ("digits.keras", "digits.h5", "digits.weights.h5"), full, strict=True):
        legacy = {norm.name: f"model_weights/{norm.name}" for norm in NORMS}
        layers = weight_layers(states, legacy if id == "h5" else groups)
        fixture = Fixture(f"keras/digits-{id}", about, made_by, {f"keras/{file}": (folder / file).read_bytes()}, layers)
        if id == "keras":
            fixture.inputs, fixture.outputs, fixture.notes = {"image": x}, {"digit": np.asarray(model(x))}, (note,)
            fixture.reference = "Keras 3 on TensorFlow in float32"
        else:
            fixture.states = STATES
        yield fixture


def export(model: Any, file: Path, **options: Any) -> onnx.ModelProto:
    """model.export(format="onnx")."""
    model.export(str(file), format="onnx", verbose=False, **options)
    return onnx.load(file)


def exports(model: Any, folder: Path) -> Iterator[Fixture]:
    """The net as it is, and with every normalization called with training=True."""
    states, x = state_of(model), images()[0][TRAINING_IMAGES : TRAINING_IMAGES + 16]
    graph = export(model, folder / "digits.onnx")
    fixture = Fixture("keras/digits-onnx", "Keras 3 on TensorFlow, through tf2onnx", 'model.export(format="onnx")', {}, [])
    fixture.files = {"keras/digits.onnx": graph.SerializeToString(deterministic=True)}
    fixture.layers = locate(graph, states, kernels_of(model))
    y = np.asarray(model(x))
    fixture.inputs, fixture.outputs, fixture.states = {"image": x}, {graph.graph.output[0].name: y}, STATES
    fixture.reference = "Keras 3 on TensorFlow in float32"
    yield fixture
    training = with_weights(keras, model.get_weights(), training=ALL)
    y = np.asarray(training(x))
    training.set_weights(model.get_weights())
    graph = export(training, folder / "training.onnx")
    about = "the same net, every normalization called with training=True"
    names = {norm.name: f"digits_1/{norm.name}_1/moments/mean" for norm in NORMS}
    assert set(names.values()) <= {node.name for node in graph.graph.node}
    layers = in_training(names, states)
    fixture = Fixture(
        "keras/digits-training", about, 'model.export(format="onnx")', {}, layers, {"image": x}, {graph.graph.output[0].name: y}
    )
    fixture.files = {"keras/digits-training.onnx": graph.SerializeToString(deterministic=True)}
    fixture.states, fixture.reference = STATES, "Keras 3 on TensorFlow in float32"
    yield fixture


def fixtures() -> Iterator[Fixture]:
    """Weight files, exports, and weight files of awkward models."""
    with tempfile.TemporaryDirectory() as name:
        model, accuracy = train()
        yield from weight_files(model, accuracy, Path(name))
        yield from exports(model, Path(name))
        yield from awkward_weights.fixtures(Path(name))
