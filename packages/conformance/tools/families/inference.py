"""Inference: moving statistics normalize and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from case import Case, layer
from families.layouts import CHANNELS_FIRST_AND_LAST, EPSILONS, EVERY_AXIS, LARGER, RANK6, TAILS, name, switches


def cases() -> Iterator[Case]:
    """One step with training false, unless the parameters change between steps."""
    for shape, axis in EVERY_AXIS:
        yield layer(f"inference/{name(shape, axis)}", "5.1", shape, axis).step(False)
    yield layer(f"inference/{name(*RANK6)}", "3.2", *RANK6).step(False)
    for shape, axis in (*TAILS, *LARGER):
        yield layer(f"inference/tail-{name(shape, axis)}", "3.1", shape, axis).step(False)
    for shape, axis in CHANNELS_FIRST_AND_LAST[1:]:
        for center, scale, switch, clause in switches():
            id = f"inference/{switch}-{name(shape, axis)}"
            yield layer(id, clause, shape, axis, center=center, scale=scale).step(False)
    for epsilon in EPSILONS:
        for shape, axis in CHANNELS_FIRST_AND_LAST[::3]:
            id = f"inference/epsilon{epsilon:g}-{name(shape, axis)}"
            # A small moving variance, so that epsilon carries weight.
            small = layer(id, "5.2", shape, axis, epsilon=epsilon)
            small.state["movingVariance"] = np.float32(small.state["movingVariance"] * 0.02)
            yield small.step(False)
    for shape, axis in CHANNELS_FIRST_AND_LAST[2:6]:
        id = f"inference/new-parameters-{name(shape, axis)}"
        yield layer(id, "5.4", shape, axis).step(False).step(False, parameters=True).step(False)
    yield layer("inference/unchanged-state", "5.3", (2, 3, 5), 1, momentum=0.0).step(False).step(False)
    for shape, axis in (((0, 4), -1), ((2, 0, 3), -1), ((0, 3, 2, 2), 1)):
        yield layer(f"inference/empty-{name(shape, axis)}", "5.5", shape, axis).step(False)
