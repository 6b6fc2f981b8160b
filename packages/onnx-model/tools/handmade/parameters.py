"""Where the four arrays of a layer may come from: initializers, nodes, other layers, other files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fixture import FIELDS, Array, Fixture

from .builder import NOTHING_NEAR, Builder, backward, not_foldable


def finish(build: Builder, inputs: list[str], state: dict[str, Array], **options: Any) -> Fixture:
    """Puts the layer with these inputs between x and y."""
    build.norm("bn", build.input("x", 2, 3, 5, 5), "y", 3, NOTHING_NEAR, inputs=inputs, state=state, **options)
    build.output("y")
    return build.fixture()


def paddle() -> Fixture:
    """As paddle2onnx writes it: Constant nodes and names of a Paddle program."""
    build = Builder("constant-nodes-paddle", "Constant nodes with PaddlePaddle's names: w_0 gamma, b_0 beta, w_1 mean, w_2 variance")
    kernel = build.node("Constant", [], "conv2d_0.w_0", value=numpy_helper.from_array(build.draw(4, 3, 3, 3, scale=0.4)))
    build.node("Conv", [build.input("x", 2, 3, 6, 6), kernel], "conv2d_0.tmp_0", "Conv.0", pads=[1, 1, 1, 1])
    state = build.state(4)
    names = [f"batch_norm_0.{suffix}" for suffix in ("w_0", "b_0", "w_1", "w_2")]
    for name, value in zip(names, state.values(), strict=True):
        build.node("Constant", [], name, value=numpy_helper.from_array(value, name))
    build.norm("BatchNormalization.0", "conv2d_0.tmp_0", "batch_norm_0.tmp_3", 4, backward("Conv.0"), inputs=names, state=state)
    build.nodes[-1].attribute.append(helper.make_attribute("momentum", 0.8999999761581421))
    build.node("Relu", ["batch_norm_0.tmp_3"], "y")
    build.output("y")
    return build.fixture()


def constant_attributes() -> Fixture:
    """Constant nodes that hold value_floats, and a tensor whose numbers are in float_data instead of raw_data."""
    build = Builder("constant-attributes", "Constant nodes with value_floats; a tensor with float_data instead of raw_data")
    state = build.state(3)
    for name in ("gamma", "beta"):
        build.node("Constant", [], name, value_floats=[float(number) for number in state[name]])
    build.initializers.append(helper.make_tensor("mean", TensorProto.FLOAT, [3], state["movingMean"]))
    build.weight("variance", state["movingVariance"])
    return finish(build, ["gamma", "beta", "mean", "variance"], state)


def constant_of_shape() -> Fixture:
    """gamma and beta that ConstantOfShape fills; its shape comes from an initializer and from a Constant node."""
    build = Builder("constant-of-shape", "gamma and beta through ConstantOfShape, one with a value and one with the default 0")
    state = build.state(3, gamma=np.float32([2, 2, 2]), beta=np.float32([0, 0, 0]))
    build.weight("shape", np.int64([3]))
    build.node("Constant", [], "other_shape", value=numpy_helper.from_array(np.int64([3])))
    build.node("ConstantOfShape", ["shape"], "gamma", value=numpy_helper.from_array(np.float32([2])))
    build.node("ConstantOfShape", ["other_shape"], "beta")
    build.weight("mean", state["movingMean"])
    build.weight("variance", state["movingVariance"])
    return finish(build, ["gamma", "beta", "mean", "variance"], state)


def casts() -> Fixture:
    """Arrays stored as float16, float64, int32, and bfloat16, cast to float32 before they are used."""
    build = Builder("cast-chains", "float16, float64, int32 and bfloat16 arrays through Cast and Identity chains")
    state = build.state(3, movingMean=np.float32([-1, 0, 2]))
    half = np.float16(state["gamma"])
    bits = (state["movingVariance"].view(np.uint32) >> 16).astype(np.uint32)
    state["gamma"], state["movingVariance"] = np.float32(half), (bits << 16).view(np.float32)
    build.node("Cast", [build.weight("gamma_half", half)], "gamma", to=TensorProto.FLOAT)
    build.node("Identity", [build.weight("beta_double", np.float64(state["beta"]))], "beta_identity")
    build.node("Cast", ["beta_identity"], "beta_cast", to=TensorProto.FLOAT)
    build.node("Identity", ["beta_cast"], "beta")
    build.node("Cast", [build.weight("mean_int", np.int32(state["movingMean"]))], "mean", to=TensorProto.FLOAT)
    brain = TensorProto(name="variance_bfloat16", data_type=TensorProto.BFLOAT16, dims=[3], raw_data=np.uint16(bits).tobytes())
    build.initializers.append(brain)
    build.node("Cast", ["variance_bfloat16"], "variance", to=TensorProto.FLOAT)
    return finish(build, ["gamma", "beta", "mean", "variance"], state)


def identities() -> Fixture:
    """Chains of Identity, two of them starting at one initializer, as torch writes untrained statistics."""
    build = Builder("identity-chains", "Identity chains; gamma and variance both come from one initializer")
    ones, zeros = np.float32([1, 1, 1]), np.float32([0, 0, 0])
    build.weight("ones", ones)
    build.weight("zeros", zeros)
    build.node("Identity", ["ones"], "ones_1")
    build.node("Identity", ["ones_1"], "ones_2")
    build.node("Identity", ["zeros"], "zeros_1")
    state = dict(zip(FIELDS, (ones, zeros, zeros, ones), strict=True))
    return finish(build, ["ones", "zeros", "zeros_1", "ones_2"], state, findings=("never-trained", "shared-tensor"))


def shared() -> Fixture:
    """Two layers with common arrays: one initializer is the gamma of both and the variance of the second."""
    build = Builder("shared-initializers", "one initializer is gamma of two layers and the variance of one of them; beta is shared, too")
    first = build.state(3)
    second = build.state(3)
    first["gamma"] = np.abs(first["gamma"])
    second = {**second, "gamma": first["gamma"], "beta": first["beta"], "movingVariance": first["gamma"]}
    for name, value in (("shared", first["gamma"]), ("beta", first["beta"])):
        build.weight(name, value)
    for name, state in (("first", first), ("second", second)):
        build.weight(f"{name}.mean", state["movingMean"])
    build.weight("first.var", first["movingVariance"])
    options: dict[str, Any] = {"findings": ("shared-tensor",), "epsilon": 1e-3}
    inputs = ["shared", "beta", "first.mean", "first.var"]
    build.norm("first", build.input("x", 2, 3, 5, 5), "hidden", 3, inputs=inputs, state=first, **options)
    build.node("Relu", ["hidden"], "relu")
    build.norm("second", "relu", "y", 3, inputs=["shared", "beta", "second.mean", "shared"], state=second, **options)
    build.output("y")
    return build.fixture()


def runtime_parameters() -> Fixture:
    """gamma and the variance are fed at run time, beta is computed from an input: the file does not hold them."""
    about = "gamma and the variance are graph inputs, beta is computed from one: the file holds only the mean"
    build = Builder("runtime-parameters", about)
    state = build.state(3)
    x = build.input("x", 2, 3, 5, 5)
    for name, field in (("gamma", "gamma"), ("half_beta", "beta"), ("variance", "movingVariance")):
        build.input(name, 3)
        build.inputs[name] = state[field] / 2 if name == "half_beta" else state[field]
    build.node("Add", ["half_beta", "half_beta"], "beta")
    state["beta"] = build.inputs["half_beta"] * 2
    build.weight("mean", state["movingMean"])
    build.conv("conv", x, "hidden", (3, 3, 3, 3))
    fold = not_foldable("not-constant", "gamma, beta and the variance are not constants of the file.")
    inputs = ["gamma", "beta", "mean", "variance"]
    build.norm("bn", "hidden", "y", 3, fold, inputs=inputs, state=state, readable=("movingMean", "epsilon"), findings=("not-constant",))
    build.output("y")
    return build.fixture()


def external(model: ModelProto, folder: str, file: str, only_norm: bool) -> dict[str, bytes]:
    """The model with its initializers in a file beside it, at 64-byte boundaries as exporters align them."""
    data = b""
    for tensor in model.graph.initializer:
        if only_norm and not tensor.name.startswith("bn"):
            continue
        content = tensor.raw_data
        data += b"\0" * (-len(data) % 64)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", file), ("offset", len(data)), ("length", len(content))):
            tensor.external_data.add(key=key, value=str(value))
        data += content
    name = file.removesuffix(".data")
    return {f"{folder}/{name}": model.SerializeToString(deterministic=True), f"{folder}/{file}": data}


def external_data() -> Iterator[Fixture]:
    """All weights in one file beside the model; then the layer's alone, in a folder below it."""
    for id, file, only_norm in (("external-data", "external-data.onnx.data", False), ("external-statistics", "sub/weights.data", True)):
        about = "all weights in one external file" if not only_norm else "the layer's arrays alone in an external file, in a sub-folder"
        build = Builder(id, about)
        build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)
        build.norm("bn", "hidden", "y", 4, backward("conv"), epsilon=1e-3)
        build.output("y")

        def split(model: ModelProto, id: str = id, file: str = file, only_norm: bool = only_norm) -> dict[str, bytes]:
            copy = ModelProto()
            copy.CopyFrom(model)
            files = list(external(copy, "handmade", file, only_norm).values())
            return {f"handmade/{id}.onnx": files[0], f"handmade/{file}": files[1]}

        yield build.fixture(split)


def fixtures() -> Iterator[Fixture]:
    """One model per source."""
    yield from (make() for make in (paddle, constant_attributes, constant_of_shape, casts, identities, shared, runtime_parameters))
    yield from external_data()
