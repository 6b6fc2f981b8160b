"""Makes the weight files that the tests read, each with what the framework itself says is in it.

    python make_files.py            (with the packages of requirements.txt, and `pip install --no-deps tensorflowjs==4.22.0`)

Writes into ../test/files, one folder for each framework. Beside `x.keras` lies `x.json`: the list of the batch normalization layers
of that model, with the values and the config that the framework gives for each. Files of the same model share one such list.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tempfile
import types
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Callable

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras
import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent.parent / "test" / "files"
SEED = 20150211
CONFIG_KEYS = ("axis", "epsilon", "momentum", "center", "scale", "trainable")
RANDOM = np.random.Generator(np.random.PCG64(SEED))


def write_truth(path: Path, layers: list[dict[str, Any]]) -> None:
    """The list of layers, one a line."""
    lines = ",\n".join(json.dumps(layer) for layer in layers)
    path.write_text(f"[\n{lines}\n]\n")


# Keras and tf-keras


def set_random_weights(layer: Any) -> None:
    """Values that differ from each other and from the initial ones; variances are positive."""
    weights = layer.get_weights()
    values = [RANDOM.standard_normal(weight.shape) for weight in weights]
    if is_norm(layer):
        values[-1] = np.abs(values[-1]) + 0.1
    layer.set_weights([value.astype(weight.dtype) for value, weight in zip(values, weights, strict=True)])


def is_norm(layer: Any) -> bool:
    return type(layer).__name__ == "BatchNormalization"


def norms_in(layer: Any) -> list[Any]:
    """Every batch normalization layer in a model, whatever it lies in."""
    found = [each for each in layer._flatten_layers() if is_norm(each)]
    return list({id(each): each for each in found}.values())


def truth_of(layer: Any) -> dict[str, Any]:
    """A layer's variables by name, and its config, as the framework has them."""
    config = layer.get_config()
    axis = config["axis"]
    entry = {"name": layer.name, "config": {key: config[key] for key in CONFIG_KEYS}}
    entry["config"]["axis"] = axis[0] if isinstance(axis, (list, tuple)) else axis
    for ours, theirs in (("gamma", "gamma"), ("beta", "beta"), ("movingMean", "moving_mean"), ("movingVariance", "moving_variance")):
        variable = getattr(layer, theirs, None)
        entry[ours] = None if variable is None else np.asarray(variable, dtype=np.float64).tolist()
    return entry


def fill(model: Any) -> Any:
    """Every norm of the model gets values of its own; the kernels of the other layers stay 0 or what they are."""
    for layer in norms_in(model):
        set_random_weights(layer)
    return model


def functional(k: Any, inner_name: str = "norm") -> Any:
    """Nested models, names of their own and generated ones, every combination of center and scale, a wrapped layer, other layers."""
    norm = k.layers.BatchNormalization
    inner = k.Sequential([k.layers.InputLayer((3,)), k.layers.Dense(2), norm(name=inner_name)], name="inner")
    x = k.Input((2, 3), name="x")
    y = norm(name="norm", epsilon=1e-5, momentum=0.9)(x)
    y = norm(scale=False)(y)
    y = norm(center=False, axis=1)(y)
    y = norm(center=False, scale=False, trainable=False, name="plain")(y)
    y = k.layers.LayerNormalization()(y)
    y = k.layers.TimeDistributed(norm(name="wrapped"), name="each")(y)
    y = k.layers.Flatten()(y)
    y = k.layers.Dense(3)(y)
    return k.Model(x, inner(y), name="whole")


def images(k: Any) -> Any:
    """Rank 4, where tf-keras takes the sample variance."""
    return k.Sequential([k.layers.InputLayer((2, 2, 1)), k.layers.Conv2D(3, 1, use_bias=False), k.layers.BatchNormalization()], name="images")


def shared(k: Any) -> Any:
    """One layer in two models, and before another one: the two Kerases count on differently."""
    norm = k.layers.BatchNormalization(name="shared")
    x = k.Input((3,))
    inner = k.Model(x, k.layers.BatchNormalization(name="other")(norm(x)), name="inner")
    y = k.Input((3,))
    return k.Model(y, inner(norm(y)), name="outer")


def renorm(k: Any) -> Any:
    norm = k.layers.BatchNormalization
    return k.Sequential([k.layers.InputLayer((3,)), norm(renorm=True, name="renormalized"), norm(name="ordinary")], name="renorm")


class Block(keras.layers.Layer):
    """A layer whose config says nothing of the norm inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.norm = keras.layers.BatchNormalization(name="in_block")

    def build(self, shape: Any) -> None:
        self.norm.build(shape)

    def call(self, x: Any) -> Any:
        return self.norm(x)


class Subclassed(keras.Model):
    """Layers in attributes and in a list; one whose group in the file has no word of normalization in its name, one without scale."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.first = keras.layers.BatchNormalization(name="entry")
        self.ambiguous = keras.layers.BatchNormalization(scale=False, name="half")
        self.many = [keras.layers.BatchNormalization(name=f"listed_{index}") for index in range(2)]
        self.block = Block()

    def call(self, x: Any) -> Any:
        for layer in (self.first, self.ambiguous, *self.many, self.block):
            x = layer(x)
        return x


