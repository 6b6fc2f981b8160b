"""The shapes and axes that several families share. Sharing them also keeps JAX from compiling every case anew."""

from __future__ import annotations

from collections.abc import Iterator

from draw import Shape

Layout = tuple[Shape, int]

# Two shapes a rank; every axis of the first is written as a positive number, every axis of the second as a negative one.
_FIRST: tuple[Shape, ...] = ((6, 3), (2, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 2))
_SECOND: tuple[Shape, ...] = ((4, 7), (3, 5, 4), (3, 2, 5, 3), (2, 2, 3, 1, 4))

POSITIVE_AXES: tuple[Layout, ...] = tuple((shape, axis) for shape in _FIRST for axis in range(len(shape)))
NEGATIVE_AXES: tuple[Layout, ...] = tuple((shape, axis - len(shape)) for shape in _SECOND for axis in range(len(shape)))
EVERY_AXIS: tuple[Layout, ...] = (*POSITIVE_AXES, *NEGATIVE_AXES)

# One rank beyond what the named layers of any framework go to.
RANK6: Layout = ((2, 1, 2, 3, 2, 2), 3)

# Channels first and last of every rank.
CHANNELS_FIRST_AND_LAST: tuple[Layout, ...] = (
    ((6, 3), 1),
    ((4, 7), 0),
    ((2, 3, 5), 1),
    ((2, 3, 5), -1),
    ((2, 3, 4, 5), 1),
    ((2, 3, 4, 5), -1),
    ((2, 3, 2, 3, 2), 1),
    ((2, 3, 2, 3, 2), -1),
)

# Inner sizes and channel counts that leave every kind of remainder to a vectorized loop.
TAILS: tuple[Layout, ...] = (
    *(((2, channels, inner), 1) for channels in (1, 2, 3, 5, 7, 16) for inner in (1, 3, 7)),
    ((2, 64, 3), 1),
)

LARGER: tuple[Layout, ...] = (((2, 9, 7, 33), -1), ((3, 65, 5), 1))

EPSILONS: tuple[float, ...] = (1e-5, 1e-2, 1.0, 1e-7)


def name(shape: Shape, axis: int) -> str:
    """`rank3-axis1-2x3x5`, the part of an id that says the layout."""
    return f"rank{len(shape)}-axis{axis}-{'x'.join(map(str, shape))}"


def switches() -> Iterator[tuple[bool, bool, str, str]]:
    """center, scale, a name and the clause, for each combination but both on."""
    yield True, False, "no-gamma", "8.1"
    yield False, True, "no-beta", "8.2"
    yield False, False, "no-gamma-no-beta", "8.1"
