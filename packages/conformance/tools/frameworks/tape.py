"""Forward and backward of a TensorFlow layer in eager mode, for Keras 3 and tf-keras alike."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from case import Tensors
from draw import Array


def call(layer: Any, x: Array, training: bool, mask: Array | None, dy: Array | None) -> Tensors:
    """Calls the layer; with `dy`, also takes the gradients of x and of the trainable parameters from the tape."""
    x = tf.constant(x)
    options = {} if mask is None else {"mask": tf.constant(mask)}
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training, **options)
    result: Tensors = {"y": y.numpy(), "dx": None, "dgamma": None, "dbeta": None}
    if dy is None:
        return result
    sources = {"dx": x}
    for name in ("gamma", "beta"):
        variable = getattr(layer, name)
        if layer.trainable and variable is not None:
            # Keras 3 wraps the tf.Variable, tf-keras does not.
            sources[f"d{name}"] = variable if isinstance(variable, tf.Variable) else variable.value
    grads = tape.gradient(y, sources, output_gradients=tf.constant(dy))
    return {**result, **{name: value.numpy() for name, value in grads.items()}}
