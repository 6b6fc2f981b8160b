"""A small CNN for scikit-learn's digits with a batch normalization of every kind, for Keras 3 and for tf-keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from fixture import Array

# The trained net, which the other backends load, and the tensor file that has the states of its layers.
TRAINED = Path(__file__).resolve().parents[2] / "test" / "models" / "keras" / "digits.keras"
STATES = "keras/digits-keras.tensors.safetensors"
SEED = 20150211
TRAINING_IMAGES, EPOCHS, BATCH = 1500, 2, 32


@dataclass(frozen=True)
class Norm:
    """A layer of the net: its name, what it is built with, and the width of what it normalizes."""

    name: str
    channels: int
    epsilon: float
    momentum: float
    scale: bool = True
    center: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """As BatchNormalization takes them."""
        return {"name": self.name, "epsilon": self.epsilon, "momentum": self.momentum, "scale": self.scale, "center": self.center}


NORMS = (
    Norm("pixel_norm", 1, 1e-3, 0.9),
    Norm("stem_norm", 6, 1e-3, 0.9),
    Norm("depth_norm", 6, 1e-5, 0.8, scale=False),
    Norm("point_norm", 12, 1e-2, 0.95, center=False),
    Norm("dense_norm", 16, 2e-3, 0.9),
)


ALL = tuple(norm.name for norm in NORMS)


def build(k: Any, training: tuple[str, ...] = (), pooled: bool = True) -> Any:
    """The net. `k` is keras or tf_keras; the normalizations named in `training` are called with that argument, whatever the model is.

    `pooled=False` has strides in place of the two pools, with the same weights: jax2onnx writes a MaxPool that onnxruntime cannot run."""
    layers = k.layers
    norms = {norm.name: layers.BatchNormalization(**norm.options) for norm in NORMS}
    stride = {} if pooled else {"strides": 2}

    def normalize(name: str, x: Any) -> Any:
        return norms[name](x, training=True) if name in training else norms[name](x)

    image = k.Input((8, 8, 1), name="image")
    x = normalize("pixel_norm", image)
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, name="stem_conv")(x)
    x = layers.ReLU(name="stem_relu")(normalize("stem_norm", x))
    x = layers.MaxPooling2D(2, name="stem_pool")(x) if pooled else x
    x = layers.DepthwiseConv2D(3, padding="same", name="depth_conv", **stride)(x)
    x = layers.ReLU(name="depth_relu")(normalize("depth_norm", x))
    x = layers.Conv2D(12, 1, name="point_conv", **stride)(x)
    x = layers.ReLU(name="point_relu")(normalize("point_norm", x))
    x = layers.AveragePooling2D(2, name="point_pool")(x) if pooled else x
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(16, use_bias=False, name="dense")(x)
    x = layers.ReLU(name="dense_relu")(normalize("dense_norm", x))
    return k.Model(image, layers.Dense(10, name="digit")(x), name="digits")


def images() -> tuple[Array, Array]:
    """All pictures as float32 `[1797, 8, 8, 1]` between 0 and 1, and their labels."""
    digits = load_digits()
    return np.float32(digits.images / 16.0)[..., None], digits.target


def state_of(model: Any) -> dict[str, dict[str, Array]]:
    """The state of every normalization by our names; a parameter that is off is absent."""
    states = {}
    for norm in NORMS:
        layer = model.get_layer(norm.name)
        fields = {"gamma": layer.gamma, "beta": layer.beta, "movingMean": layer.moving_mean, "movingVariance": layer.moving_variance}
        states[norm.name] = {name: np.float32(value) for name, value in fields.items() if value is not None}
    return states


def kernels_of(model: Any) -> dict[str, Array]:
    """The kernel of the layer before each normalization that has one, as Keras holds it: output channels last."""
    before = {"stem_norm": "stem_conv", "depth_norm": "depth_conv", "point_norm": "point_conv", "dense_norm": "dense"}
    return {norm: np.float32(model.get_layer(layer).get_weights()[0]) for norm, layer in before.items()}


def with_weights(k: Any, weights: Any, **options: Any) -> Any:
    """The net with these weights, once called, as Keras's exporters demand. (In training mode a call changes the statistics.)"""
    model = build(k, **options)
    model(images()[0][:4])
    model.set_weights(weights)
    return model
