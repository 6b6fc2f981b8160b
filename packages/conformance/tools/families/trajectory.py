"""Trajectories: twenty steps, so that an error in the update of the moving statistics adds up."""

from __future__ import annotations

from collections.abc import Iterator

from case import Case, layer
from families.layouts import Layout, name

STEPS = 20
LAYOUTS: tuple[Layout, ...] = (((4, 2), -1), ((2, 2, 3), 1), ((2, 2, 1, 2), -1), ((2, 3, 1, 2, 1), 1))


def cases() -> Iterator[Case]:
    """Every momentum on every layout; half of them end with two steps of inference on what was accumulated."""
    for momentum in (0.0, 0.5, 0.9, 0.99, 1.0):
        for index, (shape, axis) in enumerate(LAYOUTS):
            ends_with_inference = index % 2 == 1
            suffix = "-then-inference" if ends_with_inference else ""
            clause = "7.2" if momentum in (0.0, 1.0) else "7.5"
            case = layer(f"trajectory/momentum{momentum:g}-{name(shape, axis)}{suffix}", clause, shape, axis, momentum=momentum)
            for step in range(STEPS):
                case.step(not ends_with_inference or step < STEPS - 2)
            yield case
