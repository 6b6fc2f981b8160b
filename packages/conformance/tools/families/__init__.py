"""The families of cases, in the order of the manifest. `digits` is recorded from a model instead: see digits.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from case import Case
from families import edge, gradient, half, inference, mask, modes, pytorch, sample, small, stability, training, trajectory

FAMILIES: dict[str, Callable[[], Iterator[Case]]] = {
    "inference": inference.cases,
    "training": training.cases,
    "trajectory": trajectory.cases,
    "modes": modes.cases,
    "gradient": gradient.cases,
    "mask": mask.cases,
    "small": small.cases,
    "stability": stability.cases,
    "edge": edge.cases,
    "sample": sample.cases,
    "pytorch": pytorch.cases,
    "half": half.cases,
}
