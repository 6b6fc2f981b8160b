"""Finds in an exported graph what became of each normalization of a torch module."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from fixture import Array, Fold, Layer

LINEAR = ("Conv", "ConvTranspose", "Gemm", "MatMul")
NORMS = (nn.modules.batchnorm._BatchNorm,)
LINEAR_MODULES = (nn.modules.conv._ConvNd, nn.Linear)

TRAINING = Fold(reason="training-mode")
FOLDED = Fold(reason="already-folded")
ALONE = Fold(reason="no-neighbour")


def state_of(module: Any) -> dict[str, Array]:
    """A layer's arrays by our names; where torch has none, gamma is 1 and beta 0, and statistics are left out."""
    channels = module.num_features
    gamma, beta = (np.full(channels, value, np.float32) for value in (1, 0))
    state = {
        "gamma": gamma if module.weight is None else module.weight.detach().numpy().copy(),
        "beta": beta if module.bias is None else module.bias.detach().numpy().copy(),
    }
    if module.running_mean is not None:
        state["movingMean"] = module.running_mean.numpy().copy()
        state["movingVariance"] = module.running_var.numpy().copy()
    return state


def execution_order(model: nn.Module, x: Tensor) -> list[tuple[str, nn.Module]]:
    """The linear and the normalizing modules in the order in which they are called."""
    order: list[tuple[str, nn.Module]] = []
    handles = [
        module.register_forward_hook(lambda module, _x, _y, name=name: order.append((name, module)))
        for name, module in model.named_modules()
        if isinstance(module, NORMS + LINEAR_MODULES)
    ]
    training = {name: module.training for name, module in model.named_modules()}
    model.eval()(x)
    for name, module in model.named_modules():
        module.training = training[name]
    for handle in handles:
        handle.remove()
    return order


def judge(graph: Any, node: NodeProto) -> Fold:
    """Whether a BatchNormalization node in inference mode can be folded, by its direct neighbours."""
    uses = Counter(name for other in graph.node for name in other.input)
    uses.update(info.name for info in graph.output)
    producer = next((other for other in graph.node if node.input[0] in other.output), None)
    if producer is not None and producer.op_type in LINEAR and uses[node.input[0]] == 1:
        return Fold(into=producer.name, direction="backward")
    consumers = [other for other in graph.node if node.output[0] in other.input]
    if len(consumers) == 1 and consumers[0].op_type == "Conv":
        pads = next((helper.get_attribute_value(a) for a in consumers[0].attribute if a.name == "pads"), [0])
        if any(pads):
            return Fold(reason="padding", why="The Conv pads with zeros, which the layer would have turned into something else.")
        return Fold(into=consumers[0].name, direction="forward")
    if producer is not None and producer.op_type == "Relu":
        return Fold(reason="not-linear", why="A Relu stands between the Conv and the layer.")
    return ALONE


def check_folded(model: ModelProto, node: NodeProto, linear: nn.Module, norm: Any) -> None:
    """Holds that the node's weight is the module's times gamma / sqrt(variance + epsilon)."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}[node.input[1]]
    state = state_of(norm)
    k = state["gamma"] / np.sqrt(state["movingVariance"] + norm.eps)
    weight = linear.weight.detach().numpy()
    if isinstance(linear, nn.modules.conv._ConvTransposeNd):
        parts = np.split(weight, linear.groups)
        scales = np.split(k, linear.groups)
        expected = np.concatenate([p * s.reshape(1, -1, *(1 for _ in p.shape[2:])) for p, s in zip(parts, scales, strict=True)])
    else:
        expected = weight * k.reshape(-1, *(1 for _ in weight.shape[1:]))
    np.testing.assert_allclose(stored, expected, rtol=1e-4, atol=1e-6)


def check_stored(model: ModelProto, node: NodeProto, state: dict[str, Array]) -> None:
    """Holds that the node's arrays, where they are constants of the file, are the module's."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for other in model.graph.node:
        if other.op_type == "Constant":
            value = helper.get_attribute_value(other.attribute[0])
            stored[other.output[0]] = numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)
        elif other.op_type == "Identity" and other.input[0] in stored:
            stored[other.output[0]] = stored[other.input[0]]
    for name, value in zip(node.input[1:], state.values(), strict=True):
        np.testing.assert_array_equal(stored[name], value)


def find_layers(module: nn.Module, x: Tensor, model: ModelProto) -> list[Layer]:
    """The layers of a module that was exported with its calls in their order: as a node of their own, or folded."""
    nodes = iter([node for node in model.graph.node if node.op_type in (*LINEAR, "BatchNormalization")])
    layers: list[Layer] = []
    node, linear = None, None
    waiting = next(nodes, None)
    for name, part in execution_order(module, x):
        if not isinstance(part, NORMS):
            node, waiting, linear = waiting, next(nodes, None), part
            assert node is not None and node.op_type in LINEAR, (name, node)
            continue
        state = state_of(part)
        momentum = None if part.momentum is None else 1 - part.momentum
        common = {"channels": part.num_features, "epsilon": part.eps, "momentum": momentum, "state": state}
        if waiting is not None and waiting.op_type == "BatchNormalization":
            check_stored(model, waiting, state)
            mode = next((a.i for a in waiting.attribute if a.name == "training_mode"), 0)
            findings = ("training-mode",) if mode else ()
            fold = TRAINING if mode else judge(model.graph, waiting)
            options = {"mode": "training" if mode else "inference", "findings": findings}
            layers.append(Layer(name, "BatchNormalization", fold=fold, node=waiting.name, **options, **common))
            waiting = next(nodes, None)
        else:
            assert node is not None
            check_folded(model, node, linear, part)
            layers.append(Layer(name, "folded", fold=FOLDED, node=node.name, readable=(), **common))
    assert waiting is None, waiting
    return layers
