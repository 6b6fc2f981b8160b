"""Keras 3's BatchNormalization on the backend that KERAS_BACKEND names, in eager mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from case import RESULT_FIELDS, Case, Tensors
from draw import DTYPES, Array

# Errors as they were raised, without the decoration that Keras puts around them.
keras.config.disable_traceback_filtering()

Call = Callable[[Any, Array, bool, "Array | None", "Array | None"], Tensors]


def call_jax(layer: Any, x: Array, training: bool, mask: Array | None, dy: Array | None) -> Tensors:
    """The layer as a pure function: `stateless_call`, and `jax.vjp` of it where there is a `dy`."""
    import jax
    import jax.numpy as jnp

    fixed = [variable.value for variable in layer.non_trainable_variables]
    trained = [variable.value for variable in layer.trainable_variables]
    options = {} if mask is None else {"mask": jnp.asarray(mask)}

    def forward(trained: list[Any], x: Any) -> tuple[Any, list[Any]]:
        return layer.stateless_call(trained, fixed, x, training=training, **options)

    result: Tensors = {"dx": None, "dgamma": None, "dbeta": None}
    if dy is None:
        y, after = forward(trained, jnp.asarray(x))
    else:
        y, pull_back, after = jax.vjp(forward, trained, jnp.asarray(x), has_aux=True)
        grads, dx = pull_back(jnp.asarray(dy))
        result["dx"] = np.asarray(dx)
        for variable, grad in zip(layer.trainable_variables, grads, strict=True):
            result[f"d{variable.name}"] = np.asarray(grad)
    for variable, value in zip(layer.non_trainable_variables, after, strict=True):
        variable.assign(value)
    return {**result, "y": np.asarray(y)}


def call_torch(layer: Any, x: Array, training: bool, mask: Array | None, dy: Array | None) -> Tensors:
    """The layer under PyTorch's autograd."""
    import torch

    def to_torch(tensor: Array) -> torch.Tensor:
        # torch takes no bfloat16 from NumPy. Every one of them is a float32.
        if tensor.dtype == DTYPES["bfloat16"]:
            return torch.tensor(tensor.astype(np.float32)).to(torch.bfloat16)
        return torch.tensor(tensor)

    def to_array(tensor: torch.Tensor) -> Array:
        dtype = DTYPES[str(tensor.dtype).removeprefix("torch.")]
        return tensor.detach().float().numpy().astype(dtype) if tensor.dtype == torch.bfloat16 else tensor.detach().numpy()

    x = to_torch(x).requires_grad_(dy is not None)
    options = {} if mask is None else {"mask": torch.tensor(mask)}
    y = layer(x, training=training, **options)
    result: Tensors = {"y": to_array(y), "dx": None, "dgamma": None, "dbeta": None}
    if dy is not None:
        for variable in layer.trainable_variables:
            variable.value.grad = None
        y.backward(to_torch(dy))
        result["dx"] = to_array(x.grad)
        for variable in layer.trainable_variables:
            result[f"d{variable.name}"] = variable.value.grad.numpy()
    return result


def backend_call() -> Call:
    """The call of the backend that runs."""
    if keras.backend.backend() == "tensorflow":
        from frameworks import tape

        return tape.call
    return {"jax": call_jax, "torch": call_torch}[keras.backend.backend()]


def to_numpy(variable: Any) -> Array:
    """A copy of a Keras variable."""
    return np.array(keras.ops.convert_to_numpy(variable), dtype=np.float32)


def run(case: Case) -> list[Tensors]:
    """The results of every step."""
    config, rank = case.config, len(case.shape)
    # Keras expands a mask at the end, so it understands one for the last axis only: the others are moved there and back.
    masked = any(step.mask is not None for step in case.steps)
    moved = masked and case.axis % rank != rank - 1

    def there(tensor: Array | None) -> Array | None:
        return np.ascontiguousarray(np.moveaxis(tensor, case.axis, -1)) if moved and tensor is not None else tensor

    def back(tensor: Array | None) -> Array | None:
        return np.moveaxis(tensor, -1, case.axis) if moved and tensor is not None else tensor

    layer = keras.layers.BatchNormalization(
        axis=-1 if moved else case.axis,
        **{name: config[name] for name in ("momentum", "epsilon", "center", "scale")},
        dtype="float32" if case.dtype == "float32" else f"mixed_{case.dtype}",
    )
    layer.build(there(case.steps[0].x).shape)
    variables = {
        "gamma": layer.gamma,
        "beta": layer.beta,
        "movingMean": layer.moving_mean,
        "movingVariance": layer.moving_variance,
    }

    def assign(values: Tensors) -> None:
        for name, value in values.items():
            if value is not None:
                variables[name].assign(value)

    assign(case.state)
    call, results = backend_call(), []
    for step in case.steps:
        layer.trainable = step.trainable
        assign(step.parameters or {})
        result = call(layer, there(step.x), step.training, step.mask, there(step.dy))
        result["y"], result["dx"] = back(result["y"]), back(result["dx"])
        result["movingMean"] = to_numpy(layer.moving_mean)
        result["movingVariance"] = to_numpy(layer.moving_variance)
        results.append({name: result[name] for name in RESULT_FIELDS})
    return results
