"""The sample variance as tf-keras's fused kernel has it: n - 1 in moving_variance, n in the output."""

from __future__ import annotations

from collections.abc import Iterator

from case import Case, layer
from families.layouts import Layout, name, switches

LAYOUTS: tuple[Layout, ...] = (
    ((2, 3, 4, 5), -1),
    ((2, 3, 4, 5), 1),
    ((3, 2, 5, 3), 3),
    ((2, 3, 2, 3, 2), 4),
    ((2, 3, 2, 3, 2), 1),
    ((2, 2, 3, 1, 4), -1),
)


def cases() -> Iterator[Case]:
    """Single steps, several steps, gradients, switches, frozen layers and inference."""
    for shape, axis in LAYOUTS:
        layout = name(shape, axis)
        shared = {"estimator": "sample", "reference": "tf-keras"}
        yield layer(f"sample/training-{layout}", "7.3", shape, axis, **shared, momentum=0.9).step(True)
        case = layer(f"sample/steps-{layout}", "7.3", shape, axis, **shared, momentum=0.7, epsilon=1e-2)
        for _ in range(4):
            case.step(True)
        yield case.step(False)
        yield layer(f"sample/gradient-{layout}", "10.1", shape, axis, **shared).step(True, dy=True).step(False, dy=True)
    for center, scale, switch, clause in switches():
        shape, axis = LAYOUTS[0]
        case = layer(f"sample/{switch}", clause, shape, axis, **shared, center=center, scale=scale, momentum=0.5)
        yield case.step(True, dy=True)
    for shape, axis in LAYOUTS[:2]:
        layout = name(shape, axis)
        yield layer(f"sample/momentum0-{layout}", "7.2", shape, axis, **shared, momentum=0.0).step(True)
        case = layer(f"sample/frozen-{layout}", "4.2", shape, axis, **shared, momentum=0.5)
        yield case.step(True).step(True, trainable=False, dy=True).step(True, trainable=True)
