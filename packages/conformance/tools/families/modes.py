"""Modes: what training and trainable decide together, and layers that are frozen and unfrozen on the way."""

from __future__ import annotations

from collections.abc import Iterator

from case import Case, layer
from families.layouts import Layout, name, switches

LAYOUTS: tuple[Layout, ...] = (((6, 3), -1), ((2, 3, 5), 1), ((2, 3, 4, 5), 1), ((2, 3, 4, 5), -1), ((2, 3, 2, 3, 2), 4))


def cells() -> Iterator[Case]:
    """The four cells of the mode table, each twice in a row: the second call shows what the first one kept."""
    for shape, axis in LAYOUTS:
        for training in (True, False):
            for trainable in (True, False):
                cell = f"{'training' if training else 'inference'}-{'trainable' if trainable else 'frozen'}"
                clause = {(True, False): "4.2", (False, True): "5.3"}.get((training, trainable), "4.1")
                case = layer(f"modes/{cell}-{name(shape, axis)}", clause, shape, axis, momentum=0.6, trainable=trainable)
                yield case.step(training).step(training)


def changes() -> Iterator[Case]:
    """Freezing and unfreezing between calls, with the statistics that the calls before left behind."""
    for shape, axis in LAYOUTS[:4]:
        layout = name(shape, axis)
        case = layer(f"modes/freeze-after-3-{layout}", "4.3", shape, axis, momentum=0.8)
        for _ in range(3):
            case.step(True, trainable=True)
        yield case.step(True, trainable=False).step(True).step(False)

        case = layer(f"modes/unfreeze-after-2-{layout}", "4.3", shape, axis, momentum=0.8, trainable=False)
        yield case.step(True).step(True).step(True, trainable=True).step(True).step(False)

    case = layer("modes/freeze-every-other-step", "4.3", (2, 3, 5), -1, momentum=0.5)
    for step in range(8):
        case.step(True, trainable=step % 2 == 0)
    yield case

    case = layer("modes/freeze-then-new-parameters", "4.3", (2, 3, 5), 1, momentum=0.5)
    case.step(True, dy=True).step(True, parameters=True, dy=True)
    yield case.step(True, trainable=False, dy=True).step(True, parameters=True, dy=True).step(False, dy=True)


def frozen() -> Iterator[Case]:
    """Frozen layers: gradients for x alone, with and without parameters, and momenta that would show any update."""
    for shape, axis in LAYOUTS:
        id = f"modes/frozen-gradient-{name(shape, axis)}"
        yield layer(id, "10.4", shape, axis, trainable=False, momentum=0.3).step(True, dy=True).step(False, dy=True)
    for center, scale, switch, _ in switches():
        for shape, axis in LAYOUTS[1:4:2]:
            id = f"modes/frozen-{switch}-{name(shape, axis)}"
            yield layer(id, "4.2", shape, axis, trainable=False, center=center, scale=scale).step(True, dy=True)
    for momentum in (0.0, 1.0):
        id = f"modes/frozen-momentum{momentum:g}"
        yield layer(id, "4.2", (2, 3, 5), 1, trainable=False, momentum=momentum).step(True).step(True)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from cells()
    yield from changes()
    yield from frozen()
