"""PyTorch's own layers, with the config that a converter gives: axis 1, momentum 1 - m, sample variance."""

from __future__ import annotations

from collections.abc import Iterator

from case import Case, layer
from families.layouts import Layout, name

LAYOUTS: tuple[Layout, ...] = (((6, 3), 1), ((2, 3, 5), 1), ((2, 3, 4, 5), 1), ((2, 3, 2, 3, 2), 1))


def converted(id: str, shape: tuple[int, ...], m: float = 0.1, *, epsilon: float = 1e-5, affine: bool = True) -> Case:
    """The case of a PyTorch layer with `momentum=m`, which is the weight of the new value there."""
    return layer(
        f"pytorch/{id}",
        "16.1",
        shape,
        1,
        momentum=1.0 - m,
        epsilon=epsilon,
        center=affine,
        scale=affine,
        estimator="sample",
        reference="pytorch",
    )


def cases() -> Iterator[Case]:
    """Three steps of train() and one of eval() for BatchNorm1d, 2d and 3d; gradients in both."""
    for shape, axis in LAYOUTS:
        layout = name(shape, axis)
        for m in (0.1, 0.3, 0.01):
            yield converted(f"momentum{m:g}-{layout}", shape, m).step(True).step(True).step(True).step(False)
        yield converted(f"not-affine-{layout}", shape, affine=False).step(True, dy=True).step(False, dy=True)
        yield converted(f"gradient-{layout}", shape).step(True, dy=True).step(False, dy=True)
    for shape in ((4, 7), (3, 2, 5, 3)):
        yield converted(f"epsilon0.001-{name(shape, 1)}", shape, 0.3, epsilon=1e-3).step(True).step(False)
    for shape in ((2, 16), (2, 1, 7), (2, 2, 1, 1)):
        yield converted(f"odd-{name(shape, 1)}", shape, 0.3).step(True, dy=True)
    yield converted("momentum1", (2, 3, 5), 1.0).step(True).step(False)
    case = converted("new-parameters", (2, 3, 4, 5), 0.2).step(True, dy=True).step(True, dy=True, parameters=True)
    yield case.step(False, parameters=True)
