"""Statistics that data have left: a few steps of SGD on random pictures with structure."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CLASSES = 10


def pictures(generator: torch.Generator, count: int, *shape: int) -> tuple[Tensor, Tensor]:
    """`count` examples of a shape [C, ...]: a pattern per class with its own offset per channel, brightness, noise; and their labels."""
    patterns = torch.randn(CLASSES, *shape, generator=torch.Generator().manual_seed(7))
    offsets = torch.randn(CLASSES, shape[0], *(1 for _ in shape[1:]), generator=torch.Generator().manual_seed(8))
    labels = torch.randint(CLASSES, (count,), generator=generator)
    brightness = 0.5 + torch.rand(count, *(1 for _ in shape), generator=generator)
    noise = torch.randn(count, *shape, generator=generator)
    return brightness * (patterns[labels] + offsets[labels]) + 0.5 * noise, labels


def train(model: nn.Module, shape: tuple[int, ...], steps: int = 20, batch: int = 32) -> nn.Module:
    """Trains the model in place, so that no parameter and no statistic has its initial value; returns it in eval mode."""
    generator = torch.Generator().manual_seed(9)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    model.train()
    for _ in range(steps):
        x, labels = pictures(generator, batch, *shape)
        y = model(x).flatten(1)
        loss = nn.functional.cross_entropy(y, labels) if y.shape[1] == CLASSES else (y - labels[:, None]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()
