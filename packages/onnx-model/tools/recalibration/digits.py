"""The digits net in NumPy, in float64: what enters each normalization, and the moving statistics that a data set gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fixture import Array
from keras_models.digits import NORMS, Norm

States = dict[str, dict[str, Array]]
Weights = dict[str, list[Array]]


def same_convolution(x: Array, kernel: Array) -> Array:
    """A convolution of `[n, h, w, in]` with `[3, 3, in, out]` or `[1, 1, in, out]`, stride 1, padded with zeros to the same size."""
    size = kernel.shape[0]
    padded = np.pad(x, ((0, 0), (size // 2, size // 2), (size // 2, size // 2), (0, 0)))
    height, width = x.shape[1:3]
    windows = [padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(size) for j in range(size)]
    return np.add.reduce(windows)


def depthwise_convolution(x: Array, kernel: Array) -> Array:
    """The same, each channel by itself; the kernel is `[3, 3, channels, 1]`."""
    diagonal = np.zeros((*kernel.shape[:3], kernel.shape[2]))
    for channel in range(kernel.shape[2]):
        diagonal[:, :, channel, channel] = kernel[:, :, channel, 0]
    return same_convolution(x, diagonal)


def pooled(x: Array, reduce: Callable[..., Array]) -> Array:
    """Pools of 2 by 2."""
    n, height, width, channels = x.shape
    return reduce(x.reshape(n, height // 2, 2, width // 2, 2, channels), axis=(2, 4))


def normalized(x: Array, norm: Norm, state: dict[str, Array]) -> Array:
    """Clause 5.1 in float64."""
    y = (x - state["movingMean"]) / np.sqrt(state["movingVariance"] + norm.epsilon)
    return y * state.get("gamma", 1.0) + state.get("beta", 0.0)


def forward(images: Array, weights: Weights, states: States) -> tuple[Array, dict[str, Array]]:
    """The logits for images `[n, 8, 8, 1]`, and what enters each normalization."""
    entering: dict[str, Array] = {}
    by_name = {norm.name: norm for norm in NORMS}

    def norm(name: str, x: Array) -> Array:
        entering[name] = x
        return normalized(x, by_name[name], states[name])

    def relu(x: Array) -> Array:
        return np.maximum(x, 0)

    x = norm("pixel_norm", np.float64(images))
    x = relu(norm("stem_norm", same_convolution(x, weights["stem_conv"][0])))
    x = depthwise_convolution(pooled(x, np.max), weights["depth_conv"][0]) + weights["depth_conv"][1]
    x = same_convolution(relu(norm("depth_norm", x)), weights["point_conv"][0]) + weights["point_conv"][1]
    x = pooled(relu(norm("point_norm", x)), np.mean)
    x = relu(norm("dense_norm", x.reshape(len(x), -1) @ weights["dense"][0]))
    return x @ weights["digit"][0] + weights["digit"][1], entering


def moments(x: Array) -> dict[str, Array]:
    """Count, mean and centred sum of squares per channel (the last axis), and the statistics that they are."""
    values = x.reshape(-1, x.shape[-1])
    mean = values.mean(axis=0)
    centred = np.square(values - mean).sum(axis=0)
    return {
        "count": np.int64([len(values)]),
        "mean": mean,
        "centredSum": centred,
        "movingMean": mean,
        "movingVariance": centred / len(values),
    }


def with_statistics(states: States, name: str, found: dict[str, Array]) -> States:
    """The states with the statistics of one layer replaced."""
    new = {field: found[field] for field in ("movingMean", "movingVariance")}
    return {**states, name: {**states[name], **new}}


def one_pass(images: Array, weights: Weights, states: States) -> tuple[dict[str, dict[str, Array]], States]:
    """Every layer is measured in one pass over the whole set in which the old statistics normalize."""
    entering = forward(images, weights, states)[1]
    found = {name: moments(x) for name, x in entering.items()}
    new = states
    for name, measured in found.items():
        new = with_statistics(new, name, measured)
    return found, new


def level_by_level(images: Array, weights: Weights, states: States) -> tuple[dict[str, dict[str, Array]], States]:
    """A layer is measured when all layers before it have their new statistics. The net is a chain: one layer a level."""
    found, new = {}, states
    for norm in NORMS:
        found[norm.name] = moments(forward(images, weights, new)[1][norm.name])
        new = with_statistics(new, norm.name, found[norm.name])
    return found, new
