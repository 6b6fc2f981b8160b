"""Finds the layers of the digits net in an exported graph by their numbers: k, the mean, or the weight that k was folded into."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from fixture import FIELDS, Array, Fold, Layer

from .digits import ALL, NORMS, Norm

LINEAR = ("Conv", "MatMul", "Gemm")
# What may stand between a layer and the node that it can be folded into: they only move numbers, or (Add) add a bias.
THROUGH = ("Transpose", "Cast", "Identity", "Reshape", "Add")
PADDING = Fold(reason="padding", why="The Conv after it pads with zeros, which the layer would have turned into something else.")
FOLDED = Fold(reason="already-folded")
TRAINING = Fold(reason="training-mode")


class Constants:
    """Every tensor of a graph that does not depend on its inputs."""

    def __init__(self, model: ModelProto) -> None:
        self.values: dict[str, Array] = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self.computed: set[str] = set()
        opset = list(model.opset_import)
        for node in model.graph.node:
            if node.op_type in ("If", "Loop") or not all(name in self.values for name in node.input if name):
                continue
            outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
            inputs = [helper.make_empty_tensor_value_info(name) for name in dict.fromkeys(node.input) if name]
            single = helper.make_model(helper.make_graph([node], "one", inputs, outputs), opset_imports=opset)
            results = ReferenceEvaluator(single).run(None, {info.name: self.values[info.name] for info in inputs})
            self.values.update(zip(node.output, (np.asarray(result) for result in results), strict=True))
            if node.op_type not in ("Constant", "Identity", "Reshape"):
                self.computed.update(node.output)

    def split(self, node: NodeProto) -> tuple[str | None, str | None]:
        """The constant and the other input of a node with two inputs."""
        constant = next((name for name in node.input if name in self.values), None)
        return constant, next((name for name in node.input if name not in self.values), None)


def close(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers, in whatever shape, within float32 rounding."""
    return a.size == b.size and a.dtype.kind == "f" and np.allclose(a.reshape(-1), b.reshape(-1), rtol=1e-5, atol=1e-6)


def folded_numbers(norm: Norm, state: dict[str, Array]) -> tuple[Array, Array]:
    """k = gamma / sqrt(variance + epsilon) and l = beta - mean k, in float64."""
    k = np.float64(state.get("gamma", np.ones(norm.channels))) / np.sqrt(np.float64(state["movingVariance"]) + norm.epsilon)
    return k, np.float64(state.get("beta", np.zeros(norm.channels))) - np.float64(state["movingMean"]) * k


def linear_before(model: ModelProto, constants: Constants, name: str | None) -> NodeProto | None:
    """The Conv or MatMul that a tensor comes from, through nodes that only move numbers or add a bias."""
    while name is not None:
        node = next((node for node in model.graph.node if name in node.output), None)
        if node is None:
            return None
        if node.op_type in LINEAR:
            return node
        if node.op_type not in THROUGH:
            return None
        name = node.input[0] if node.op_type != "Add" else constants.split(node)[1]
    return None


def _layer(norm: Norm, form: str, node: NodeProto, fold: Fold, readable: tuple[str, ...], **options: Any) -> Layer:
    return Layer(norm.name, form, norm.channels, norm.epsilon, norm.momentum, fold, node.name, readable=readable, **options)


def _node_named_batch_normalization(model: ModelProto, constants: Constants, norm: Norm, state: dict[str, Array]) -> Layer | None:
    for node in model.graph.node:
        if node.op_type == "BatchNormalization" and close(constants.values[node.input[3]], state["movingMean"]):
            return _layer(norm, "BatchNormalization", node, _fold(model, constants, norm, node.input[0]), (*FIELDS, "epsilon"))
    return None


def _fold(model: ModelProto, constants: Constants, norm: Norm, x: str | None) -> Fold:
    linear = linear_before(model, constants, x)
    return PADDING if linear is None else Fold(into=linear.name, direction="backward")


