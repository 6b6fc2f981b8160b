"""Layers that go into the node before them: every kind of Conv, ConvTranspose, Gemm and MatMul."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import numpy_helper

from fixture import Fixture

from .builder import Builder, backward

SPATIAL = {1: (9,), 2: (6, 6), 3: (4, 5, 4)}


def conv(id: str, about: str, weight: tuple[int, ...], channels: tuple[int, int], bias: bool, op: str = "Conv", **options: Any) -> Fixture:
    """A convolution from channels[0] to channels[1], then the layer."""
    build = Builder(id, about)
    rank = len(weight)
    build.conv("conv", build.input("x", 2, channels[0], *SPATIAL[rank - 2]), "hidden", weight, channels[1] if bias else 0, op, **options)
    build.norm("bn", "hidden", "y", channels[1], backward("conv"), epsilon=1e-3)
    build.output("y", rank)
    return build.fixture()


def gemm(id: str, about: str, bias: tuple[int, ...] | None, shape: tuple[int, int] = (5, 4), **options: Any) -> Fixture:
    """A Gemm of 5 features to 4, then the layer."""
    build = Builder(id, about)
    x = build.input("x", *((5, 6) if options.get("transA") else (6, 5)))
    inputs = [x, build.weight("gemm.weight", build.draw(*shape, scale=0.5))]
    if bias is not None:
        inputs.append(build.weight("gemm.bias", build.draw(*bias)))
    build.node("Gemm", inputs, "hidden", "gemm", **options)
    build.norm("bn", "hidden", "y", 4, backward("gemm"), epsilon=1e-3)
    build.output("y", 2)
    return build.fixture()


def matmul(add: bool) -> Fixture:
    """MatMul of two matrices, without and with an Add of a bias."""
    build = Builder("matmul-add-bn" if add else "matmul-bn", "MatMul, Add of a bias, layer" if add else "MatMul, layer")
    build.node("MatMul", [build.input("x", 6, 5), build.weight("weight", build.draw(5, 4, scale=0.5))], "hidden", "matmul")
    if add:
        build.node("Add", ["hidden", build.weight("bias", build.draw(4))], "sum", "add")
    build.norm("bn", "sum" if add else "hidden", "y", 4, backward("matmul"), epsilon=1e-3)
    build.output("y", 2)
    return build.fixture()


def matmul_transposed() -> Fixture:
    """MatMul over the last axis of [N, L, C], a Transpose to [N, C, L], the layer: as point clouds and transformers have it."""
    build = Builder("matmul-transpose-bn", "MatMul on [N, L, C], Transpose to [N, C, L], layer")
    build.node("MatMul", [build.input("x", 2, 6, 5), build.weight("weight", build.draw(5, 4, scale=0.5))], "hidden", "matmul")
    build.node("Transpose", ["hidden"], "transposed", "transpose", perm=[0, 2, 1])
    build.norm("bn", "transposed", "y", 4, backward("matmul"), epsilon=1e-3)
    build.output("y", 3)
    return build.fixture()


def between_transposes() -> Fixture:
    """tf2onnx's pattern before its optimizer: to NCHW for the Conv, to NHWC and back again before the layer."""
    build = Builder("conv-transposes-bn", "Conv, Transpose to NHWC, Transpose back to NCHW, layer, Transpose to NHWC")
    build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)
    build.node("Transpose", ["hidden"], "nhwc", "to_nhwc", perm=[0, 2, 3, 1])
    build.node("Transpose", ["nhwc"], "nchw", "to_nchw", perm=[0, 3, 1, 2])
    build.norm("bn", "nchw", "normalized", 4, backward("conv"), epsilon=1e-3)
    build.node("Transpose", ["normalized"], "y", "to_nhwc_again", perm=[0, 2, 3, 1])
    build.output("y")
    return build.fixture()


def two_in_a_row() -> Fixture:
    """Two layers in a row after a Conv: both go in, one after the other."""
    build = Builder("conv-bn-bn", "Conv, two layers in a row")
    build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)
    build.norm("first", "hidden", "between", 4, backward("conv"), epsilon=1e-3)
    build.norm("second", "between", "y", 4, backward("conv", "After the first one is folded."), epsilon=1e-5)
    build.output("y")
    return build.fixture()


def shared_weight() -> Fixture:
    """One weight for two Convs, each with a layer of its own: each needs its own copy."""
    build = Builder("shared-conv-weight", "one weight in two Convs, each followed by a layer of its own")
    x = build.input("x", 2, 3, 6, 6)
    build.weight("weight", build.draw(3, 3, 3, 3, scale=0.4))
    why = "The weight is shared: it has to be copied first."
    for name in ("first", "second"):
        build.node("Conv", [x, "weight"], f"{name}_hidden", f"{name}_conv", pads=[1, 1, 1, 1])
        x = "y" if name == "second" else "between"
        build.norm(f"{name}_bn", f"{name}_hidden", x, 3, backward(f"{name}_conv", why), epsilon=1e-3)
    build.output("y")
    return build.fixture()


def half_shared_weight() -> Fixture:
    """One weight for two Convs, only one of them followed by a layer. A fold in place would change the other's result."""
    build = Builder("shared-conv-weight-one-bn", "one weight and bias in two Convs, only one followed by a layer")
    x = build.input("x", 2, 3, 6, 6)
    build.weight("weight", build.draw(3, 3, 3, 3, scale=0.4))
    build.weight("bias", build.draw(3))
    build.node("Conv", [x, "weight", "bias"], "first_hidden", "first_conv")
    build.node("Conv", [x, "weight", "bias"], "plain", "second_conv")
    why = "Weight and bias are shared: they have to be copied first."
    build.norm("bn", "first_hidden", "y", 3, backward("first_conv", why), epsilon=1e-3)
    build.output("y")
    build.output("plain")
    return build.fixture()


