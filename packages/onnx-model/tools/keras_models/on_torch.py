"""The digits net that was trained on TensorFlow, in Keras 3 on PyTorch: TorchScript for a free batch, dynamo for a fixed one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import onnx
import torch

from fixture import Fixture

from .digits import ALL, STATES, TRAINED, TRAINING_IMAGES, images, kernels_of, state_of, with_weights
from .locate import locate

BATCH = 4
STACK_TRACE = "pkg.torch.onnx.stack_trace"


def without_stack_traces(model: Any) -> Any:
    """The model without the metadata that names the exporting machine's folders."""
    graph = model.graph
    for owner in (*graph.node, *graph.value_info, *graph.initializer, *graph.input, *graph.output):
        kept = [entry for entry in owner.metadata_props if entry.key != STACK_TRACE]
        del owner.metadata_props[:]
        owner.metadata_props.extend(kept)
    return model


def fixtures() -> Iterator[Fixture | dict[str, str]]:
    """Both batches, and training mode."""
    torch.set_num_threads(1)
    model = keras.models.load_model(TRAINED)
    states, kernels = state_of(model), kernels_of(model)
    x = images()[0][TRAINING_IMAGES : TRAINING_IMAGES + BATCH]
    y = model(x).detach().numpy()
    fixed = [keras.InputSpec(shape=(BATCH, 8, 8, 1), dtype="float32", name="image")]
    made_by = 'model.export(format="onnx")'
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "digits.onnx"
        for id, how, signature in (("dynamic", "TorchScript, a free batch", None), ("static", "dynamo, a batch of 4", fixed)):
            model.export(str(file), format="onnx", verbose=False, input_signature=signature)
            graph = without_stack_traces(onnx.load(file))
            content = {f"keras-torch/digits-{id}.onnx": graph.SerializeToString(deterministic=True)}
            outputs = {graph.graph.output[0].name: y}
            fixture = Fixture(f"keras-torch/digits-{id}", f"Keras 3 on PyTorch: {how}", made_by, content, locate(graph, states, kernels))
            fixture.inputs, fixture.outputs, fixture.states, fixture.reference = (
                {"image": x},
                outputs,
                STATES,
                "Keras 3 on PyTorch in float32",
            )
            yield fixture
        training = with_weights(keras, model.get_weights(), training=ALL)
        for id, signature in (("dynamic", None), ("static", fixed)):
            try:
                training.export(str(file), format="onnx", verbose=False, input_signature=signature)
                raise AssertionError("training mode can be exported now: make a fixture of it")
            except ValueError as error:
                text = f"{type(error).__name__}: {error}"[:300]
            about = "every normalization called with training=True"
            yield {"id": f"keras-torch/digits-training-{id}", "about": about, "tool": "keras on torch", "error": text}
