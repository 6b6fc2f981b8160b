"""The truth of a case: what exact arithmetic gives on its inputs, float32 or narrower. It is never rounded to their dtype.

The forward pass is NumPy in extended precision (64 bits of mantissa), two-pass, carried from step to step without
rounding. The gradients are PyTorch's float64 autograd over the same formulas, written out, so that no gradient formula of
ours can be wrong in the same way twice. Nothing here calls Keras.
"""

from __future__ import annotations

import numpy as np
import torch

from case import Case, Step, Tensors
from draw import Array

Real = np.longdouble


def assert_extended_precision() -> None:
    """Truth is compared bit for bit, so it is made only where `long double` has the 64 bits of x86."""
    if np.finfo(Real).nmant != 63:
        raise SystemExit("The truth needs the 80-bit long double of x86: generate on an x86-64 machine with Linux.")


def to_rows(tensor: Array, axis: int) -> Array:
    """`[n, channels]`: the channel axis last, everything else flattened."""
    return np.moveaxis(tensor, axis, -1).reshape(-1, tensor.shape[axis])


def from_rows(rows: Array, like: Array, axis: int) -> Array:
    """The inverse of `to_rows`, in float64."""
    moved = np.moveaxis(like, axis, -1).shape
    return np.ascontiguousarray(np.moveaxis(rows.reshape(moved), -1, axis), dtype=np.float64)


def moments(rows: Array) -> tuple[Array, Array]:
    """Mean and population variance of each column, two-pass."""
    mean = rows.sum(axis=0) / Real(rows.shape[0])
    return mean, np.square(rows - mean).sum(axis=0) / Real(rows.shape[0])


def normalize(rows: Array, mean: Array, variance: Array, gamma: Array | None, beta: Array | None, epsilon: Array) -> Array:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta."""
    scaled = rows - mean if gamma is None else gamma * (rows - mean)
    y = scaled / np.sqrt(variance + epsilon)
    return y if beta is None else y + beta


def gradients(case: Case, step: Step, state: Tensors, batch: bool) -> Tensors:
    """dx, dgamma and dbeta, by float64 autograd of the forward formula.

    With `batch` the mean and the population variance are functions of x (of its visible elements, under a mask);
    without it they are the moving statistics, which are constants.
    """

    def parameter(name: str) -> torch.Tensor | None:
        value = state[name]
        return None if value is None else torch.tensor(value.astype(np.float64), requires_grad=True)

    gamma, beta = parameter("gamma"), parameter("beta")
    x = torch.tensor(to_rows(step.x, case.axis).astype(np.float64), requires_grad=True)
    dy = torch.tensor(to_rows(step.dy, case.axis).astype(np.float64))
    if batch:
        visible = torch.ones(x.shape[0], 1, dtype=torch.bool)
        if step.mask is not None:
            visible = torch.tensor(step.mask.reshape(-1, 1))
        n = visible.sum()
        nothing = torch.zeros((), dtype=torch.float64)
        mean = torch.where(visible, x, nothing).sum(0) / n
        variance = torch.where(visible, (x - mean) ** 2, nothing).sum(0) / n
    else:
        mean = torch.tensor(state["movingMean"].astype(np.float64))
        variance = torch.tensor(state["movingVariance"].astype(np.float64))
    y = (x - mean) / torch.sqrt(variance + case.config["epsilon"])
    y = y if gamma is None else gamma * y
    y = y if beta is None else y + beta
    y.backward(dy)
    result: Tensors = {"dx": from_rows(x.grad.numpy(), step.x, case.axis), "dgamma": None, "dbeta": None}
    if step.trainable:
        result["dgamma"] = None if gamma is None else gamma.grad.numpy()
        result["dbeta"] = None if beta is None else beta.grad.numpy()
    return result


def run_step(case: Case, step: Step, state: Tensors) -> Tensors:
    """The truth of one step. Replaces what the step changes in `state`, which is in extended precision."""
    epsilon, momentum = Real(case.config["epsilon"]), Real(case.config["momentum"])
    for name, value in (step.parameters or {}).items():
        state[name] = None if value is None else value.astype(Real)
    # By way of float32, which holds every half exactly: ml_dtypes knows no extended precision.
    rows = to_rows(step.x, case.axis).astype(np.float32).astype(Real)
    seen = rows if step.mask is None else rows[step.mask.reshape(-1)]
    # A mask that hides everything says nothing about the data: the moving statistics normalize and stay.
    batch = step.training and step.trainable and seen.shape[0] > 0
    grads = gradients(case, step, state, batch) if step.dy is not None else {"dx": None, "dgamma": None, "dbeta": None}
    mean, variance = moments(seen) if batch else (state["movingMean"], state["movingVariance"])
    y = normalize(rows, mean, variance, state["gamma"], state["beta"], epsilon)
    if batch:
        n = seen.shape[0]
        entering = variance
        if case.config["varianceEstimator"] == "sample":
            entering = variance * Real(n) / Real(max(n - 1, 1))
        state["movingMean"] = state["movingMean"] * momentum + mean * (1 - momentum)
        state["movingVariance"] = state["movingVariance"] * momentum + entering * (1 - momentum)
    return {
        "y": from_rows(y, step.x, case.axis),
        "movingMean": state["movingMean"].astype(np.float64),
        "movingVariance": state["movingVariance"].astype(np.float64),
        "batchMean": mean.astype(np.float64) if batch else None,
        "batchVariance": variance.astype(np.float64) if batch else None,
        **grads,
    }


def fill_truth(case: Case) -> None:
    """Computes the truth of every step of a case, in place."""
    state: Tensors = {name: None if value is None else value.astype(Real) for name, value in case.state.items()}
    with np.errstate(all="ignore"):  # NaN and infinity are data here
        for step in case.steps:
            step.truth = run_step(case, step, state)
