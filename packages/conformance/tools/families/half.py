"""Half precision: x, y, dy and dx in float16 or bfloat16, the layer float32 inside, as under Keras's mixed precision."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from case import Case, layer
from draw import DTYPES, Array

LAST = ((6, 5), -1)
MIDDLE = ((3, 4, 5), 1)
FIRST = ((2, 3, 4, 2), 1)

# Around the greatest number, the least, and exactly between two neighbours of each type.
BEYOND: dict[str, list[float]] = {
    "float16": [65488.0, 65519.9, 65520.5, 1e6],
    "bfloat16": [3.388e38, 3.395e38, 3.3965e38, 3.4e38],
}
TINY: dict[str, list[float]] = {"float16": [5e-5, 1e-6, 2e-7, 3e-8], "bfloat16": [1e-38, 1e-39, 2e-40, 2e-41]}
TIES: dict[str, list[float]] = {
    "float16": [1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-11 + 2**-23, 65520 - 2**-8, 2**-25, 3 * 2**-25],
    "bfloat16": [1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-23, 3.3961775e38, 257.0, 259.0],
}


def ordinary(dtype: str) -> Iterator[Case]:
    """Every mode of the layer on ordinary numbers."""
    for (shape, axis), where in ((LAST, "last"), (FIRST, "first")):
        yield layer(f"half/{dtype}-inference-{where}", "13.3", shape, axis, dtype=dtype).step(False)
        yield layer(f"half/{dtype}-training-{where}", "13.3", shape, axis, dtype=dtype, momentum=0.9).step(True, dy=True)
        case = layer(f"half/{dtype}-mask-{where}", "13.3", shape, axis, dtype=dtype, momentum=0.75)
        yield case.step(True, mask=case.draw.mask(case.mask_shape), dy=True)
    case = layer(f"half/{dtype}-inference-gradient", "13.3", *MIDDLE, dtype=dtype, center=False, epsilon=1e-5)
    yield case.step(False, dy=True)
    yield layer(f"half/{dtype}-frozen", "13.3", *MIDDLE, dtype=dtype, scale=False, trainable=False).step(True, dy=True)
    # Steps of the moving average that are smaller than half a unit of the type: float32 statistics keep them.
    case = layer(f"half/{dtype}-steps", "13.3", *LAST, dtype=dtype, momentum=0.999)
    yield case.step(True).step(True).step(True, dy=True).step(False)


def extreme(dtype: str) -> Iterator[Case]:
    """Where the type ends, and where sums in it would."""
    half = DTYPES[dtype]
    # Of 700 numbers around 100 float16 does not hold the sum, and bfloat16 three digits of it.
    case = layer(f"half/{dtype}-many", "13.3", (700, 2), dtype=dtype, momentum=0.5)
    yield case.step(True, x=case.draw.normal((700, 2), offset=100.0, deviation=4.0).astype(half), dy=True)
    # gamma is what y is at x = 1, and what goes beyond the greatest number is an infinity.
    given = {
        "gamma": np.float32(BEYOND[dtype]),
        "beta": np.zeros(4, np.float32),
        "movingMean": np.zeros(4, np.float32),
        "movingVariance": np.full(4, 1 - 1e-3, np.float32),
    }
    rows = np.repeat(np.array([[1.0], [-1.0], [0.5], [0.0]]), 4, axis=1).astype(half)
    yield layer(f"half/{dtype}-overflow", "13.3", (4, 4), dtype=dtype, **given).step(False, x=rows)
    flags = ["subnormal"] if dtype == "bfloat16" else []  # of float16 they are normal numbers in float32
    tiny = {"gamma": np.float32(TINY[dtype]), "beta": np.zeros(4, np.float32)}
    case = layer(f"half/{dtype}-underflow", "13.3", (7, 4), dtype=dtype, flags=flags, **tiny)
    yield case.step(False).step(True, dy=True)
    # With gamma 0 y is beta, whatever the algebraic form: rounded once, ties to even.
    betas = np.float32(TIES[dtype])
    case = layer(f"half/{dtype}-ties", "13.3", (2, len(betas)), dtype=dtype, gamma=np.zeros_like(betas), beta=betas)
    yield case.step(False)
    case = layer(f"half/{dtype}-nan-and-infinity", "13.3", (5, 3), dtype=dtype, momentum=0.5)
    x: Array = case.draw.x(case.shape, -1).astype(half)
    x[1, 0], x[3, 1] = np.inf, np.nan
    yield case.step(False, x=x).step(True, x=x)


def subnormal_input() -> Iterator[Case]:
    """Numbers below 2^-14 have fewer digits in float16, and all of them count."""
    case = layer("half/float16-subnormal-input", "13.3", (9, 3), dtype="float16", epsilon=1e-12, momentum=0.5)
    x = (case.draw.random.integers(-900, 900, case.shape) * 2.0**-24).astype(np.float16)
    yield case.step(True, x=x, dy=True)


def cases() -> Iterator[Case]:
    """All of them."""
    for dtype in ("float16", "bfloat16"):
        yield from ordinary(dtype)
        yield from extreme(dtype)
    yield from subnormal_input()
