"""Gradients of x, gamma and beta: through the batch statistics in training, past the moving ones otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from case import Case, layer
from families.layouts import (
    CHANNELS_FIRST_AND_LAST,
    EPSILONS,
    EVERY_AXIS,
    NEGATIVE_AXES,
    POSITIVE_AXES,
    RANK6,
    TAILS,
    name,
    switches,
)


def every_layout() -> Iterator[Case]:
    """Training, inference and frozen, over ranks, axes and switches."""
    for shape, axis in EVERY_AXIS:
        yield layer(f"gradient/training-{name(shape, axis)}", "10.1", shape, axis).step(True, dy=True)
    for shape, axis in NEGATIVE_AXES:
        yield layer(f"gradient/inference-{name(shape, axis)}", "10.2", shape, axis).step(False, dy=True)
    for shape, axis in POSITIVE_AXES:
        yield layer(f"gradient/frozen-{name(shape, axis)}", "10.4", shape, axis, trainable=False).step(True, dy=True)
    for shape, axis in TAILS[1::2]:
        yield layer(f"gradient/tail-{name(shape, axis)}", "10.3", shape, axis).step(True, dy=True)
    for center, scale, switch, _ in switches():
        for shape, axis in CHANNELS_FIRST_AND_LAST[1:7]:
            id = f"gradient/training-{switch}-{name(shape, axis)}"
            yield layer(id, "10.6", shape, axis, center=center, scale=scale).step(True, dy=True)
        for shape, axis in CHANNELS_FIRST_AND_LAST[2:4]:
            id = f"gradient/inference-{switch}-{name(shape, axis)}"
            yield layer(id, "10.6", shape, axis, center=center, scale=scale).step(False, dy=True)
    for epsilon in EPSILONS:
        id = f"gradient/training-epsilon{epsilon:g}"
        yield layer(id, "10.1", (2, 3, 5), 1, epsilon=epsilon).step(True, dy=True)
    yield layer(f"gradient/training-{name(*RANK6)}", "3.2", *RANK6).step(True, dy=True)
    yield layer("gradient/training-larger", "10.1", (3, 65, 5), 1).step(True, dy=True)


def special() -> Iterator[Case]:
    """Gradients and scales with a structure that a wrong formula would not survive."""
    for shape, axis in CHANNELS_FIRST_AND_LAST[2:4]:
        layout = name(shape, axis)
        # In exact arithmetic dx of a constant dy is 0: everything has to cancel.
        case = layer(f"gradient/constant-dy-{layout}", "10.1", shape, axis, flags=["cancels"])
        yield case.step(True, dy=np.ones(shape, np.float32))
        one = np.zeros(shape, np.float32)
        one.flat[int(np.prod(shape)) // 2] = 1
        yield layer(f"gradient/one-hot-dy-{layout}", "10.1", shape, axis).step(True, dy=one)
        dead = layer(f"gradient/gamma-zero-{layout}", "10.3", shape, axis)
        dead.state["gamma"][1] = 0
        yield dead.step(True, dy=True).step(False, dy=True)
        case = layer(f"gradient/three-steps-{layout}", "10.3", shape, axis, momentum=0.5)
        case.step(True, dy=True).step(True, dy=True, parameters=True)
        yield case.step(False, dy=True, parameters=True)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from every_layout()
    yield from special()
