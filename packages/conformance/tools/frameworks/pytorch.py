"""PyTorch's own BatchNorm1d, 2d and 3d: axis 1, sample variance, and a momentum that is the weight of the new value."""

from __future__ import annotations

import torch

from case import RESULT_FIELDS, Case, Tensors
from frameworks import Unsupported

LAYERS = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d, 5: torch.nn.BatchNorm3d}


def check(case: Case) -> None:
    """Throws Unsupported where PyTorch has no such layer."""
    config, rank = case.config, len(case.shape)
    if any(step.mask is not None for step in case.steps):
        raise Unsupported("PyTorch has no masked batch normalization.")
    if case.axis % rank != 1:
        raise Unsupported("The channel axis is always 1.")
    if config["center"] != config["scale"]:
        raise Unsupported("`affine` switches gamma and beta on or off together.")
    if not all(step.trainable for step in case.steps):
        raise Unsupported("PyTorch has no frozen layer: requires_grad=False still uses and updates batch statistics.")


def run(case: Case) -> list[Tensors]:
    """The results of every step."""
    check(case)
    # Our momentum is the weight of the old value; the rounding restores the decimal number that PyTorch was given.
    layer = LAYERS[len(case.shape)](
        case.channels,
        eps=case.config["epsilon"],
        momentum=round(1.0 - case.config["momentum"], 12),
        affine=case.config["scale"],
    )
    tensors = {
        "gamma": layer.weight,
        "beta": layer.bias,
        "movingMean": layer.running_mean,
        "movingVariance": layer.running_var,
    }

    def assign(values: Tensors) -> None:
        with torch.no_grad():
            for name, value in values.items():
                if value is not None:
                    tensors[name].copy_(torch.tensor(value))

    assign(case.state)
    results = []
    for step in case.steps:
        assign(step.parameters or {})
        layer.train(step.training)
        layer.zero_grad()
        x = torch.tensor(step.x, requires_grad=step.dy is not None)
        y = layer(x)
        result: Tensors = {"y": y.detach().numpy(), "dx": None, "dgamma": None, "dbeta": None}
        if step.dy is not None:
            y.backward(torch.tensor(step.dy))
            result["dx"] = x.grad.numpy()
            if layer.affine:
                result["dgamma"], result["dbeta"] = layer.weight.grad.numpy().copy(), layer.bias.grad.numpy().copy()
        result["movingMean"] = layer.running_mean.numpy().copy()
        result["movingVariance"] = layer.running_var.numpy().copy()
        results.append({name: result[name] for name in RESULT_FIELDS})
    return results
