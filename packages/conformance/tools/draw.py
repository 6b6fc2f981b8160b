"""Seeded data: every case draws from a generator of its own, so that adding a case changes no other."""

from __future__ import annotations

import hashlib
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

SEED = 20150211  # the day Ioffe and Szegedy put the paper on arXiv

Array = NDArray[Any]
Shape = tuple[int, ...]

# The types of x and dy. NumPy has no bfloat16 of its own.
DTYPES: dict[str, Any] = {"float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def per_channel(values: Array, rank: int, axis: int) -> Array:
    """Reshapes `[channels]` so that it broadcasts along `axis` of a tensor of the given rank."""
    shape = [1] * rank
    shape[axis] = -1
    return np.reshape(values, shape)


class Draw:
    """The random numbers of one case, seeded by the global seed and the case's id."""

    def __init__(self, id: str) -> None:
        digest = hashlib.sha256(id.encode()).digest()
        words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
        self.random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([SEED, *words])))

    def x(self, shape: Shape, axis: int) -> Array:
        """An input: every channel has a mean and a deviation of its own."""
        channels = shape[axis]
        offset = per_channel(self.random.standard_normal(channels) * 1.5, len(shape), axis)
        deviation = per_channel(self.random.uniform(0.4, 2.5, channels), len(shape), axis)
        return np.float32(offset + deviation * self.random.standard_normal(shape))

    def normal(self, shape: Shape, offset: float = 0.0, deviation: float = 1.0) -> Array:
        """Normal numbers, rounded to float32 once, at the end."""
        return np.float32(offset + deviation * self.random.standard_normal(shape))

    def uniform(self, shape: Shape, low: float, high: float) -> Array:
        """Uniform numbers in `[low, high)`."""
        return np.float32(self.random.uniform(low, high, shape))

    def dy(self, shape: Shape) -> Array:
        """A gradient of the output. Its mean is not zero: a backward pass that forgets a mean must show."""
        return self.normal(shape, offset=0.35)

    def gamma(self, channels: int) -> Array:
        """Scales of both signs, away from zero."""
        sign = np.where(self.random.uniform(size=channels) < 0.35, -1.0, 1.0)
        return np.float32(sign * self.random.uniform(0.3, 1.8, channels))

    def beta(self, channels: int) -> Array:
        """Offsets around zero."""
        return self.normal((channels,))

    def moving_mean(self, channels: int) -> Array:
        """An initial moving mean, unlike the 0 of a fresh layer."""
        return self.normal((channels,), deviation=1.2)

    def moving_variance(self, channels: int) -> Array:
        """An initial moving variance, log-uniform in 0.1 to 10, unlike the 1 of a fresh layer."""
        return np.float32(10.0 ** self.random.uniform(-1.0, 1.0, channels))

    def mask(self, shape: Shape, visible: int | None = None, share: float = 0.6) -> Array:
        """A mask of exactly `visible` true elements, or of about `share` of them with at least one of each kind."""
        size = int(np.prod(shape))
        if visible is None:
            visible = int(np.clip(round(share * size), 1, size - 1))
        flat = np.zeros(size, dtype=np.bool_)
        flat[self.random.permutation(size)[:visible]] = True
        return flat.reshape(shape)
