"""Data to recalibrate on, the digits net as five BatchNormalization nodes, and the statistics that NumPy gives in float64.

Needs test/models/keras/digits.keras. The images are the last ones of the training set, in shards of uneven sizes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import onnx
import torch
from torch import Tensor, nn

from fixture import Array, Fixture
from keras_models.digits import NORMS, STATES, TRAINED, TRAINING_IMAGES, images, state_of
from torch_models.exporting import MODES
from torch_models.layers import find_layers

from .digits import forward, level_by_level, one_pass

SHARDS = (64, 7, 129, 100)
UNSEEN = 8


def torch_module(weights: dict[str, list[Array]], states: dict[str, dict[str, Array]]) -> nn.Module:
    """The net for images `[n, 1, 8, 8]`; its layers have the names of Keras's."""

    def norm(name: str, kind: Any) -> nn.Module:
        described = next(norm for norm in NORMS if norm.name == name)
        layer = kind(described.channels, eps=described.epsilon, momentum=1 - described.momentum)
        fields = {"weight": "gamma", "bias": "beta", "running_mean": "movingMean", "running_var": "movingVariance"}
        arrays = {torch_name: torch.from_numpy(states[name][ours].copy()) for torch_name, ours in fields.items() if ours in states[name]}
        layer.load_state_dict(arrays, strict=False)
        return layer

    def convolution(name: str, groups: int = 1) -> nn.Module:
        kernel = np.ascontiguousarray(weights[name][0].transpose(2, 3, 0, 1) if groups > 1 else weights[name][0].transpose(3, 2, 0, 1))
        bias = len(weights[name]) > 1
        layer = nn.Conv2d(
            kernel.shape[1] * groups, kernel.shape[0], kernel.shape[2], padding=kernel.shape[2] // 2, groups=groups, bias=bias
        )
        layer.load_state_dict({"weight": torch.from_numpy(kernel), **({"bias": torch.from_numpy(weights[name][1])} if bias else {})})
        return layer

    def dense(name: str, kernel: Array) -> nn.Module:
        bias = len(weights[name]) > 1
        layer = nn.Linear(*kernel.shape, bias=bias)
        layer.load_state_dict(
            {"weight": torch.from_numpy(kernel.T.copy()), **({"bias": torch.from_numpy(weights[name][1])} if bias else {})}
        )
        return layer

    class Digits(nn.Module):
        """As keras_models.digits.build has it, channels first."""

        def __init__(self) -> None:
            super().__init__()
            for name in ("pixel_norm", "stem_norm", "depth_norm", "point_norm"):
                self.add_module(name, norm(name, nn.BatchNorm2d))
            self.dense_norm = norm("dense_norm", nn.BatchNorm1d)
            self.stem_conv, self.point_conv = convolution("stem_conv"), convolution("point_conv")
            self.depth_conv = convolution("depth_conv", 6)
            # Keras flattens [2, 2, 12], torch [12, 2, 2].
            kernel = weights["dense"][0].reshape(2, 2, 12, -1).transpose(2, 0, 1, 3).reshape(48, -1)
            self.dense, self.digit = dense("dense", kernel), dense("digit", weights["digit"][0])

        def forward(self, x: Tensor) -> Tensor:
            """Images [n, 1, 8, 8] to logits [n, 10]."""
            x = self.stem_norm(self.stem_conv(self.pixel_norm(x))).relu()
            x = self.depth_norm(self.depth_conv(nn.functional.max_pool2d(x, 2))).relu()
            x = nn.functional.avg_pool2d(self.point_norm(self.point_conv(x)).relu(), 2)
            return self.digit(self.dense_norm(self.dense(x.flatten(1))).relu())

    return Digits().eval()


