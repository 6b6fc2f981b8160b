"""Builds one small ONNX model, and remembers what is in it."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fixture import Array, Fixture, Fold, Layer
from reference import run_in_float64

TRAINING = Fold(reason="training-mode")
NOTHING_NEAR = Fold(reason="no-neighbour")


def not_foldable(reason: str, why: str) -> Fold:
    """A layer that has to stay, with the reason."""
    return Fold(reason=reason, why=why)


def backward(into: str, why: str | None = None) -> Fold:
    """A layer that goes into the node before it."""
    return Fold(into=into, direction="backward", why=why)


def forward(into: str, why: str | None = None) -> Fold:
    """A layer that goes into the node after it."""
    return Fold(into=into, direction="forward", why=why)


class Builder:
    """Collects nodes, initializers and layers. Everything drawn depends on the id alone, so a new model changes no other."""

    def __init__(self, id: str, about: str, opset: int = 17, ir_version: int = 8) -> None:
        self.id, self.about, self.opset, self.ir_version = f"handmade/{id}", about, opset, ir_version
        self.random = np.random.Generator(np.random.PCG64(zlib.crc32(id.encode())))
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.input_infos: list[Any] = []
        self.output_infos: list[Any] = []
        self.functions: list[Any] = []
        self.domains: dict[str, int] = {}
        self.layers: list[Layer] = []
        self.inputs: dict[str, Array] = {}
        self.notes: list[str] = []

    def draw(self, *shape: int, scale: float = 1.0) -> Array:
        """Normal numbers in float32."""
        return np.float32(self.random.normal(size=shape) * scale)

    def state(self, channels: int, **given: Any) -> dict[str, Array]:
        """A trained-looking state: no two arrays alike, one gamma negative, variances over two decades."""
        drawn = {
            "gamma": np.float32(self.random.uniform(0.5, 1.5, channels) * np.where(np.arange(channels) == 1, -1, 1)),
            "beta": self.draw(channels, scale=0.3),
            "movingMean": self.draw(channels, scale=0.5),
            "movingVariance": np.float32(10.0 ** self.random.uniform(-1, 1, channels)),
        }
        return {name: np.asarray(given.get(name, value)) for name, value in drawn.items()}

    def input(self, name: str, *shape: int, type: int = TensorProto.FLOAT, free: tuple[int, ...] = ()) -> str:
        """A graph input with drawn values; the dimensions in `free` have a name instead of a size."""
        dimensions = [f"{name}_{i}" if i in free else size for i, size in enumerate(shape)]
        self.input_infos.append(helper.make_tensor_value_info(name, type, dimensions))
        self.inputs[name] = self.draw(*shape).astype(helper.tensor_dtype_to_np_dtype(type))
        return name

    def weight(self, name: str, value: Array) -> str:
        """An initializer."""
        self.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, op: str, inputs: list[str], outputs: list[str] | str, name: str = "", **attributes: Any) -> str:
        """A node; returns its first output."""
        outs = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(op, inputs, outs, name or outs[0], **attributes))
        return outs[0]

    def parameters(self, name: str, state: dict[str, Array]) -> list[str]:
        """The four initializers of a layer, in the order of BatchNormalization's inputs."""
        suffixes = ("scale", "B", "mean", "var")
        return [self.weight(f"{name}.{suffix}", value) for suffix, value in zip(suffixes, state.values(), strict=True)]

    def norm(self, name: str, x: str, y: str | list[str], channels: int, fold: Fold = NOTHING_NEAR, **options: Any) -> str:
        """A BatchNormalization node with a state of its own. `epsilon` and `momentum` are attributes only where they are given."""
        state = options.pop("state", None) or self.state(channels)
        inputs = options.pop("inputs", None) or self.parameters(name, state)
        findings = options.pop("findings", ())
        readable = options.pop("readable", None)
        self.node("BatchNormalization", [x, *inputs], y, name, **options)
        self.describe(
            name, channels, state, fold, findings=findings, outputs=1 if isinstance(y, str) else sum(name != "" for name in y), **options
        )
        if readable is not None:
            self.layers[-1].readable = readable
        return y if isinstance(y, str) else y[0]

    def describe(self, name: str, channels: int, state: dict[str, Array], fold: Fold, **options: Any) -> None:
        """The layer that a BatchNormalization node is."""
        training = options.get("training_mode") == 1 or (self.opset < 14 and options["outputs"] == 5)
        self.layers.append(
            Layer(
                name=name,
                form="BatchNormalization",
                mode="training" if training else "inference",
                graph=options.get("graph", ""),
                node=name,
                channels=channels,
                epsilon=float(np.float32(options.get("epsilon", 1e-5))),
                momentum=float(np.float32(options.get("momentum", 0.9))),
                fold=fold,
                findings=options.get("findings", ()),
                state={key: np.asarray(value) for key, value in state.items()},
            )
        )

    def conv(self, name: str, x: str, y: str, weight: tuple[int, ...], bias: int = 0, op: str = "Conv", **attributes: Any) -> str:
        """A Conv or ConvTranspose with drawn weight, and a bias of so many channels unless 0."""
        inputs = [x, self.weight(f"{name}.weight", self.draw(*weight, scale=0.4))]
        if bias:
            inputs.append(self.weight(f"{name}.bias", self.draw(bias)))
        return self.node(op, inputs, y, name, **attributes)

    def output(self, name: str, rank: int = 4, type: int = TensorProto.FLOAT) -> None:
        """A graph output of free shape."""
        self.output_infos.append(helper.make_tensor_value_info(name, type, [None] * rank))

    def listed(self) -> list[Any]:
        """The initializers as graph inputs, which IR version 3 demands and later ones understand as default values."""
        return [helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in self.initializers]

    def model(self) -> ModelProto:
        """The model, checked by onnx."""
        inputs = [*self.input_infos, *(self.listed() if self.ir_version < 4 else [])]
        graph = helper.make_graph(self.nodes, "graph", inputs, self.output_infos, self.initializers)
        imports = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(d, v) for d, v in self.domains.items())]
        model = helper.make_model(graph, opset_imports=imports, functions=self.functions, producer_name="batchnorm-tests")
        model.ir_version = self.ir_version
        onnx.checker.check_model(model)
        return model

    def fixture(self, files: Callable[[ModelProto], dict[str, bytes]] | None = None) -> Fixture:
        """The fixture, its outputs computed in float64. `files` may store the model in another way than one file."""
        model = self.model()
        stored = {f"{self.id}.onnx": model.SerializeToString(deterministic=True)} if files is None else files(model)
        return Fixture(
            id=self.id,
            about=self.about,
            made_by=f"onnx helper ({Path(sys._getframe(1).f_code.co_filename).name})",
            files=stored,
            layers=self.layers,
            inputs=self.inputs,
            outputs=run_in_float64(model, self.inputs),
            reference="onnx ReferenceEvaluator in float64",
            notes=tuple(self.notes),
        )
