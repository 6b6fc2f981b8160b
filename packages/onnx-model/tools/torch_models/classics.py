"""ResNet-18 and MobileNetV2 at a width of two channels, trained: ResNet-18 in every mode of both exporters and as weight files,
MobileNetV2, whose 52 layers make large files, in the modes that differ."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from typing import Any

import torch
from onnx import ModelProto
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from fixture import Fixture, Fold, Layer

from .exporting import MODES, dynamo, torchscript
from .layers import NORMS, find_layers, state_of
from .nets import MobileNetV2, ResNet18
from .training import pictures, train

SHAPE = (3, 16, 16)
NO_GRAPH = Fold(reason="no-graph")


def norms(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The layers with their names, in the order of the state_dict."""
    return [(name, module) for name, module in model.named_modules() if isinstance(module, NORMS)]


def weight_files(id: str, model: nn.Module, safetensors: bool) -> Fixture:
    """The state as torch.save writes a state_dict, or as safetensors."""
    name = f"torch/{id}-{'safetensors' if safetensors else 'state-dict'}"
    if safetensors:
        file, content = f"{name}.safetensors", save_safetensors(model.state_dict())
    else:
        buffer = io.BytesIO()
        torch.save(model.state_dict(), buffer)
        file, content = f"{name}.pt", buffer.getvalue()
    layers = [
        Layer(
            layer,
            "weights",
            part.num_features,
            part.eps,
            1 - part.momentum,
            NO_GRAPH,
            None,
            readable=tuple(state_of(part)),
            state=state_of(part),
        )
        for layer, part in norms(model)
    ]
    made_by = "safetensors.torch.save" if safetensors else "torch.save(model.state_dict())"
    states = f"torch/{id}-torchscript-eval.tensors.safetensors"
    return Fixture(name, f"the state_dict of {id}; epsilon and momentum are not in it", made_by, {file: content}, layers, states=states)


def exported(id: str, about: str, exporter: str, model: ModelProto, layers: list[Layer], x: Tensor, y: Tensor) -> Fixture:
    """An export, whose layers' states are in a tensor file of its own."""
    files = {f"torch/{id}.onnx": model.SerializeToString(deterministic=True)}
    fixture = Fixture(f"torch/{id}", about, f"torch.onnx.export, {exporter}", files, layers, {"x": x.numpy()}, {"y": y.detach().numpy()})
    fixture.reference = "torch in float32"
    return fixture


def of_net(id: str, model: nn.Module) -> Iterator[Fixture]:
    """The exports of one net in eval mode, which share their states, and in TRAINING."""
    x = pictures(torch.Generator().manual_seed(12), 2, *SHAPE)[0]
    model.eval()
    y = model(x)
    modes = (
        ("torchscript-eval", "TorchScript, EVAL: all layers folded", torchscript(model, x)),
        (
            "torchscript-preserve-eval",
            "TorchScript, PRESERVE, the module in eval mode: no layer is folded",
            torchscript(model, x, MODES.PRESERVE),
        ),
        ("dynamo-eval", "dynamo: all layers folded", dynamo(model, x, lean=True)),
    )
    for name, about, graph in modes:
        fixture = exported(f"{id}-{name}", about, name.split("-")[0], graph, find_layers(model, x, graph), x, y)
        fixture.states = None if name == "torchscript-eval" else f"torch/{id}-torchscript-eval.tensors.safetensors"
        yield fixture
    x = pictures(torch.Generator().manual_seed(13), 4, *SHAPE)[0]
    yield in_training(f"{id}-torchscript-training", "TorchScript, TRAINING: every layer in training mode", model, x, MODES.TRAINING, 1)
    if id == "resnet18":
        about = "TorchScript, PRESERVE, every third layer in train mode"
        yield in_training(f"{id}-torchscript-preserve-mixed", about, model, x, MODES.PRESERVE, 3)


def in_training(id: str, about: str, trained: nn.Module, x: Tensor, mode: Any, every: int) -> Fixture:
    """An export with some layers in train mode. The exporter's own call of the module has updated their statistics."""
    model = copy.deepcopy(trained)
    for index, (_, part) in enumerate(norms(model)):
        part.train(index % every == 0)
    model.training = mode == MODES.TRAINING
    y = copy.deepcopy(model)(x)
    graph = torchscript(model, x, mode)
    fixture = exported(id, about, "torchscript", graph, find_layers(model, x, graph), x, y)
    fixture.notes = ("The statistics in the file are those after one more update: the exporter calls the module before it stores them.",)
    return fixture


def fixtures() -> Iterator[Fixture]:
    """Both nets."""
    for id, net in (("resnet18", ResNet18), ("mobilenetv2", MobileNetV2)):
        model = train(net(), SHAPE, steps=40)
        yield from of_net(id, model)
        if id == "resnet18":
            yield weight_files(id, model, True)
            yield weight_files(id, model, False)