def exported(module: nn.Module, x: Tensor) -> onnx.ModelProto:
    """TorchScript with PRESERVE, which folds nothing."""
    buffer = io.BytesIO()
    free = {"image": {0: "batch"}, "digit": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {"input_names": ["image"], "output_names": ["digit"], "dynamic_axes": free}
        torch.onnx.export(module, (x,), buffer, dynamo=False, training=MODES.PRESERVE, **names)
    return onnx.load_from_string(buffer.getvalue())


def npy(value: Array) -> bytes:
    """The bytes of an .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=True)
    return buffer.getvalue()


def npz(compressed: bool, **arrays: Array) -> bytes:
    """The bytes of an .npz file."""
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def data_files(data: Array, labels: Array) -> dict[str, bytes]:
    """The images `[n, 1, 8, 8]` as four .npy files, and once more as two .npz files."""
    ends = np.cumsum(SHARDS)
    files = {f"images-{i}.npy": npy(data[end - size : end]) for i, (end, size) in enumerate(zip(ends, SHARDS, strict=True))}
    half = len(data) // 2
    files["images-a.npz"] = npz(True, images=data[:half], labels=labels[:half])
    files["images-b.npz"] = npz(False, images=data[half:], labels=labels[half:])
    return {f"recalibration/{name}": content for name, content in files.items()}


def npy_variants() -> Fixture:
    """The numbers 0 to 5 as [2, 3] in every way in which NumPy may have stored them, and one file of Python objects."""
    value = np.arange(6).reshape(2, 3)
    types = ("<f4", "<f8", ">f4", ">f8", "<f2", "|u1", "<i4", "<i8", "|b1")
    files = {f"npy-{np.dtype(t).name}{'-big-endian' if t[0] == '>' else ''}.npy": npy(value.astype(t)) for t in types}
    files["npy-fortran.npy"] = npy(np.asfortranarray(np.float32(value)))
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.float32(value), version=(2, 0))
    files["npy-version-2.npy"] = buffer.getvalue()
    files["npy-scalar.npy"] = npy(np.float32(5))
    files["npy-empty.npy"] = npy(np.zeros((0, 3), np.float32))
    files["npy-objects.npy"] = npy(np.array([{"a": 1}, None], dtype=object))
    content = {f"recalibration/{name}": data for name, data in files.items()}
    about = "0 to 5 as [2, 3] in all types and orders; a scalar 5, an empty [0, 3], and objects, which are pickled and must be refused"
    return Fixture("recalibration/npy-variants", about, "numpy.save", content, [])


def fixtures() -> Iterator[Fixture]:
    """The net with its data and the truth of both ways to recalibrate it."""
    torch.set_num_threads(1)
    model = keras.models.load_model(TRAINED)
    weights = {layer.name: [np.float32(value) for value in layer.get_weights()] for layer in model.layers}
    states = state_of(model)
    pictures, labels = images()
    data = pictures[TRAINING_IMAGES - sum(SHARDS) : TRAINING_IMAGES]
    channels_first = data.reshape(-1, 1, 8, 8)
    x = pictures[TRAINING_IMAGES : TRAINING_IMAGES + UNSEEN]

    in_float64 = {name: [np.float64(value) for value in values] for name, values in weights.items()}
    old = {name: {field: np.float64(value) for field, value in state.items()} for name, state in states.items()}
    np.testing.assert_allclose(forward(x, in_float64, old)[0], model(x).detach().numpy(), rtol=0, atol=1e-4)
    ways = {"one": one_pass(data, in_float64, old), "exact": level_by_level(data, in_float64, old)}

    module = torch_module(weights, states)
    image = torch.from_numpy(x.reshape(-1, 1, 8, 8))
    graph = exported(module, image)
    files = {"recalibration/digits.onnx": graph.SerializeToString(deterministic=True)}
    files |= data_files(channels_first, labels[TRAINING_IMAGES - sum(SHARDS) : TRAINING_IMAGES])
    about = f"the digits net as five BatchNormalization nodes, channels first; {sum(SHARDS)} images to recalibrate it on"
    layers = find_layers(module, image, graph)
    for layer in layers:
        # torch has ones and zeros where Keras has nothing.
        layer.momentum = next(norm.momentum for norm in NORMS if norm.name == layer.name)
    fixture = Fixture("recalibration/digits", about, "torch.onnx.export, torchscript, PRESERVE", files, layers)
    fixture.inputs = {"image": image.numpy()}
    fixture.outputs = {"digit": forward(x, in_float64, old)[0]}
    fixture.reference = "NumPy in float64"
    for way, (found, new) in ways.items():
        for name, measured in found.items():
            fixture.more |= {f"{way}/{name}/{field}": value for field, value in measured.items() if field not in ("mean",)}
        fixture.more[f"{way}/output/digit"] = forward(x, in_float64, new)[0]
    fixture.notes = (
        f"images-0..3.npy hold {', '.join(map(str, SHARDS))} images; images-a.npz and images-b.npz the same ones in two halves",
        "one/LAYER/... : all layers measured in one pass, the old statistics normalizing; exact/LAYER/... : level by level; "
        "count, centredSum, movingMean, movingVariance in float64, and one|exact/output/digit: the logits with the new statistics",
        f"the states are those of {STATES}, and Keras's exports of the digits net take the same images as [n, 8, 8, 1]",
    )
    yield fixture
    yield npy_variants()
