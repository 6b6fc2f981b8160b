"""Edges of the number format: NaN, infinities, subnormal numbers and signed zeros."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from case import Case, layer
from families.layouts import Layout, name

LAYOUTS: tuple[Layout, ...] = (((6, 3), -1), ((2, 3, 4), 1))
VALUES = {
    "nan": [np.nan],
    "infinity": [np.inf],
    "negative-infinity": [-np.inf],
    "both-infinities": [np.inf, -np.inf],
}
SPOILED = 1  # the channel that gets the special value; its neighbours must not notice


def spoil(case: Case, values: list[float]) -> np.ndarray:
    """An input with `values` in the first elements of one channel."""
    x = case.draw.x(case.shape, case.axis)
    channel = np.moveaxis(x, case.axis, -1)[..., SPOILED]  # a view
    for index, value in enumerate(values):
        channel[np.unravel_index(index + 1, channel.shape)] = value
    return x


def inputs() -> Iterator[Case]:
    """A special value in the input stays in its channel."""
    for shape, axis in LAYOUTS:
        layout = name(shape, axis)
        for kind, values in VALUES.items():
            case = layer(f"edge/inference-{kind}-{layout}", "11.1", shape, axis)
            yield case.step(False, x=spoil(case, values))
            case = layer(f"edge/training-{kind}-{layout}", "11.1", shape, axis, momentum=0.9)
            yield case.step(True, x=spoil(case, values))
        # The statistics of the channel stay spoiled; a training step on clean data does not care, inference does.
        case = layer(f"edge/training-nan-then-clean-{layout}", "11.1", shape, axis, momentum=0.9)
        yield case.step(True, x=spoil(case, [np.nan])).step(True).step(False)
        case = layer(f"edge/frozen-nan-{layout}", "11.1", shape, axis, trainable=False)
        yield case.step(True, x=spoil(case, [np.nan])).step(True)
        for training in (True, False):
            case = layer(f"edge/{'training' if training else 'inference'}-nan-dy-{layout}", "11.1", shape, axis)
            dy = case.draw.dy(shape)
            np.moveaxis(dy, axis, -1)[(0,) * (len(shape) - 1)][SPOILED] = np.nan
            yield case.step(training, dy=dy)


def states() -> Iterator[Case]:
    """A special value in the state stays in its channel, too."""
    shape, axis = LAYOUTS[1]
    for field in ("movingMean", "movingVariance", "gamma", "beta"):
        for training in (True, False):
            case = layer(f"edge/{'training' if training else 'inference'}-nan-{field}", "11.1", shape, axis, momentum=0.9)
            case.state[field][SPOILED] = np.nan
            yield case.step(training)
    for value, kind in ((np.inf, "infinite"), (0.0, "zero")):
        case = layer(f"edge/inference-{kind}-movingVariance", "11.1" if value else "5.2", shape, axis)
        case.state["movingVariance"][SPOILED] = value
        yield case.step(False)


def subnormals() -> Iterator[Case]:
    """Subnormal numbers in one place at a time; the rest is chosen so that they would show."""
    shape, axis = (2, 3, 4), 1
    tiny = np.float32([1e-40, -3e-39, 1.4e-45])
    zero = np.zeros(3, np.float32)
    for training in (False, True):
        mode = "training" if training else "inference"
        case = layer(f"edge/{mode}-subnormal-x", "11.4", shape, axis, epsilon=1e-7, movingMean=zero, beta=zero)
        case.state["movingVariance"][:] = 0
        x = np.float32(case.draw.normal(shape).astype(np.float64) * 1e-39)
        yield case.flag("subnormal").step(training, x=x)
        for field in ("gamma", "beta"):
            others = {"beta": zero} if field == "gamma" else {"gamma": zero}
            case = layer(f"edge/{mode}-subnormal-{field}", "11.4", shape, axis, **{field: tiny.copy()}, **others)
            yield case.flag("subnormal").step(training)
    for field in ("movingMean", "movingVariance"):
        case = layer(f"edge/subnormal-{field}", "11.4", shape, axis, epsilon=1e-7, momentum=0.5, **{field: np.abs(tiny)})
        yield case.flag("subnormal").step(False).step(False)
    case = layer("edge/inference-subnormal-y", "11.4", shape, axis, beta=zero, movingMean=zero)
    yield case.flag("subnormal").step(False, x=np.float32(case.draw.normal(shape).astype(np.float64) * 5e-39))


def zeros() -> Iterator[Case]:
    """Zeros of both signs, in the input, the parameters and the statistics."""
    for shape, axis in LAYOUTS:
        layout, signed = name(shape, axis), np.float32([0.0, -0.0, -0.0])
        for training in (False, True):
            mode = "training" if training else "inference"
            case = layer(f"edge/{mode}-signed-zeros-{layout}", "11.5", shape, axis, movingMean=signed[::-1].copy(), beta=signed)
            x = np.copysign(np.float32(0), case.draw.normal(shape))
            yield case.flag("signed-zero").step(training, x=x)
        case = layer(f"edge/gamma-signed-zeros-{layout}", "11.5", shape, axis, gamma=signed)
        yield case.flag("signed-zero").step(False)


def cases() -> Iterator[Case]:
    """All of them."""
    for part in (inputs, states, subnormals, zeros):
        yield from part()
