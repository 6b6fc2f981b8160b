"""Layers that go into the node after them, and layers before a node that cannot take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fixture import Fixture

from .builder import Builder, Fold, forward, not_foldable

PADDING = not_foldable("padding", "The Conv pads with zeros, which the layer would have turned into something else.")


def before_conv(id: str, about: str, fold: Fold, weight: tuple[int, ...], given: dict[str, Any] | None = None, **options: Any) -> Fixture:
    """A layer of three channels, then a Conv or ConvTranspose."""
    build = Builder(id, about)
    bias, op = options.pop("bias", 4), options.pop("op", "Conv")
    build.norm("bn", build.input("x", 2, 3, 6, 6), "normalized", 3, fold, state=build.state(3, **(given or {})), epsilon=1e-3)
    build.conv("conv", "normalized", "y", weight, bias, op, **options)
    build.output("y")
    return build.fixture()


def zero_shift() -> Fixture:
    """Mean and beta are 0: zeros stay zeros, so padding does not matter."""
    given = {"beta": np.float32([0, 0, 0]), "movingMean": np.float32([0, 0, 0])}
    about = "the layer before a padded Conv has mean 0 and beta 0: it maps 0 to 0, and can be folded"
    return before_conv("bn-conv-padded-zero-shift", about, forward("conv"), (4, 3, 3, 3), given, pads=[1, 1, 1, 1])


def before_dense(op: str, **options: Any) -> Fixture:
    """A layer, then Gemm or MatMul."""
    transposed = options.get("transB") == 1
    build = Builder(f"bn-{op.lower()}{'-transb' if transposed else ''}", f"layer, {op}{', transB 1, alpha 0.5' if transposed else ''}")
    build.norm("bn", build.input("x", 6, 5), "normalized", 5, forward("dense"), epsilon=1e-3)
    inputs = ["normalized", build.weight("dense.weight", build.draw(*((4, 5) if transposed else (5, 4)), scale=0.5))]
    if op == "Gemm":
        inputs.append(build.weight("dense.bias", build.draw(4)))
    build.node(op, inputs, "y", "dense", **options)
    build.output("y", 2)
    return build.fixture()


def between() -> Fixture:
    """A layer between two Convs: backward is the natural way."""
    build = Builder("conv-bn-conv", "Conv, layer, Conv: it can go either way")
    build.conv("before", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)
    why = "It could go forward into the other Conv, too."
    build.norm("bn", "hidden", "normalized", 4, Fold(into="before", direction="backward", why=why), epsilon=1e-3)
    build.conv("after", "normalized", "y", (2, 4, 3, 3))
    build.output("y")
    return build.fixture()


def two_consumers() -> Fixture:
    """The layer before a Conv has a second consumer."""
    build = Builder("bn-conv-two-consumers", "layer, Conv; the layer feeds an Add, too")
    fold = not_foldable("several-consumers", "The layer's output feeds another node, too.")
    build.norm("bn", build.input("x", 2, 3, 6, 6), "normalized", 3, fold, epsilon=1e-3)
    build.conv("conv", "normalized", "hidden", (3, 3, 1, 1))
    build.node("Add", ["hidden", "normalized"], "y", "add")
    build.output("y")
    return build.fixture()


def relu_between() -> Fixture:
    """Pre-activation: a Relu stands between layer and Conv."""
    build = Builder("bn-relu-conv", "layer, Relu, Conv: pre-activation")
    fold = not_foldable("not-linear", "A Relu stands between the layer and the Conv.")
    build.norm("bn", build.input("x", 2, 3, 6, 6), "normalized", 3, fold, epsilon=1e-3)
    build.node("Relu", ["normalized"], "relu")
    build.conv("conv", "relu", "y", (4, 3, 3, 3))
    build.output("y")
    return build.fixture()


def fixtures() -> Iterator[Fixture]:
    """One model per pattern."""
    into = forward("conv")
    yield before_conv("bn-conv", "layer, Conv without padding", into, (4, 3, 3, 3))
    yield before_conv("bn-conv-no-bias", "layer, Conv without padding or bias, strides", into, (4, 3, 3, 3), bias=0, strides=[2, 2])
    yield before_conv("bn-conv-grouped", "layer, Conv in 3 groups, two outputs each", into, (6, 1, 3, 3), bias=6, group=3)
    yield before_conv("bn-conv-auto-pad-valid", "layer, Conv with auto_pad VALID", into, (4, 3, 3, 3), auto_pad="VALID")
    yield before_conv("bn-conv-padded", "layer, Conv with padding", PADDING, (4, 3, 3, 3), pads=[1, 1, 1, 1])
    yield before_conv("bn-conv-auto-pad-same", "layer, Conv with auto_pad SAME_UPPER", PADDING, (4, 3, 3, 3), auto_pad="SAME_UPPER")
    same = "layer, Conv of 1x1 with auto_pad SAME_UPPER, which pads nothing"
    yield before_conv("bn-conv-auto-pad-same-1x1", same, into, (4, 3, 1, 1), auto_pad="SAME_UPPER")
    yield zero_shift()
    about = "layer, ConvTranspose: outputs at the border are sums of fewer terms, so the shift is no bias"
    fold = not_foldable("uneven-shift", "What a ConvTranspose makes of a constant differs from place to place.")
    yield before_conv("bn-convtranspose", about, fold, (3, 4, 3, 3), op="ConvTranspose", strides=[2, 2])
    yield before_dense("Gemm")
    yield before_dense("Gemm", transB=1, alpha=0.5)
    yield before_dense("MatMul")
    yield from (make() for make in (between, two_consumers, relu_between))
