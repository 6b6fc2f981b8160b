"""Stability: data on which the textbook formulas lose their digits in float32."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from case import Case, layer
from draw import Shape, per_channel
from families.layouts import Layout, name

# n is 4, 10, 12, 40, 1000 and 1000.
OFFSET_LAYOUTS: tuple[Layout, ...] = (
    ((4, 3), -1),
    ((10, 2), -1),
    ((2, 3, 6), 1),
    ((2, 2, 5, 4), 1),
    ((1000, 1), -1),
    ((2, 1, 500), 1),
)
LAYOUTS: tuple[Layout, ...] = (((8, 4), -1), ((2, 4, 5), 1), ((2, 2, 3, 4), -1))


def offsets() -> Iterator[Case]:
    """An offset over a deviation of 1: from 1e4 on, E[x^2] - E[x]^2 has no digit left."""
    for offset in (1e4, 1e6, 1e8):
        for shape, axis in OFFSET_LAYOUTS:
            case = layer(f"stability/offset{offset:.0e}-{name(shape, axis)}", "12.6", shape, axis, momentum=0.9)
            yield case.flag("ill-conditioned").step(True, x=case.draw.normal(shape, offset))
    # At 1e8 float32 numbers are 8 apart: a deviation of 100 is one that they can show.
    for shape, axis in OFFSET_LAYOUTS[:3]:
        case = layer(f"stability/offset1e+08-wide-{name(shape, axis)}", "12.6", shape, axis, momentum=0.9)
        yield case.flag("ill-conditioned").step(True, x=case.draw.normal(shape, -1e8, 100))
    for shape, axis in LAYOUTS[:2]:
        # Each channel has an offset of its own: a shift that is common to all would not do.
        case = layer(f"stability/offsets-of-channels-{name(shape, axis)}", "12.6", shape, axis, momentum=0.9)
        offset = per_channel(np.array([0, 1e4, -1e6, 3e7]), len(shape), axis)
        x = np.float32(offset + case.draw.normal(shape).astype(np.float64))
        yield case.flag("ill-conditioned").step(True, x=x)
        # The first element is far from the rest: it is no good as a shift.
        case = layer(f"stability/outlier-first-{name(shape, axis)}", "12.6", shape, axis, momentum=0.9)
        x = case.draw.normal(shape)
        x[(0,) * len(shape)] = 1e6
        yield case.flag("ill-conditioned").step(True, x=x)


def traps() -> Iterator[Case]:
    """Three numbers and one constant on which Keras's PyTorch backend gives a variance of 0 and of -1."""
    trap = np.float32([1e4, 1e4 + 1, 1e4 + 2])
    for shape, axis in (((3, 1), -1), ((1, 1, 3), 1), ((1, 3, 1, 1), -1)):
        case = layer(f"stability/trap-{name(shape, axis)}", "12.6", shape, axis, momentum=0.5, flags=["ill-conditioned"])
        yield case.step(True, x=trap.reshape(shape)).step(False, x=trap.reshape(shape))
    constants = np.float32([0, 1, 3333.3333, 1e8])
    for shape, axis in LAYOUTS:
        case = layer(f"stability/constants-{name(shape, axis)}", "11.3", shape, axis, momentum=0.5, flags=["ill-conditioned"])
        x = np.ascontiguousarray(np.broadcast_to(per_channel(constants, len(shape), axis), shape))
        yield case.step(True, x=x, dy=True).step(False, x=x)
    for value in constants[1:]:
        shape: Shape = (5, 2)
        id = f"stability/constant{value:g}-momentum0"
        case = layer(id, "11.3", shape, momentum=0.0, flags=["ill-conditioned"])
        yield case.step(True, x=np.full(shape, value, np.float32))


def scales() -> Iterator[Case]:
    """Variances far from 1. No intermediate of the formulas leaves the range of float32."""
    for scale in (1e-20, 1e-6, 1e15, 1e16, 1e17, 1e18):
        for index, (shape, axis) in enumerate(LAYOUTS):
            momentum = 0.0 if index == 1 else 0.9
            case = layer(f"stability/scale{scale:.0e}-{name(shape, axis)}", "12.7", shape, axis, momentum=momentum)
            x = np.float32(case.draw.random.uniform(-1, 1, shape) * scale)
            if scale < 1e-18:
                case.flag("subnormal")  # the variance is 1e-40
            yield case.step(True, x=x)
    for shape, axis in LAYOUTS:
        case = layer(f"stability/channels-of-all-scales-{name(shape, axis)}", "12.7", shape, axis, momentum=0.9)
        scale = per_channel(np.array([1e-6, 1e9, 1.0, 1e-12]), len(shape), axis)
        yield case.step(True, x=np.float32(case.draw.normal(shape) * scale))
        case = layer(f"stability/elements-of-all-scales-{name(shape, axis)}", "12.7", shape, axis, momentum=0.9)
        exponent = case.draw.random.integers(-6, 7, shape)
        yield case.step(True, x=np.float32(case.draw.normal(shape) * 10.0**exponent))


def gradients() -> Iterator[Case]:
    """Gradients of mildly ill-conditioned data."""
    for offset in (1e2, 1e3, 1e4):
        for shape, axis in LAYOUTS:
            case = layer(f"stability/gradient-offset{offset:.0e}-{name(shape, axis)}", "10.1", shape, axis)
            yield case.flag("ill-conditioned").step(True, x=case.draw.normal(shape, offset), dy=True)


def cases() -> Iterator[Case]:
    """All of them."""
    for part in (offsets, traps, scales, gradients):
        yield from part()
