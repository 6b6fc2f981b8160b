"""Executes a small ONNX graph in float64: the truth that an exported or hand-made model is held against."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from fixture import Array

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


class BatchNormalization(OpRun):  # type: ignore[misc]
    """BatchNormalization of opset 6 to 15. onnx's own normalizes with the updated statistics in opset 9's training mode,
    knows no `spatial`, and takes the mode of opset 9 from the momentum."""

    op_domain = ""

    def _run(self, x: Array, scale: Array, b: Array, mean: Array, var: Array, **attributes: Any) -> tuple[Array, ...]:
        epsilon = attributes.get("epsilon") or 1e-5
        momentum = attributes.get("momentum")
        momentum = 0.9 if momentum is None else momentum
        # An optional output without a name is absent, wherever it stands.
        wanted = [name != "" for name in self.onnx_node.output]
        if attributes.get("spatial") == 0:
            return (scale * (x - mean) / np.sqrt(var + epsilon) + b,)
        shape = (1, -1, *(1 for _ in x.shape[2:]))
        training = attributes.get("training_mode") == 1 or sum(wanted) == 5
        axes = tuple(axis for axis in range(x.ndim) if axis != 1)
        m, v = (x.mean(axis=axes), x.var(axis=axes)) if training else (mean, var)
        y = scale.reshape(shape) * (x - m.reshape(shape)) / np.sqrt(v.reshape(shape) + epsilon) + b.reshape(shape)
        new = (mean * momentum + m * (1 - momentum), var * momentum + v * (1 - momentum))
        return tuple(value for value, _ in zip((y, *new, m, v), wanted, strict=False))


class ConvTranspose(OpRun):  # type: ignore[misc]
    """ConvTranspose with explicit padding. onnx's own fails on groups."""

    op_domain = ""

    def _run(self, x: Array, w: Array, b: Array | None = None, **attributes: Any) -> tuple[Array]:
        rank, group = x.ndim - 2, attributes.get("group") or 1
        strides, dilations = (attributes.get(name) or [1] * rank for name in ("strides", "dilations"))
        pads, extra = attributes.get("pads") or [0] * 2 * rank, attributes.get("output_padding") or [0] * rank
        full = [strides[i] * (x.shape[2 + i] - 1) + dilations[i] * (w.shape[2 + i] - 1) + 1 + extra[i] for i in range(rank)]
        y = np.zeros((x.shape[0], group, w.shape[1], *full))
        grouped = x.reshape(x.shape[0], group, -1, *x.shape[2:])
        for tap in np.ndindex(*w.shape[2:]):
            weight = w[(slice(None), slice(None), *tap)].reshape(group, -1, w.shape[1])
            places = [
                slice(tap[i] * dilations[i], tap[i] * dilations[i] + strides[i] * (x.shape[2 + i] - 1) + 1, strides[i]) for i in range(rank)
            ]
            y[(..., *places)] += np.einsum("ngi...,gio->ngo...", grouped, weight)
        y = y.reshape(x.shape[0], -1, *full)
        y = y[(..., *(slice(pads[i], full[i] - pads[rank + i]) for i in range(rank)))]
        return (y if b is None else y + b.reshape(-1, *(1 for _ in range(rank))),)


def _double_tensor(tensor: TensorProto) -> None:
    if tensor.data_type in FLOATS:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def _double_attribute(node: NodeProto, attribute: AttributeProto) -> None:
    if attribute.type == AttributeProto.TENSOR:
        _double_tensor(attribute.t)
    elif attribute.type == AttributeProto.GRAPH:
        _double_graph(attribute.g)
    elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATS:
        attribute.i = TensorProto.DOUBLE
    elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
        values = np.float64(attribute.f if attribute.name == "value_float" else list(attribute.floats))
        attribute.CopyFrom(onnx.helper.make_attribute("value", numpy_helper.from_array(values)))


def _double_nodes(nodes: Any) -> None:
    for node in nodes:
        for attribute in node.attribute:
            _double_attribute(node, attribute)


def _double_graph(graph: GraphProto) -> None:
    for tensor in graph.initializer:
        _double_tensor(tensor)
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.type.tensor_type.elem_type in FLOATS:
            info.type.tensor_type.elem_type = TensorProto.DOUBLE
    _double_nodes(graph.node)


def in_float64(model: ModelProto) -> ModelProto:
    """A copy of the model in which every float32 and float16 tensor, type and cast is float64."""
    double = ModelProto()
    double.CopyFrom(model)
    _double_graph(double.graph)
    for function in double.functions:
        _double_nodes(function.node)
    return double


def run_in_float64(model: ModelProto, inputs: dict[str, Array]) -> dict[str, Array]:
    """The model's outputs in float64, by their names. External data must have been loaded."""
    evaluator = ReferenceEvaluator(in_float64(model), new_ops=[BatchNormalization, ConvTranspose])
    feeds = {name: np.float64(value) if value.dtype.kind == "f" else value for name, value in inputs.items()}
    with np.errstate(invalid="ignore"):  # some models have a negative variance
        results = evaluator.run(None, feeds)
    return {info.name: np.asarray(value) for info, value in zip(model.graph.output, results, strict=True)}