def bn_used_twice() -> Fixture:
    """The layer's output has two consumers and is a graph output, which does no harm."""
    build = Builder("conv-bn-used-twice", "Conv, layer; the layer's output feeds two nodes and is a graph output")
    build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)
    build.norm("bn", "hidden", "normalized", 4, backward("conv"), epsilon=1e-3)
    build.node("Relu", ["normalized"], "relu")
    build.node("Add", ["relu", "normalized"], "y", "add")
    build.output("y")
    build.output("normalized")
    return build.fixture()


def constant_weight() -> Fixture:
    """The Conv's weight is a Constant node behind an Identity."""
    build = Builder("conv-constant-weight-bn", "the Conv's weight is a Constant node behind an Identity")
    build.node("Constant", [], "stored", value=numpy_helper.from_array(build.draw(4, 3, 3, 3, scale=0.4)))
    build.node("Identity", ["stored"], "weight")
    build.node("Conv", [build.input("x", 2, 3, 6, 6), "weight"], "hidden", "conv")
    build.norm("bn", "hidden", "y", 4, backward("conv"), epsilon=1e-3)
    build.output("y")
    return build.fixture()


def large_mean() -> Fixture:
    """A mean of 10000 over a deviation of 1: the folded bias cancels, so the bound has to grow with it."""
    build = Builder("conv-bn-large-mean", "Conv with a bias near 10000, statistics around that: the fold cancels five digits")
    build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3))
    build.nodes[-1].input.append(build.weight("conv.bias", np.float32(1e4 + build.draw(4))))
    state = build.state(4, movingMean=np.float32(1e4 + build.draw(4)), movingVariance=np.float32([1, 2, 0.5, 3]))
    build.norm("bn", "hidden", "y", 4, backward("conv"), state=state, epsilon=1e-3)
    build.output("y")
    return build.fixture()


def fixtures() -> Iterator[Fixture]:
    """One model per pattern."""
    yield conv("conv-bn", "Conv without bias", (4, 3, 3, 3), (3, 4), False, pads=[1, 1, 1, 1])
    yield conv("conv-bias-bn", "Conv with bias, strides and dilations", (4, 3, 3, 3), (3, 4), True, strides=[2, 1], dilations=[1, 2])
    yield conv("conv1d-bn", "Conv of rank 3", (4, 3, 3), (3, 4), True)
    yield conv("conv3d-bn", "Conv of rank 5", (4, 3, 2, 2, 2), (3, 4), False)
    yield conv("conv-grouped-bn", "Conv in 2 groups", (6, 2, 3, 3), (4, 6), True, group=2)
    yield conv("conv-depthwise-bn", "depthwise Conv", (4, 1, 3, 3), (4, 4), False, group=4, pads=[1, 1, 1, 1])
    yield conv("conv-depthwise-multiplier-bn", "depthwise Conv, two outputs a channel", (6, 1, 3, 3), (3, 6), True, group=3)
    yield conv("convtranspose-bn", "ConvTranspose without bias", (3, 4, 3, 3), (3, 4), False, "ConvTranspose", strides=[2, 2])
    options = {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
    yield conv(
        "convtranspose-bias-bn", "ConvTranspose with bias, padding, output padding", (3, 4, 3, 3), (3, 4), True, "ConvTranspose", **options
    )
    yield conv("convtranspose-grouped-bn", "ConvTranspose in 2 groups", (4, 3, 3, 3), (4, 6), True, "ConvTranspose", group=2)
    yield conv("convtranspose-grouped-no-bias-bn", "the same without bias", (4, 3, 3, 3), (4, 6), False, "ConvTranspose", group=2)
    yield conv("convtranspose-depthwise-bn", "depthwise ConvTranspose", (4, 1, 3, 3), (4, 4), True, "ConvTranspose", group=4)
    yield gemm("gemm-bn", "Gemm, transB 0", (4,))
    yield gemm("gemm-transb-bn", "Gemm, transB 1", (4,), (4, 5), transB=1)
    yield gemm("gemm-alpha-beta-bn", "Gemm, alpha 0.5, beta 2", (4,), alpha=0.5, beta=2.0)
    yield gemm(
        "gemm-alpha-beta-transb-bn",
        "Gemm, alpha 0.5, beta 0.25, transB 1, transA 1",
        (4,),
        (4, 5),
        alpha=0.5,
        beta=0.25,
        transB=1,
        transA=1,
    )
    yield gemm("gemm-no-bias-bn", "Gemm without C, alpha 3", None, alpha=3.0)
    yield gemm("gemm-beta-0-bn", "Gemm with beta 0: C is not added", (4,), beta=0.0)
    yield gemm("gemm-scalar-bias-bn", "Gemm whose C is one number", (1,))
    yield gemm("gemm-row-bias-bn", "Gemm whose C is [1, 4]", (1, 4), beta=0.5)
    yield matmul(False)
    yield matmul(True)
    others = (matmul_transposed, between_transposes, two_in_a_row, shared_weight, half_shared_weight, bn_used_twice, constant_weight)
    yield from (make() for make in (*others, large_mean))
