"""Training: one step with the batch's own statistics, over the same grid as inference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from case import Case, layer
from families.layouts import CHANNELS_FIRST_AND_LAST, EPSILONS, EVERY_AXIS, LARGER, RANK6, TAILS, name, switches


def cases() -> Iterator[Case]:
    """One step with training true; the moving statistics start from values that a fresh layer would not have."""
    for shape, axis in EVERY_AXIS:
        yield layer(f"training/{name(shape, axis)}", "6.1", shape, axis).step(True)
    yield layer(f"training/{name(*RANK6)}", "3.2", *RANK6).step(True)
    for shape, axis in CHANNELS_FIRST_AND_LAST[1:3]:
        # The only cases that start as a new layer does: gamma 1, beta 0, moving mean 0, moving variance 1.
        zero, one = np.zeros(shape[axis], np.float32), np.ones(shape[axis], np.float32)
        fresh = {"gamma": one, "beta": zero, "movingMean": zero, "movingVariance": one}
        yield layer(f"training/new-layer-{name(shape, axis)}", "1.3", shape, axis, **fresh).step(True).step(False)
    for shape, axis in (*TAILS, *LARGER):
        yield layer(f"training/tail-{name(shape, axis)}", "6.2", shape, axis, momentum=0.9).step(True)
    for shape, axis in CHANNELS_FIRST_AND_LAST[1:]:
        for center, scale, switch, clause in switches():
            id = f"training/{switch}-{name(shape, axis)}"
            yield layer(id, clause, shape, axis, center=center, scale=scale, momentum=0.7).step(True)
    for epsilon in EPSILONS:
        for shape, axis in CHANNELS_FIRST_AND_LAST[::3]:
            id = f"training/epsilon{epsilon:g}-{name(shape, axis)}"
            yield layer(id, "2.3", shape, axis, epsilon=epsilon, momentum=0.9).step(True)
    for momentum, clause in ((0.0, "7.2"), (0.25, "2.2"), (0.75, "7.1"), (0.999, "7.1"), (1.0, "7.2")):
        for shape, axis in CHANNELS_FIRST_AND_LAST[2:4]:
            id = f"training/momentum{momentum:g}-{name(shape, axis)}"
            yield layer(id, clause, shape, axis, momentum=momentum).step(True)
    for shape, axis in CHANNELS_FIRST_AND_LAST[3:5]:
        id = f"training/new-parameters-{name(shape, axis)}"
        yield layer(id, "5.4", shape, axis).step(True).step(True, parameters=True).step(False)
