"""One small module per special case of torch, by both exporters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from onnx import ModelProto
from torch import Tensor, nn

from fixture import Fixture, Fold, Layer

from .exporting import dynamo, torchscript
from .layers import TRAINING, find_layers, state_of
from .nets import FrozenBatchNorm2d
from .training import pictures, train

EXPORTERS: dict[str, Callable[[nn.Module, Tensor], ModelProto]] = {"torchscript": torchscript, "dynamo": dynamo}


def fixture(id: str, about: str, exporter: str, module: nn.Module, x: Tensor, layers: Any = find_layers) -> Fixture | dict[str, str]:
    """The module as one exporter writes it, or the exporter's error."""
    name = f"torch/{id}-{exporter}"
    try:
        model = EXPORTERS[exporter](module, x)
    except Exception as error:  # noqa: BLE001 (the exporters raise what they like, and the error is a fact to record)
        return {"id": name, "about": about, "tool": f"torch.onnx {exporter}", "error": f"{type(error).__name__}: {error}"[:300]}
    return Fixture(
        id=name,
        about=about,
        made_by=f"torch.onnx.export, {exporter}",
        files={f"{name}.onnx": model.SerializeToString(deterministic=True)},
        layers=layers(module, x, model),
        inputs={"x": x.numpy()},
        outputs={"y": module(x).detach().numpy()},
        reference="torch in float32",
    )


def modules() -> dict[str, tuple[str, nn.Module, tuple[int, ...]]]:
    """Id, what it is, the module and the shape of an example. BatchNorm1d(6) etc. come after what their name says."""
    first = nn.Sequential(nn.BatchNorm2d(3, eps=1e-3, momentum=0.01), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 10))
    first.append(nn.BatchNorm1d(10))
    about = "layer (epsilon 1e-3, momentum 0.01) before a Conv, Linear, layer after it"
    return {
        "bn-first-and-after-gemm": (about, first, (3, 6, 6)),
        "conv-transpose": (
            "grouped ConvTranspose, layer",
            nn.Sequential(nn.ConvTranspose2d(4, 4, 3, groups=2), nn.BatchNorm2d(4)),
            (4, 5, 5),
        ),
        "affine-false": (
            "Conv, Relu, layer with affine=False",
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4, affine=False)),
            (3, 6, 6),
        ),
        "conv1d": ("Conv1d, Relu, BatchNorm1d on [N, C, L]", nn.Sequential(nn.Conv1d(3, 4, 3), nn.ReLU(), nn.BatchNorm1d(4)), (3, 9)),
        "conv3d": ("BatchNorm3d before a padded Conv3d", nn.Sequential(nn.BatchNorm3d(2), nn.Conv3d(2, 3, 2, padding=1)), (2, 3, 4, 3)),
    }


def untrained_layers(module: nn.Module, x: Tensor, model: ModelProto) -> list[Layer]:
    """Layers whose equal arrays the exporter has merged."""
    return [replace(layer, findings=("never-trained", "shared-tensor")) for layer in find_layers(module, x, model)]


def batch_statistics(module: nn.Module, x: Tensor, model: ModelProto) -> list[Layer]:
    """track_running_stats=False: the graph computes mean and variance of the batch."""
    node = next(node for node in model.graph.node if node.op_type == "BatchNormalization")
    form, readable = "moments+BatchNormalization", ("gamma", "beta", "epsilon")
    options = {"node": node.name, "mode": "training", "readable": readable, "findings": ("training-mode",), "state": state_of(module[1])}
    return [Layer("1", form, 4, module[1].eps, None, TRAINING, **options)]


def instance_norm(module: nn.Module, x: Tensor, model: ModelProto) -> list[Layer]:
    """InstanceNorm2d with statistics of its own."""
    node = next(node for node in model.graph.node if node.op_type == "BatchNormalization")
    fold = Fold(reason="not-a-batch-normalization", why="It is an instance normalization; its arrays are tiled over the batch.")
    momentum = 1 - module[1].momentum
    return [Layer("1", "instance-norm", 4, module[1].eps, momentum, fold, node.name, readable=(), state=state_of(module[1]))]


def frozen_layer(module: nn.Module, x: Tensor, model: ModelProto) -> list[Layer]:
    """FrozenBatchNorm2d: a Mul and an Add."""
    node, conv = (next(node for node in model.graph.node if node.op_type == op) for op in ("Mul", "Conv"))
    fields = (("gamma", "weight"), ("beta", "bias"), ("movingMean", "running_mean"), ("movingVariance", "running_var"))
    state = {field: getattr(module[1], name).numpy() for field, name in fields}
    return [
        Layer("1", "Mul+Add", 4, module[1].epsilon, None, Fold(into=conv.name, direction="backward"), node.name, readable=(), state=state)
    ]


def as_inference() -> Fixture:
    """A module in train mode, which dynamo exports as inference without a word."""
    module = train(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)), (3, 6, 6))
    x = pictures(torch.Generator().manual_seed(14), 4, 3, 6, 6)[0]
    inference = module(x)
    off = float((copy.deepcopy(module).train()(x) - inference).abs().max())
    model = dynamo(module.train(), x)
    layers = [replace(layer, findings=("exported-as-inference",)) for layer in find_layers(module, x, model)]
    content = {"torch/train-mode-dynamo.onnx": model.SerializeToString(deterministic=True)}
    about = "Conv, Relu, layer in train mode, which dynamo exports as inference; only the name _native_batch_norm_legit_functional tells"
    options = {"inputs": {"x": x.numpy()}, "outputs": {"y": inference.detach().numpy()}, "reference": "torch in float32, in eval mode"}
    notes = (f"The module's output in train mode differs by {off:.1g}.",)
    return Fixture("torch/train-mode-dynamo", about, "torch.onnx.export, dynamo", content, layers, notes=notes, **options)


def trained_frozen() -> nn.Module:
    """A FrozenBatchNorm2d with the state of a trained layer."""
    trained = train(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)), (3, 6, 6))
    frozen = FrozenBatchNorm2d(4)
    frozen.load_state_dict({name: value for name, value in trained[1].state_dict().items() if name != "num_batches_tracked"})
    return nn.Sequential(trained[0], frozen).eval()


def fixtures() -> Iterator[Fixture | dict[str, str]]:
    """Every module by both exporters."""
    generator = torch.Generator().manual_seed(11)
    for id, (about, module, shape) in modules().items():
        train(module, shape)
        for exporter in EXPORTERS:
            yield fixture(id, about, exporter, module, pictures(generator, 3, *shape)[0])
    x = pictures(generator, 4, 3, 6, 6)[0]
    untrained = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.BatchNorm2d(3)).eval()
    batch = train(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)), (3, 6, 6))
    instance = train(nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True, track_running_stats=True)), (3, 6, 6))
    for exporter in EXPORTERS:
        yield fixture("untrained", "two untrained layers: the exporter merges their equal arrays", exporter, untrained, x, untrained_layers)
        yield fixture("batch-statistics", "Conv, layer with track_running_stats=False", exporter, batch, x, batch_statistics)
        yield fixture("instance-norm", "Conv, InstanceNorm2d(affine, track_running_stats)", exporter, instance, x, instance_norm)
        yield fixture("frozen-batch-norm", "Conv, detectron2-style FrozenBatchNorm2d", exporter, trained_frozen(), x, frozen_layer)
    yield as_inference()
