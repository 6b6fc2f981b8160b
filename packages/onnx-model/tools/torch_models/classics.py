"""ResNet-18 and MobileNetV2 at a width of two channels, trained: ResNet-18 in every mode of both exporters and as weight files,
MobileNetV2, whose 52 layers make large files, in the modes that differ."""

from __future__ import annotations

import io
from collections.abc import Iterator

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


def exported(
    id: str, about: str, made_by: str, model: ModelProto, layers: list[Layer], x: Tensor, y: Tensor, notes: tuple[str, ...] = ()
) -> Fixture:
    """An export. The layers' states lie with the first export of the net, which all exports share."""
    first = f"{id.split('-')[0]}-torchscript-eval"
    fixture = Fixture(f"torch/{id}", about, made_by, {f"torch/{id}.onnx": model.SerializeToString(deterministic=True)}, layers, notes=notes)
    fixture.inputs, fixture.outputs, fixture.reference = {"x": x.numpy()}, {"y": y.detach().numpy()}, "torch in float32"
    fixture.states = None if id == first else f"torch/{first}.tensors.safetensors"
    return fixture


def without_statistics_changed(model: nn.Module, x: Tensor) -> Tensor:
    """The output of a call that leaves the model as it was: in training mode a call updates the statistics."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        y = model(x)
    model.load_state_dict(before)
    return y


def of_net(id: str, model: nn.Module) -> Iterator[Fixture]:
    """The exports of one net."""
    x = pictures(torch.Generator().manual_seed(12), 2, *SHAPE)[0]
    model.eval()
    y = without_statistics_changed(model, x)
    graph = torchscript(model, x)
    yield exported(
        f"{id}-torchscript-eval",
        "TorchScript, EVAL: all layers folded",
        "torch.onnx.export, torchscript",
        graph,
        find_layers(model, x, graph),
        x,
        y,
    )
    graph = torchscript(model, x, MODES.PRESERVE)
    about = "TorchScript, PRESERVE, the module in eval mode: no layer is folded"
    yield exported(f"{id}-torchscript-preserve-eval", about, "torch.onnx.export, torchscript", graph, find_layers(model, x, graph), x, y)
    graph = dynamo(model, x, lean=True)
    yield exported(f"{id}-dynamo-eval", "dynamo: all layers folded", "torch.onnx.export, dynamo", graph, find_layers(model, x, graph), x, y)
    x = pictures(torch.Generator().manual_seed(13), 4, *SHAPE)[0]
    model.train()
    in_training = without_statistics_changed(model, x)
    graph = torchscript(model, x, MODES.TRAINING)
    about = "TorchScript, TRAINING: every layer in training mode"
    layers = find_layers(model, x, graph)
    yield exported(f"{id}-torchscript-training", about, "torch.onnx.export, torchscript", graph, layers, x, in_training)
    if id == "resnet18":
        yield mixed_modes(id, model, x)
    model.eval()


def mixed_modes(id: str, model: nn.Module, x: Tensor) -> Fixture:
    """PRESERVE takes over the mode of every layer."""
    model.eval()
    for index, (_, part) in enumerate(norms(model)):
        part.train(index % 3 == 0)
    mixed = without_statistics_changed(model, x)
    graph = torchscript(model, x, MODES.PRESERVE)
    about = "TorchScript, PRESERVE, every third layer in train mode"
    return exported(
        f"{id}-torchscript-preserve-mixed", about, "torch.onnx.export, torchscript", graph, find_layers(model, x, graph), x, mixed
    )


def fixtures() -> Iterator[Fixture]:
    """Both nets."""
    for id, net in (("resnet18", ResNet18), ("mobilenetv2", MobileNetV2)):
        model = train(net(), SHAPE, steps=40)
        yield from of_net(id, model)
        if id == "resnet18":
            yield weight_files(id, model, True)
            yield weight_files(id, model, False)
