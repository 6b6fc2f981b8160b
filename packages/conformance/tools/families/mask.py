"""Masks: they hide elements from the statistics of a training step, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from case import Case, layer
from families.layouts import Layout, name, switches

LAYOUTS: tuple[Layout, ...] = (
    ((6, 3), -1),
    ((4, 5, 3), -1),
    ((2, 3, 5), 1),
    ((2, 3, 4, 5), 3),
    ((2, 3, 4, 5), 1),
    ((2, 3, 2, 3, 2), -1),
    ((2, 3, 2, 3, 2), 1),
    ((4, 7), 0),
)


def hide(case: Case, visible: int, value: float) -> tuple[np.ndarray, np.ndarray]:
    """x and mask of a case, with `value` in every element that the mask hides."""
    x = case.draw.x(case.shape, case.axis)
    mask = case.draw.mask(case.mask_shape, visible)
    np.moveaxis(x, case.axis, -1)[~mask] = value  # moveaxis is a view
    return x, mask


def visible_counts() -> Iterator[Case]:
    """Some, one, two, all and none of the elements are visible."""
    for index, (shape, axis) in enumerate(LAYOUTS):
        layout = name(shape, axis)
        case = layer(f"mask/random-{layout}", "9.1", shape, axis, momentum=0.9)
        yield case.step(True, mask=case.draw.mask(case.mask_shape))
        if index % 2 == 0 or index == 7:
            case = layer(f"mask/one-visible-{layout}", "9.1", shape, axis, momentum=0.9, flags=["keras-count"])
            yield case.step(True, mask=case.draw.mask(case.mask_shape, 1))
        if index % 2 == 1:
            case = layer(f"mask/two-visible-{layout}", "9.1", shape, axis, momentum=0.9)
            yield case.step(True, mask=case.draw.mask(case.mask_shape, 2))
        if index in (0, 2, 4, 5):
            case = layer(f"mask/all-visible-{layout}", "9.1", shape, axis, momentum=0.9)
            yield case.step(True, mask=np.ones(case.mask_shape, np.bool_))
        if index in (0, 1, 2, 3, 6):
            case = layer(f"mask/all-hidden-{layout}", "9.4", shape, axis, momentum=0.9, flags=["keras-deviates"])
            yield case.step(True, mask=np.zeros(case.mask_shape, np.bool_))


def hidden_values() -> Iterator[Case]:
    """What is hidden may be anything; its output is still normalized, with the batch's statistics."""
    for index, (shape, axis) in enumerate(LAYOUTS[:7]):
        layout, visible = name(shape, axis), 3 + index % 2
        for kind, value in (("nan", np.nan), ("infinity", np.inf), ("negative-infinity", -np.inf)):
            if kind == "negative-infinity" and index % 3:
                continue
            case = layer(f"mask/hidden-{kind}-{layout}", "9.6", shape, axis, momentum=0.9)
            x, mask = hide(case, visible, value)
            yield case.step(True, x=x, mask=mask)
        if index in (1, 2):
            case = layer(f"mask/hidden-large-{layout}", "9.2", shape, axis, momentum=0.9)
            x, mask = hide(case, visible, 1e6)
            yield case.step(True, x=x, mask=mask)
    case = layer("mask/all-hidden-nan", "9.4", (2, 3, 5), -1, momentum=0.9, flags=["keras-deviates"])
    x, mask = hide(case, 0, np.nan)
    yield case.step(True, x=x, mask=mask).step(False)


def ignored() -> Iterator[Case]:
    """Where the moving statistics normalize, a mask does nothing."""
    for shape, axis in LAYOUTS[:6:2]:
        case = layer(f"mask/inference-{name(shape, axis)}", "9.5", shape, axis)
        yield case.step(False, mask=case.draw.mask(case.mask_shape))
        case = layer(f"mask/frozen-{name(shape, axis)}", "9.5", shape, axis, trainable=False)
        yield case.step(True, mask=case.draw.mask(case.mask_shape), dy=True)


def with_gradient() -> Iterator[Case]:
    """Gradients: a hidden element gets none through the statistics, and still the one of its own output."""
    for index, (shape, axis) in enumerate(LAYOUTS):
        case = layer(f"mask/gradient-{name(shape, axis)}", "10.5", shape, axis)
        yield case.step(True, mask=case.draw.mask(case.mask_shape), dy=True)
        if index in (1, 2):
            case = layer(f"mask/gradient-one-visible-{name(shape, axis)}", "10.5", shape, axis, flags=["keras-count"])
            yield case.step(True, mask=case.draw.mask(case.mask_shape, 1), dy=True)
            case = layer(f"mask/gradient-two-visible-{name(shape, axis)}", "10.5", shape, axis)
            yield case.step(True, mask=case.draw.mask(case.mask_shape, 2), dy=True)
            case = layer(f"mask/gradient-all-visible-{name(shape, axis)}", "10.5", shape, axis)
            yield case.step(True, mask=np.ones(case.mask_shape, np.bool_), dy=True)
            case = layer(f"mask/gradient-all-hidden-{name(shape, axis)}", "9.4", shape, axis, flags=["keras-deviates"])
            yield case.step(True, mask=np.zeros(case.mask_shape, np.bool_), dy=True)
    for center, scale, switch, _ in switches():
        case = layer(f"mask/gradient-{switch}", "10.5", (4, 5, 3), -1, center=center, scale=scale)
        yield case.step(True, mask=case.draw.mask(case.mask_shape), dy=True)


def one_channel() -> Iterator[Case]:
    """One channel: Keras squeezes it away, and only TensorFlow survives that."""
    for shape, axis in (((4, 3, 1), -1), ((3, 1, 4), 1)):
        case = layer(f"mask/one-channel-{name(shape, axis)}", "9.1", shape, axis, momentum=0.5)
        yield case.step(True, mask=case.draw.mask(case.mask_shape), dy=True)


def several_steps() -> Iterator[Case]:
    """The mask changes from step to step, is missing in one, hides everything in another."""
    for shape, axis in (((4, 5, 3), -1), ((2, 3, 5), 1)):
        case = layer(f"mask/steps-{name(shape, axis)}", "9.1", shape, axis, momentum=0.7)
        for _ in range(3):
            case.step(True, mask=case.draw.mask(case.mask_shape))
        yield case.step(True).step(False, mask=case.draw.mask(case.mask_shape))
        case = layer(f"mask/steps-all-hidden-{name(shape, axis)}", "9.4", shape, axis, momentum=0.7, flags=["keras-deviates"])
        case.step(True, mask=case.draw.mask(case.mask_shape)).step(True, mask=np.zeros(case.mask_shape, np.bool_))
        yield case.step(True, mask=case.draw.mask(case.mask_shape)).step(False)


def sample_variance() -> Iterator[Case]:
    """The sample variance of what is visible. No framework has both, so these cases have a truth and no results."""
    last, first = ((4, 5, 3), -1), ((2, 3, 5), 1)
    for visible, (shape, axis) in ((1, last), (2, last), (9, last), (4, first), (0, first)):
        id = f"mask/sample-{visible}-visible-{name(shape, axis)}"
        clause = {0: "9.4", 1: "7.4"}.get(visible, "7.3")
        case = layer(id, clause, shape, axis, momentum=0.6, estimator="sample", reference="tf-keras")
        case.step(True, mask=case.draw.mask(case.mask_shape, visible), dy=True)
        case.flags = ["no-framework"]
        yield case


def cases() -> Iterator[Case]:
    """All of them."""
    for part in (visible_counts, hidden_values, ignored, with_gradient, one_channel, several_steps, sample_variance):
        yield from part()