def _multiplied(model: ModelProto, constants: Constants, norm: Norm, state: dict[str, Array]) -> Layer | None:
    """A Mul by k: alone with an Add, behind a Sub of the mean, or with k computed in the graph."""
    k, shift = folded_numbers(norm, state)
    for node in model.graph.node:
        constant, other = constants.split(node)
        if node.op_type != "Mul" or constant is None or other is None or not close(constants.values[constant], k):
            continue
        before = next((candidate for candidate in model.graph.node if other in candidate.output), None)
        if before is not None and before.op_type == "Sub" and close(constants.values[before.input[1]], state["movingMean"]):
            readable = tuple(name for name in ("beta", "movingMean") if name in state)
            return _layer(norm, "Sub+Mul+Add", before, _fold(model, constants, norm, before.input[0]), readable)
        add = next(candidate for candidate in model.graph.node if node.output[0] in candidate.input)
        added = constants.values[constants.split(add)[0] or ""]
        assert add.op_type == "Add", (norm.name, add)
        fold = _fold(model, constants, norm, other)
        if constant in constants.computed:
            assert close(added, shift), norm.name
            return _layer(norm, "unfolded", node, fold, (*(name for name in FIELDS if name in state), "epsilon"))
        layer = _layer(norm, "Mul+Add", node, fold, ())
        # An exporter may have moved the bias of the Conv before it behind the Mul.
        layer.findings = () if close(added, shift) else ("bias-merged-into-shift",)
        return layer
    return None


def _folded(model: ModelProto, constants: Constants, norm: Norm, state: dict[str, Array], kernel: Array) -> Layer | None:
    """A Conv or MatMul whose weight is the kernel of the layer before, times k. Kernels are Keras's: output channels last."""
    k, _ = folded_numbers(norm, state)
    expected = (np.float64(kernel).reshape(*kernel.shape[:2], -1) if kernel.shape[-1] == 1 else np.float64(kernel)) * k
    for node in model.graph.node:
        if node.op_type not in LINEAR:
            continue
        weight = constants.values.get(node.input[1])
        if weight is None or weight.size != expected.size:
            continue
        keras_order = np.moveaxis(weight, 0, -1).reshape(*weight.shape[2:], -1) if node.op_type == "Conv" else weight
        if close(np.ascontiguousarray(keras_order), _conv_order(expected) if node.op_type == "Conv" else expected):
            return _layer(norm, "folded", node, FOLDED, ())
    return None


def _conv_order(kernel: Array) -> Array:
    """[H, W, in, out] or [H, W, channels] as [H, W, in * out]."""
    return np.ascontiguousarray(kernel.reshape(*kernel.shape[:2], -1))


def locate(model: ModelProto, states: dict[str, dict[str, Array]], kernels: dict[str, Array], names: tuple[str, ...] = ALL) -> list[Layer]:
    """The layers of these names. `kernels` has the kernel of the layer before each normalization that has one."""
    constants = Constants(model)
    layers = []
    for norm in named(names):
        state = states[norm.name]
        found = _node_named_batch_normalization(model, constants, norm, state) or _multiplied(model, constants, norm, state)
        if found is None and norm.name in kernels:
            found = _folded(model, constants, norm, state, kernels[norm.name])
        assert found is not None, f"{norm.name} is nowhere in the graph"
        found.state = state
        layers.append(found)
    return layers


def in_training(nodes: dict[str, str], states: dict[str, dict[str, Array]], names: tuple[str, ...] = ALL) -> list[Layer]:
    """The layers of these names where a graph computes the statistics of the batch; `nodes` names the ReduceMean of each."""
    layers = []
    for norm in named(names):
        parameters = tuple(name for name in states[norm.name] if name in ("gamma", "beta"))
        options = {"mode": "training", "readable": (*parameters, "epsilon"), "findings": ("training-mode",), "state": states[norm.name]}
        layers.append(Layer(norm.name, "moments", norm.channels, norm.epsilon, norm.momentum, TRAINING, nodes[norm.name], **options))
    return layers


def named(names: tuple[str, ...]) -> list[Norm]:
    """The layers of these names, in the order of the net."""
    return [norm for norm in NORMS if norm.name in names]
