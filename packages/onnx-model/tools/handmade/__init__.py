"""Graphs that no exporter gives, or not on demand, made with the onnx helper alone."""

from __future__ import annotations

from collections.abc import Iterator

from fixture import Fixture

from . import backward_folds, decomposed, forward_folds, hazards, kept, opsets, parameters, subgraphs

GROUPS = (opsets, parameters, subgraphs, hazards, backward_folds, forward_folds, kept, decomposed)


def fixtures() -> Iterator[Fixture]:
    """All of them, in a fixed order."""
    for group in GROUPS:
        yield from group.fixtures()
