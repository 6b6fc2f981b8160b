"""Layers after a Conv, Gemm or MatMul that must not be folded into it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto, helper

from fixture import Fixture

from .builder import TRAINING, Builder, backward, not_foldable


def start(id: str, about: str) -> Builder:
    """x through a Conv to `hidden`."""
    build = Builder(id, about)
    build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)
    return build


def several_consumers() -> Fixture:
    """The Conv feeds the layer and an Add."""
    build = start("conv-two-consumers-bn", "the Conv feeds the layer and an Add")
    fold = not_foldable("several-consumers", "The Conv's output feeds another node, too.")
    build.norm("bn", "hidden", "normalized", 4, fold, epsilon=1e-3)
    build.node("Add", ["hidden", "normalized"], "y", "add")
    build.output("y")
    return build.fixture()


def consumer_in_branch() -> Fixture:
    """The Conv's second consumer hides in a branch of an If."""
    build = start("conv-consumer-in-branch-bn", "the Conv feeds the layer, and a node in a branch of an If")
    fold = not_foldable("several-consumers", "The Conv's output is used in a branch of an If, too.")
    build.norm("bn", "hidden", "normalized", 4, fold, epsilon=1e-3)
    build.inputs["condition"] = np.array(True)
    build.input_infos.append(helper.make_tensor_value_info("condition", TensorProto.BOOL, []))
    branches = {}
    for branch, op in (("then_branch", "Neg"), ("else_branch", "Abs")):
        info = helper.make_tensor_value_info(f"{branch}_y", TensorProto.FLOAT, None)
        branches[branch] = helper.make_graph([helper.make_node(op, ["hidden"], [f"{branch}_y"], branch)], branch, [], [info])
    build.node("If", ["condition"], "other", "if", **branches)
    build.node("Add", ["other", "normalized"], "y", "add")
    build.output("y")
    return build.fixture()


def graph_output() -> Fixture:
    """The Conv's output is a graph output."""
    build = start("conv-graph-output-bn", "the Conv's output is a graph output, in the middle of the model")
    fold = not_foldable("graph-output", "The Conv's output is an output of the graph.")
    build.norm("bn", "hidden", "normalized", 4, fold, epsilon=1e-3)
    build.node("Relu", ["normalized"], "y")
    build.output("y")
    build.output("hidden")
    return build.fixture()


def training() -> Fixture:
    """A Conv and a layer in training mode."""
    build = start("conv-training-bn", "Conv, layer in training mode: onnxscript folds it, and is wrong")
    build.norm("bn", "hidden", ["y", "mean", "var"], 4, TRAINING, epsilon=1e-3, training_mode=1, findings=("training-mode",))
    build.output("y")
    return build.fixture()


def other_axis() -> Fixture:
    """A Transpose to NHWC puts the rows where the layer expects channels."""
    build = start("conv-transpose-bn-rows", "Conv, Transpose to NHWC, layer: its channels are the rows of the Conv's output")
    fold = not_foldable("other-axis", "The layer's channels are not the Conv's output channels.")
    build.node("Transpose", ["hidden"], "nhwc", "transpose", perm=[0, 2, 3, 1])
    build.norm("bn", "nhwc", "y", 4, fold, epsilon=1e-3)
    build.output("y")
    return build.fixture()


def reshaped() -> Fixture:
    """A Reshape splits the Conv's channels: 4 channels of 4x4 become 8 of 2x4."""
    build = start("conv-reshape-bn", "Conv, Reshape that splits its channels, layer of 8 channels")
    fold = not_foldable("other-axis", "The layer's channels are not the Conv's output channels.")
    build.node("Reshape", ["hidden", build.weight("shape", np.int64([0, 8, 2, 4]))], "reshaped", "reshape")
    build.norm("bn", "reshaped", "y", 8, fold, epsilon=1e-3)
    build.output("y")
    return build.fixture()


def weight_at_run_time() -> Fixture:
    """The Conv's weight is a graph input."""
    build = Builder("conv-runtime-weight-bn", "the Conv's weight is a graph input")
    build.node("Conv", [build.input("x", 2, 3, 6, 6), build.input("weight", 4, 3, 3, 3)], "hidden", "conv")
    fold = not_foldable("not-constant", "The Conv's weight is not a constant of the file.")
    build.norm("bn", "hidden", "y", 4, fold, epsilon=1e-3)
    build.output("y")
    return build.fixture()


def constant_on_the_left() -> Fixture:
    """A MatMul whose constant is on the left: its rows are the channels of the result."""
    build = Builder("matmul-left-constant-bn", "MatMul with the constant on the left, [N, 4, L]: the rows are the channels")
    x = build.input("x", 2, 5, 6)
    build.node("MatMul", [build.weight("weight", build.draw(4, 5, scale=0.5)), x], "hidden", "matmul")
    build.norm("bn", "hidden", "y", 4, backward("matmul", "Into the rows of the constant on the left."), epsilon=1e-3)
    build.output("y", 3)
    return build.fixture()


def other_axis_of_matmul() -> Fixture:
    """The channels of the layer are the middle axis of [N, L, C]; L and C are equal."""
    build = Builder("matmul-other-axis-bn", "MatMul, then a layer whose channels are the middle axis of [N, L, C]")
    build.node("MatMul", [build.input("x", 2, 3, 5), build.weight("weight", build.draw(5, 3, scale=0.5))], "hidden", "matmul")
    fold = not_foldable("other-axis", "The layer's channels are the rows of x, not the columns of the weight; both happen to be 3.")
    build.norm("bn", "hidden", "y", 3, fold, epsilon=1e-3)
    build.output("y", 3)
    return build.fixture()


def fixtures() -> Iterator[Fixture]:
    """One model per reason."""
    first = (several_consumers, consumer_in_branch, graph_output, training, other_axis, reshaped, weight_at_run_time)
    yield from (make() for make in (*first, constant_on_the_left, other_axis_of_matmul))