def subclassed() -> Any:
    model = Subclassed(name="subclassed")
    model(np.zeros((1, 3), np.float32))
    return model


def compiled() -> Any:
    """An optimizer, and a metric that has four vectors of one length."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1, "sigmoid")], name="compiled")
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC(num_thresholds=3)])
    model.fit(RANDOM.standard_normal((8, 3)), np.arange(8) % 2, verbose=0)
    return model


def with_policy(policy: str) -> Any:
    norm = keras.layers.BatchNormalization(name="norm", dtype=policy)
    return keras.Sequential([keras.Input((3,), dtype="float32"), norm], name=policy)


def save_keras() -> None:
    folder = FOLDER / "keras"
    folder.mkdir(parents=True)

    def save(name: str, model: Any, *endings: str) -> None:
        write_truth(folder / f"{name}.json", [truth_of(layer) for layer in norms_in(model)])
        for ending in endings:
            path = folder / f"{name}{ending}"
            if ending in (".keras", ".h5"):
                model.save(path)
            elif ending == ".weights.h5":
                model.save_weights(path)
            elif ending == ".weights.json":
                model.save_weights(path, max_shard_size=40 / 2**30)
            else:
                keras.src.saving.saving_lib.save_model(model, folder / name, zipped=False)

    save("functional", fill(functional(keras)), ".keras", ".h5", ".weights.h5")
    save("images", fill(images(keras)), ".keras", ".weights.json", "/")
    save("shared", fill(shared(keras)), ".keras")
    save("subclassed", fill(subclassed()), ".keras")
    save("renorm", fill(renorm(keras)), ".keras", ".h5", ".weights.h5")
    save("compiled", compiled(), ".keras")
    for policy in ("mixed_float16", "float16", "bfloat16", "float64"):
        save(policy, fill(with_policy(policy)), ".keras")
    compress(folder / "images.keras", folder / "images.compressed.keras")


def compress(source: Path, target: Path) -> None:
    """The same archive as another tool would write it."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))


def save_tf_keras() -> None:
    folder = FOLDER / "tf-keras"
    folder.mkdir(parents=True)

    def save(name: str, model: Any, *endings: str) -> None:
        write_truth(folder / f"{name}.json", [truth_of(layer) for layer in norms_in(model)])
        for ending in endings:
            path = folder / f"{name}{ending}"
            (model.save if ending in (".keras", ".h5") else model.save_weights)(path)

    save("functional", fill(functional(tf_keras)), ".keras", ".h5", ".weights.h5", ".only-weights.h5")
    save("images", fill(images(tf_keras)), ".keras", ".h5")
    save("shared", fill(shared(tf_keras)), ".keras")
    save("renorm", fill(renorm(tf_keras)), ".keras", ".h5")


# PyTorch


class Residual(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bn1 = torch.nn.BatchNorm2d(3)
        self.downsample = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2, affine=False))


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.BatchNorm1d(2)
        self.layers = torch.nn.ModuleList([Residual()])
        self.half = torch.nn.BatchNorm1d(3, dtype=torch.float16)
        self.brain = torch.nn.BatchNorm1d(3, dtype=torch.bfloat16)
        self.double = torch.nn.BatchNorm1d(3, dtype=torch.float64)
        self.other = torch.nn.LayerNorm(3)


def torch_truth(name: str, module: torch.nn.Module) -> dict[str, Any]:
    def values(tensor: torch.Tensor | None) -> list[float] | None:
        return None if tensor is None else tensor.detach().to(torch.float64).tolist()

    return {
        "name": name,
        "gamma": values(module.weight),
        "beta": values(module.bias),
        "movingMean": values(module.running_mean),
        "movingVariance": values(module.running_var),
    }


def save_torch() -> None:
    folder = FOLDER / "pytorch"
    folder.mkdir(parents=True)
    torch.manual_seed(SEED)
    net = Net()
    norms = {name: module for name, module in net.named_modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)}
    for module in norms.values():
        for tensor in (module.weight, module.bias, module.running_mean):
            if tensor is not None:
                tensor.data.normal_()
        module.running_var.uniform_(0.1, 2)
    write_truth(folder / "net.json", [torch_truth(name, module) for name, module in norms.items()])
    tensors = net.state_dict()
    save_file(tensors, folder / "net.safetensors", metadata={"format": "pt"})
    save_sharded(tensors, folder)
    torch.save(net.stem.state_dict(), folder / "stem.pt")
    torch.save(net.stem.state_dict(), folder / "stem.old.pt", _use_new_zipfile_serialization=False)


