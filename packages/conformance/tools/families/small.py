"""Small batches and single channels: one or two elements a channel, where variances vanish and divisors could."""

from __future__ import annotations

from collections.abc import Iterator

from case import Case, layer
from families.layouts import Layout, name

ONE: tuple[Layout, ...] = (
    ((1, 3), -1),
    ((3, 1), 0),
    ((1, 1, 4), -1),
    ((1, 4, 1, 1), 1),
    ((1, 1, 1, 1, 2), 4),
    ((1, 1), 1),
)
TWO: tuple[Layout, ...] = (((2, 3), -1), ((1, 2, 3), -1), ((2, 3, 1), 1), ((1, 3, 2, 1), 1), ((1, 1, 2, 1, 3), -1))
ONE_CHANNEL: tuple[Layout, ...] = (((5, 1), -1), ((4, 1, 3), 1), ((2, 3, 2, 1), -1), ((2, 1, 1, 3, 2), 1))
FUSED_ONE: tuple[Layout, ...] = (((1, 1, 1, 3), -1), ((1, 3, 1, 1), 1), ((1, 1, 1, 1, 2), -1))
FUSED_TWO: tuple[Layout, ...] = (((1, 2, 1, 3), -1), ((2, 3, 1, 1), 1), ((1, 2, 1, 2, 1), 1))


def population() -> Iterator[Case]:
    """The population variance of one element is 0: y is beta, and x gets no gradient."""
    for shape, axis in ONE:
        yield layer(f"small/n1-{name(shape, axis)}", "6.4", shape, axis).step(True, dy=True)
    for shape, axis in ONE[:4]:
        case = layer(f"small/n1-steps-{name(shape, axis)}", "6.4", shape, axis, momentum=0.5)
        yield case.step(True).step(True).step(False, dy=True)
    for shape, axis in ONE[2:4]:
        id = f"small/n1-momentum0-{name(shape, axis)}"
        yield layer(id, "6.4", shape, axis, momentum=0.0, epsilon=1e-5).step(True).step(False)
    for shape, axis in (*TWO, *ONE_CHANNEL):
        kind = "one-channel" if (shape, axis) in ONE_CHANNEL else "n2"
        yield layer(f"small/{kind}-{name(shape, axis)}", "6.6", shape, axis, momentum=0.9).step(True, dy=True)
    for shape, axis in (TWO[0], TWO[3], *ONE_CHANNEL[:2]):
        yield layer(f"small/steps-{name(shape, axis)}", "6.6", shape, axis, momentum=0.5).step(True).step(True).step(False)
    for shape, axis in (TWO[1], TWO[4]):
        # Two equal elements: the variance is 0 without n being 1.
        case = layer(f"small/n2-equal-{name(shape, axis)}", "11.3", shape, axis, momentum=0.9)
        x = case.draw.x(shape, axis)
        rows = x.reshape(2, case.channels)  # a view: the channels are last
        rows[1] = rows[0]
        yield case.step(True, x=x, dy=True)


def sample() -> Iterator[Case]:
    """The sample variance of two elements is twice the population's; of one, the fused kernel divides by 1."""
    for layouts, n, clause in ((FUSED_ONE, 1, "7.4"), (FUSED_TWO, 2, "7.3")):
        for shape, axis in layouts:
            id = f"small/sample-n{n}-{name(shape, axis)}"
            case = layer(id, clause, shape, axis, momentum=0.5, estimator="sample", reference="tf-keras")
            yield case.step(True, dy=True).step(True).step(False)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from population()
    yield from sample()
