"""The digits net that was trained on TensorFlow, in Keras 3 on JAX: its ONNX export through jax2onnx."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax2onnx
import keras
import numpy as np
import onnx

from fixture import Array, Fixture, Layer

from .digits import ALL, NORMS, STATES, TRAINED, TRAINING_IMAGES, images, kernels_of, state_of, with_weights
from .locate import in_training, locate


def in_training_mode(model: Any, file: Path) -> None:
    """Exports a call with training=True. model.export() on JAX calls the model with training=False whatever its layers were called with."""
    trainable, other = ([variable.value for variable in group] for group in (model.trainable_variables, model.non_trainable_variables))
    spec = [jax.ShapeDtypeStruct((16, 8, 8, 1), np.float32)]

    def call(x: Any) -> Any:
        return model.stateless_call(trainable, other, x, training=True)[0]

    jax2onnx.to_onnx(call, inputs=spec, input_names=["image"], return_mode="file", output_path=str(file))


def exported(
    id: str, about: str, made_by: str, file: Path, x: Array, y: Array, layers: Callable[[onnx.ModelProto], list[Layer]]
) -> Fixture:
    """The fixture of an exported file."""
    graph = onnx.load(file)
    content = {f"keras-jax/{id}.onnx": graph.SerializeToString(deterministic=True)}
    fixture = Fixture(f"keras-jax/{id}", about, made_by, content, layers(graph), {"image": x}, {graph.graph.output[0].name: y})
    fixture.states, fixture.reference = STATES, "Keras 3 on JAX in float32"
    return fixture


def training_layers(states: Any) -> Callable[[onnx.ModelProto], list[Layer]]:
    """The layers by the one ReduceMean that each has."""

    def layers(graph: onnx.ModelProto) -> list[Layer]:
        means = [node.name for node in graph.graph.node if node.op_type == "ReduceMean"]
        return in_training({norm.name: name for norm, name in zip(NORMS, means, strict=True)}, states)

    return layers


def fixtures() -> Iterator[Fixture | dict[str, str]]:
    """The exports of both modes, and those of the net without pools, which onnxruntime can run."""
    model = keras.models.load_model(TRAINED)
    weights, states, kernels = model.get_weights(), state_of(model), kernels_of(model)
    x = images()[0][TRAINING_IMAGES : TRAINING_IMAGES + 16]
    made_by = 'model.export(format="onnx")'
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "digits.onnx"
        for id, about, pooled in (("digits", "", True), ("digits-strided", ", strides in place of pools", False)):
            model = with_weights(keras, weights, pooled=pooled)
            model.export(str(file), format="onnx", verbose=False)
            y = np.asarray(model(x))
            yield exported(
                id, f"Keras 3 on JAX, through jax2onnx{about}", made_by, file, x, y, lambda graph: locate(graph, states, kernels)
            )

        training = with_weights(keras, weights, training=ALL)
        training.export(str(file), format="onnx", verbose=False)
        error = "No error: model.export() calls the model with training=False, which overrules the layers' training=True: inference."
        assert "ReduceMean" not in {node.op_type for node in onnx.load(file).graph.node}
        yield {"id": "keras-jax/digits-training", "about": "every normalization called with training=True", "tool": "keras", "error": error}

        model = with_weights(keras, weights, pooled=False)
        in_training_mode(model, file)
        y = np.asarray(model(x, training=True))
        about = (
            "the net without pools, called with training=True on 16 images: the count is computed in the graph, a Where guards the division"
        )
        made_by = "jax2onnx.to_onnx of model.stateless_call(training=True)"
        yield exported("digits-strided-training", about, made_by, file, x, y, training_layers(states))
