"""The digits net in tf-keras 2 with the trained weights: its .h5, and its ONNX exports through tf2onnx."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
import tf_keras

from fixture import Fixture, Fold, Layer

from .digits import ALL, NORMS, STATES, TRAINED, TRAINING_IMAGES, build, images, kernels_of, state_of, with_weights
from .locate import in_training, locate


def export(model: Any, **call: Any) -> onnx.ModelProto:
    """tf2onnx of a call of the model."""
    signature = [tf.TensorSpec((None, 8, 8, 1), tf.float32, name="image")]
    function = tf.function(lambda image: model(image, **call))
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    return tf2onnx.convert.from_function(function, signature, opset=15)[0]


def h5(model: Any, folder: Path) -> Fixture:
    """The .h5 of tf-keras: the same numbers as those of Keras 3, other paths."""
    model.save(folder / "digits.h5")
    groups: dict[str, str] = {}
    with h5py.File(folder / "digits.h5") as file:
        for norm in NORMS:
            group = file["model_weights"][norm.name]
            groups[norm.name] = f"model_weights/{norm.name}/{str(group.attrs['weight_names'][0]).rsplit('/', 1)[0]}"
    no_graph = Fold(reason="no-graph")
    layers = []
    for norm in NORMS:
        state = state_of(model)[norm.name]
        options = {"readable": tuple(state), "state": state}
        layers.append(Layer(norm.name, "weights", norm.channels, norm.epsilon, norm.momentum, no_graph, groups[norm.name], **options))
    content = {"tf-keras/digits.h5": (folder / "digits.h5").read_bytes()}
    return Fixture(
        "tf-keras/digits-h5", "the digits net of Keras 3 as tf-keras saves it", "tf_keras model.save('.h5')", content, layers, states=STATES
    )


def fixtures() -> Iterator[Fixture | dict[str, str]]:
    """The .h5 and both modes."""
    trained = keras.models.load_model(TRAINED)
    model = build(tf_keras)
    for layer in trained.layers:
        model.get_layer(layer.name).set_weights(layer.get_weights())
    x = images()[0][TRAINING_IMAGES : TRAINING_IMAGES + 16]
    states, kernels = state_of(model), kernels_of(model)
    with tempfile.TemporaryDirectory() as name:
        yield h5(model, Path(name))
    graph = export(model)
    y = np.asarray(model(x))
    options = {"states": STATES, "reference": "tf-keras in float32"}
    content = {"tf-keras/digits.onnx": graph.SerializeToString(deterministic=True)}
    outputs = {graph.graph.output[0].name: y}
    about = "tf-keras 2, through tf2onnx"
    layers = locate(graph, states, kernels)
    yield Fixture("tf-keras/digits", about, "tf2onnx.convert.from_function", content, layers, {"image": x}, outputs, **options)
    graph = export(model, training=True)
    # Fused layers (rank 4) come out in inference mode, with a warning only; the layer after Dense is spelled out, and in training mode.
    fused = ALL[:-1]
    layers = [replace(layer, findings=("exported-as-inference",)) for layer in locate(graph, states, kernels, fused)]
    layers += in_training({"dense_norm": "digits/dense_norm/moments/mean"}, states, ("dense_norm",))
    half = with_weights(tf_keras, model.get_weights(), training=ALL[-1:])
    outputs = {graph.graph.output[0].name: np.asarray(half(x))}
    off = float(np.abs(np.asarray(model(x, training=True)) - np.asarray(half(x))).max())
    content = {"tf-keras/digits-training.onnx": graph.SerializeToString(deterministic=True)}
    about = "the same called with training=True: four layers come out as inference, one in training mode"
    notes = (f"The output is that of Keras with only dense_norm in training mode; with all five it differs by {off:.1g}.",)
    yield Fixture(
        "tf-keras/digits-training", about, "tf2onnx.convert.from_function", content, layers, {"image": x}, outputs, notes=notes, **options
    )
