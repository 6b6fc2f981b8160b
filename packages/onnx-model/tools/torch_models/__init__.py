"""Models of PyTorch: the classics at reduced width, and one small module per special case."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from fixture import Fixture

from . import classics, special


def fixtures() -> Iterator[Fixture | dict[str, str]]:
    """All of them. One thread and fixed seeds: a second run on the same machine gives the same files."""
    torch.set_num_threads(1)
    torch.manual_seed(20150211)
    torch.use_deterministic_algorithms(True)
    yield from special.fixtures()
    torch.manual_seed(20150211)
    yield from classics.fixtures()