def save_sharded(tensors: dict[str, torch.Tensor], folder: Path) -> None:
    """In two files, such that the variables of a layer lie in both."""
    names = sorted(tensors)
    weight_map = {name: f"net-{1 + index % 2:05}-of-00002.safetensors" for index, name in enumerate(names)}
    for file in sorted(set(weight_map.values())):
        save_file({name: tensors[name] for name in names if weight_map[name] == file}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": sum(each.nbytes for each in tensors.values())}, "weight_map": weight_map}
    (folder / "net.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


# TensorFlow.js


def converter(name: str) -> Any:
    """A module of tensorflowjs's converter, without the decision forests and the hub, which it imports and these models do not need."""
    for absent in ("tensorflow_decision_forests", "tensorflow_hub"):
        sys.modules.setdefault(absent, types.ModuleType(absent))
    root = str(distribution("tensorflowjs").locate_file("tensorflowjs"))
    for package, folder in (("tensorflowjs", root), ("tensorflowjs.converters", f"{root}/converters")):
        if package not in sys.modules:
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = [folder]
    return importlib.import_module(f"tensorflowjs.converters.{name}")


def convolutional() -> Any:
    """No ReLU after a norm: TensorFlow 2.21 fuses the two into an operator that the converter does not know."""
    k = tf_keras
    x = k.Input((2, 2, 2))
    y = k.layers.BatchNormalization(name="first", epsilon=1e-4)(x)
    y = k.layers.MaxPooling2D(1)(y)
    y = k.layers.Conv2D(3, 1, use_bias=False)(y)
    y = k.layers.BatchNormalization(name="after_convolution", center=False)(y)
    y = k.layers.Flatten()(y)
    y = k.layers.Dense(2)(y)
    y = k.layers.BatchNormalization(name="after_dense")(y)
    return k.Model(x, y, name="convolutional")


def save_tfjs() -> None:
    """What tfjs itself saves is made by make-tfjs-files.ts, in the same folder."""
    folder = FOLDER / "tfjs"
    layers_converter, graph_converter = converter("keras_h5_conversion"), converter("tf_saved_model_conversion_v2")
    # The converter refuses two layers of one name.
    model = fill(functional(tf_keras, "inner_norm"))
    write_truth(folder / "layers.json", [truth_of(layer) for layer in norms_in(model)])
    with tempfile.TemporaryDirectory() as saved:
        model.save(f"{saved}/model.h5")
        for name, quantization in (("layers", None), ("layers.uint8", "uint8"), ("layers.float16", "float16")):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir(parents=True)
            topology, groups = layers_converter.h5_merged_saved_model_to_tfjs_format(f"{saved}/model.h5")
            layers_converter.write_artifacts(topology, groups, str(folder / name), quantization and {quantization: True}, 100)
    model = fill(convolutional())
    write_truth(folder / "graph.json", [truth_of(layer) for layer in norms_in(model)])
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(model, saved)
        shutil.rmtree(folder / "graph", ignore_errors=True)
        graph_converter.convert_tf_saved_model(saved, str(folder / "graph"))


# HDF5


def save_hdf5() -> None:
    """What h5py can write and Keras does not."""
    folder = FOLDER / "hdf5"
    folder.mkdir(parents=True)
    values = np.arange(100, dtype="<f4")
    with h5py.File(folder / "features.h5", "w") as file:
        file.create_dataset("chunked", data=values, chunks=(32,))
        file.create_dataset("compressed", data=values, chunks=(32,), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("unknown_filter", data=values, chunks=(32,), compression="lzf")
        file.create_dataset("unwritten", (3,), "<f4")
        file.create_dataset("unwritten_chunks", (3,), "<f4", chunks=(3,))
        file.create_dataset("big_endian", data=values.astype(">f4"))
        file.create_dataset("integers", data=values.astype("<i4"))
        file.create_dataset("compound", data=np.zeros(2, [("a", "<f4")]))
        file.create_dataset("external", (3,), "<f4", external=[("other.bin", 0, 12)])
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        small = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3,)), compact)
        small.write(h5py.h5s.ALL, h5py.h5s.ALL, values[:3].copy())
        file["soft_link"] = h5py.SoftLink("/chunked")
        group = file.create_group("texts")
        group.attrs["one"] = "ein Wort"
        group.attrs["fixed"] = np.array([b"ab", b"c"])
        group.attrs["many"] = [f"layer {index}" for index in range(300)]
        group.attrs["number"] = 1.5
        group.attrs["empty"] = ""
        for index in range(20):
            file.create_group(f"many/group_{index}")
    with h5py.File(folder / "latest.h5", "w", libver="latest") as file:
        file["a"] = values
    with h5py.File(folder / "track_order.h5", "w", track_order=True) as file:
        file["a"] = values
    with h5py.File(folder / "cycle.h5", "w") as file:
        file.create_group("a")["again"] = file["/"]


def main() -> None:
    """Makes every folder again."""
    keras.utils.set_random_seed(SEED)
    makers: dict[str, Callable[[], None]] = {"keras": save_keras, "tf-keras": save_tf_keras, "pytorch": save_torch, "hdf5": save_hdf5}
    for name, make in makers.items():
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        make()
    save_tfjs()


if __name__ == "__main__":
    main()
