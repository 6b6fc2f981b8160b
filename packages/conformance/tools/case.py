"""A golden case: one layer, its initial state, and what happens to it step by step. docs/vectors.md is the format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from draw import DTYPES, Array, Draw, Shape

# Arrays by name; None where there is no such tensor.
Tensors = dict[str, Any]

PARAMETERS = ("gamma", "beta")
STATISTICS = ("movingMean", "movingVariance")
TRUTH_FIELDS = ("y", *STATISTICS, "batchMean", "batchVariance", "dx", "dgamma", "dbeta")
RESULT_FIELDS = ("y", *STATISTICS, "dx", "dgamma", "dbeta")


@dataclass
class Step:
    """One call of the layer, with a backward pass where `dy` is given."""

    training: bool
    trainable: bool
    x: Array
    mask: Array | None = None
    dy: Array | None = None
    parameters: Tensors | None = None
    truth: Tensors = field(default_factory=dict)
    results: dict[str, Tensors] = field(default_factory=dict)


@dataclass
class Case:
    """A layer and its steps. `state` holds gamma, beta, movingMean and movingVariance, each `[channels]`."""

    id: str
    clause: str
    flags: list[str]
    reference: str
    config: dict[str, Any]
    state: Tensors
    steps: list[Step] = field(default_factory=list)
    shape: Shape = ()
    dtype: str = "float32"

    @property
    def family(self) -> str:
        """The part of the id before the slash."""
        return self.id.split("/")[0]

    @property
    def draw(self) -> Draw:
        """The case's generator. Only families draw; a case that was read back from a file has no use for it."""
        if not hasattr(self, "_draw"):
            self._draw = Draw(self.id)
        return self._draw

    @property
    def axis(self) -> int:
        """The channel axis as the config has it; it may be negative."""
        return int(self.config["axis"])

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self.shape[self.axis]

    @property
    def mask_shape(self) -> Shape:
        """The input's shape without the channel axis."""
        axis = self.axis % len(self.shape)
        return self.shape[:axis] + self.shape[axis + 1 :]

    def flag(self, name: str) -> Case:
        """Adds a flag once."""
        if name not in self.flags:
            self.flags.append(name)
        return self

    def step(
        self,
        training: bool,
        *,
        trainable: bool | None = None,
        x: Array | None = None,
        mask: Array | None = None,
        dy: Array | bool = False,
        parameters: Tensors | bool = False,
    ) -> Case:
        """Appends a step and returns the case. `dy=True` and `parameters=True` draw them; x is drawn unless given.

        What is drawn is rounded to the case's dtype; what is given has to have it.
        """
        rank = len(self.shape)
        if trainable is None:
            trainable = self.steps[-1].trainable if self.steps else bool(self.config["trainable"])
        if x is None:
            x = self.draw.x(self.shape, self.axis).astype(DTYPES[self.dtype])
        if dy is True:
            dy = self.draw.dy(self.shape).astype(DTYPES[self.dtype])
        if parameters is True:
            parameters = self._draw_parameters()
        if mask is not None and self.axis % rank != rank - 1:
            self.flag("keras-transposed")
        assert x.shape == self.shape and x.dtype == DTYPES[self.dtype], self.id
        assert dy is False or dy.dtype == x.dtype, self.id
        assert mask is None or mask.shape == self.mask_shape, self.id
        self.steps.append(
            Step(
                training=training,
                trainable=trainable,
                x=x,
                mask=mask,
                dy=None if dy is False else dy,
                parameters=None if parameters is False else parameters,
            )
        )
        return self

    def _draw_parameters(self) -> Tensors:
        return {
            "gamma": self.draw.gamma(self.channels) if self.config["scale"] else None,
            "beta": self.draw.beta(self.channels) if self.config["center"] else None,
        }


def layer(
    id: str,
    clause: str,
    shape: Shape,
    axis: int = -1,
    *,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    trainable: bool = True,
    estimator: str = "population",
    reference: str = "keras/tensorflow",
    flags: Sequence[str] = (),
    dtype: str = "float32",
    **state: Array,
) -> Case:
    """A case without steps. The state is drawn; `gamma`, `beta`, `movingMean` or `movingVariance` replace a part of it.

    The dtype is that of x and dy, and so of y and dx: the state is float32 always.
    """
    config = {
        "axis": axis,
        "momentum": momentum,
        "epsilon": epsilon,
        "center": center,
        "scale": scale,
        "trainable": trainable,
        "varianceEstimator": estimator,
        "nonFinite": "propagate",
    }
    case = Case(id, clause, list(flags), reference, config, {}, shape=tuple(shape), dtype=dtype)
    channels = case.channels
    case.state = {
        **case._draw_parameters(),
        "movingMean": case.draw.moving_mean(channels),
        "movingVariance": case.draw.moving_variance(channels),
    }
    for name, value in state.items():
        assert name in case.state and value.shape == (channels,), f"{id}: {name}"
        case.state[name] = np.asarray(value, dtype=np.float32)
    return case
