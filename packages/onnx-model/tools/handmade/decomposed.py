"""Layers that are spelled out as arithmetic, and arithmetic that only looks like one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fixture import Array, Fixture, Fold, Layer

from .builder import NOTHING_NEAR, TRAINING, Builder, backward

EPSILON = 1e-3


def conv(build: Builder) -> str:
    """x through a Conv to `hidden`."""
    return build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)


def scale_and_shift(state: dict[str, Array]) -> tuple[Array, Array]:
    """k = gamma / sqrt(variance + epsilon) and l = beta - mean k, in float64."""
    k = np.float64(state["gamma"]) / np.sqrt(np.float64(state["movingVariance"]) + EPSILON)
    return k, np.float64(state["beta"]) - np.float64(state["movingMean"]) * k


def layer(
    build: Builder, form: str, node: str, readable: tuple[str, ...], fold: Fold, state: dict[str, Array], mode: str = "inference"
) -> None:
    """Notes a decomposed layer."""
    known = {"momentum": None, "epsilon": EPSILON, "findings": ("training-mode",) if mode == "training" else ()}
    build.layers.append(Layer("bn", form, len(state["gamma"]), fold=fold, node=node, mode=mode, readable=readable, state=state, **known))


def mul_add(id: str, about: str, shape: tuple[int, ...], after_conv: bool = True, swapped: bool = False, nhwc: bool = False) -> Fixture:
    """Mul by k, Add of l."""
    build = Builder(id, about)
    x = conv(build) if after_conv else build.input("x", 2, 6, 6, 4)
    if nhwc:
        x = build.node("Transpose", [x], "nhwc", "transpose", perm=[0, 2, 3, 1])
    state = build.state(4)
    k, shift = (build.weight(name, np.float32(value).reshape(shape)) for name, value in zip("kl", scale_and_shift(state), strict=True))
    build.node("Mul", [k, x] if swapped else [x, k], "scaled", "bn/mul")
    build.node("Add", [shift, "scaled"] if swapped else ["scaled", shift], "y", "bn/add")
    build.output("y")
    layer(build, "Mul+Add", "bn/mul", (), backward("conv") if after_conv else NOTHING_NEAR, state)
    return build.fixture()


def sub_mul_add() -> Fixture:
    """Sub of the mean, Mul by k, Add of beta."""
    build = Builder("conv-sub-mul-add", "Conv, Sub, Mul, Add")
    x, state = conv(build), build.state(4)
    k, _ = scale_and_shift(state)
    shape = (1, 4, 1, 1)
    build.node("Sub", [x, build.weight("mean", state["movingMean"].reshape(shape))], "centred", "bn/sub")
    build.node("Mul", ["centred", build.weight("k", np.float32(k).reshape(shape))], "scaled", "bn/mul")
    build.node("Add", ["scaled", build.weight("beta", state["beta"].reshape(shape))], "y", "bn/add")
    build.output("y")
    layer(build, "Sub+Mul+Add", "bn/sub", ("beta", "movingMean"), backward("conv"), state)
    return build.fixture()


def unfolded() -> Fixture:
    """Everything computed in the graph: x - mean over sqrt(variance + epsilon), by gamma, plus beta."""
    build = Builder("conv-sub-div-mul-add", "Conv, Sub, Div by Sqrt(variance + epsilon), Mul by gamma, Add of beta, all in the graph")
    x, state = conv(build), build.state(4)
    for name, value in state.items():
        build.weight(name, value.reshape(1, 4, 1, 1))
    build.weight("epsilon", np.float32(EPSILON))
    build.node("Add", ["movingVariance", "epsilon"], "sum", "bn/add_epsilon")
    build.node("Sqrt", ["sum"], "deviation", "bn/sqrt")
    build.node("Sub", [x, "movingMean"], "centred", "bn/sub")
    build.node("Div", ["centred", "deviation"], "standard", "bn/div")
    build.node("Mul", ["standard", "gamma"], "scaled", "bn/mul")
    build.node("Add", ["scaled", "beta"], "y", "bn/add")
    build.output("y")
    readable = ("gamma", "beta", "movingMean", "movingVariance", "epsilon")
    layer(build, "unfolded", "bn/sub", readable, backward("conv"), state)
    return build.fixture()


def moments() -> Fixture:
    """Training mode spelled out with ReduceMean."""
    build = Builder("conv-moments", "Conv, then training mode spelled out: ReduceMean, Sub, Mul, ReduceMean, Sqrt, Div, Mul, Add", 17)
    x, state = conv(build), build.state(4)
    for name in ("gamma", "beta"):
        build.weight(name, state[name].reshape(1, 4, 1, 1))
    build.weight("epsilon", np.float32(EPSILON))
    build.node("ReduceMean", [x], "mean", "bn/mean", axes=[0, 2, 3], keepdims=1)
    build.node("Sub", [x, "mean"], "centred", "bn/sub")
    build.node("Mul", ["centred", "centred"], "square", "bn/square")
    build.node("ReduceMean", ["square"], "variance", "bn/variance", axes=[0, 2, 3], keepdims=1)
    build.node("Add", ["variance", "epsilon"], "sum", "bn/add_epsilon")
    build.node("Sqrt", ["sum"], "deviation", "bn/sqrt")
    build.node("Div", ["centred", "deviation"], "standard", "bn/div")
    build.node("Mul", ["standard", "gamma"], "scaled", "bn/mul")
    build.node("Add", ["scaled", "beta"], "y", "bn/add")
    build.output("y")
    shown = {name: state[name] for name in ("gamma", "beta")}
    layer(build, "moments", "bn/mean", ("gamma", "beta", "epsilon"), TRAINING, shown, "training")
    return build.fixture()


def layer_norm() -> Fixture:
    """Layer normalization, whose mean is over the last axis."""
    build = Builder("not-bn-layer-norm", "layer normalization spelled out: not a batch normalization")
    x = build.input("x", 2, 6, 4)
    for name in ("gamma", "beta"):
        build.weight(name, build.draw(4))
    build.weight("epsilon", np.float32(1e-5))
    build.weight("two", np.float32(2))
    build.node("ReduceMean", [x], "mean", axes=[-1], keepdims=1)
    build.node("Sub", [x, "mean"], "centred")
    build.node("Pow", ["centred", "two"], "square")
    build.node("ReduceMean", ["square"], "variance", axes=[-1], keepdims=1)
    build.node("Add", ["variance", "epsilon"], "sum")
    build.node("Sqrt", ["sum"], "deviation")
    build.node("Div", ["centred", "deviation"], "standard")
    build.node("Mul", ["standard", "gamma"], "scaled")
    build.node("Add", ["scaled", "beta"], "y")
    build.output("y", 3)
    return build.fixture()


def not_a_layer(id: str, about: str, shape: tuple[int, ...], at_run_time: bool = False) -> Fixture:
    """A Mul and an Add after a Conv that do not act per channel."""
    build = Builder(id, about)
    x = conv(build)
    k = build.input("k", *shape) if at_run_time else build.weight("k", build.draw(*shape))
    build.node("Mul", [x, k], "scaled", "mul")
    build.node("Add", ["scaled", build.weight("l", build.draw(*shape))], "y", "add")
    build.output("y")
    return build.fixture()


def fixtures() -> Iterator[Fixture]:
    """One model per form, then the ones that only look like a layer."""
    yield mul_add("conv-mul-add", "Conv, Mul and Add with [1, C, 1, 1]", (1, 4, 1, 1))
    yield mul_add("conv-mul-add-swapped", "the same with [C, 1, 1], constants first", (4, 1, 1), swapped=True)
    yield mul_add("conv-transpose-mul-add", "Conv, Transpose to NHWC, Mul and Add with [C]", (4,), nhwc=True)
    yield mul_add("mul-add-channels-last", "Mul and Add with [C] on an NHWC input", (4,), after_conv=False)
    yield from (make() for make in (sub_mul_add, unfolded, moments, layer_norm))
    yield not_a_layer("not-bn-scalars", "Conv, Mul and Add of one number each: no channels", ())
    yield not_a_layer("not-bn-columns", "Conv, Mul and Add along the columns ([1, 1, 1, W]), W = C = 4", (1, 1, 1, 4))
    yield not_a_layer("not-bn-runtime-scale", "Conv, Mul by a graph input, Add: an attention gate", (1, 4, 1, 1), at_run_time=True)
