"""Values and modes that go wrong somewhere: equal initializers in training, bad variances, half precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import TensorProto

from fixture import Fixture

from .builder import TRAINING, Builder, Fold, backward, not_foldable

ONES, ZEROS = np.float32([1, 1, 1]), np.float32([0, 0, 0])
NEGATIVE = not_foldable("negative-variance", "A variance is negative.")
NOT_FINITE = not_foldable("non-finite", "A parameter or statistic is not finite.")


def after_conv(id: str, about: str, findings: tuple[str, ...], fold: Fold | None = None, **options: Any) -> Fixture:
    """Conv and a layer of three channels, whose arrays are drawn but for those that are given."""
    build = Builder(id, about)
    state = build.state(3, **options.pop("given", {}))
    build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (3, 3, 3, 3), 3)
    build.norm("bn", "hidden", "y", 3, fold or backward("conv"), state=state, findings=findings, **{"epsilon": 1e-3, **options})
    build.output("y")
    return build.fixture()


def constant_sharing(id: str, about: str, equal: bool, extra: list[str], graph_outputs: bool, note: str) -> Fixture:
    """Two training-mode layers in a row, untrained with equal initializers or with distinct ones."""
    build = Builder(id, about, 17)
    x = build.input("x", 4, 3, 5, 5)
    build.inputs["x"] = np.float32(build.inputs["x"] * 3 + 1)
    given = {"gamma": ONES, "beta": ZEROS, "movingMean": ZEROS, "movingVariance": ONES} if equal else {}
    findings = ("training-mode", "never-trained") if equal else ("training-mode",)
    for name, y in (("first", "hidden"), ("second", "y")):
        outputs = [y, *(f"{name}.{which}" for which in extra)]
        build.norm(name, x, outputs, 3, TRAINING, state=build.state(3, **given), training_mode=1, findings=findings)
        if name == "first":
            x = build.node("Relu", [y], "relu")
        if graph_outputs:
            for which in extra:
                build.output(f"{name}.{which}", 1)
    build.output("y")
    build.notes.append(note)
    return build.fixture()


def half(id: str, about: str, variance: Any, findings: tuple[str, ...], scale: float = 1.0) -> Fixture:
    """A float16 model: input, weights, statistics and output."""
    build = Builder(id, about)
    x = build.input("x", 2, 3, 6, 6, type=TensorProto.FLOAT16)
    weight = np.float16(build.draw(3, 3, 3, 3, scale=0.4))
    build.node("Conv", [x, build.weight("conv.weight", weight)], "hidden", "conv")
    with np.errstate(over="ignore"):  # one variance is meant to become infinite
        state = {name: np.float16(value) for name, value in build.state(3, movingVariance=np.float32(variance)).items()}
    fold = NOT_FINITE if findings else backward("conv")
    build.norm("bn", "hidden", "y", 3, fold, state=state, epsilon=1e-3, findings=findings)
    build.output("y", type=TensorProto.FLOAT16)
    return build.fixture()


def float16_statistics() -> Fixture:
    """A float16 BatchNormalization whose statistics are float32, which opset 15 allows."""
    build = Builder("float16-mixed-types", "x float16, gamma and beta float16, statistics float32 (opset 15 has three types)")
    x = build.input("x", 2, 3, 5, 5, type=TensorProto.FLOAT16)
    state = build.state(3, movingVariance=np.float32([1e5, 0.5, 3e-9]))
    state["gamma"], state["beta"] = np.float16(state["gamma"]), np.float16(state["beta"])
    build.norm("bn", x, "y", 3, state=state, epsilon=1e-3, findings=("float16-unsafe",))
    build.output("y", type=TensorProto.FLOAT16)
    return build.fixture()


def fixtures() -> Iterator[Fixture]:
    """One model per hazard."""
    running = ["running_mean", "running_var"]
    fault = "onnxruntime up to 1.32 merges equal initializers and lets the unused running outputs overwrite them (its issue 29790)."
    about = "two untrained layers in training mode, equal initializers, unused running outputs"
    yield constant_sharing("training-equal-initializers", about, True, running, False, fault)
    about = "the same with distinct arrays: onnxruntime computes it right"
    yield constant_sharing("training-distinct-initializers", about, False, running, False, "Beside training-equal-initializers.")
    about = "the same with equal arrays and the running statistics as graph outputs"
    yield constant_sharing("training-running-outputs", about, True, running, True, "Beside training-equal-initializers.")
    trained = {"gamma": ONES, "beta": ZEROS, "movingMean": ZEROS, "movingVariance": ONES}
    yield after_conv("never-trained", "gamma 1, beta 0, mean 0, variance 1", ("never-trained",), given=trained)
    given = {"movingVariance": np.float32([0.5, -0.25, 2])}
    yield after_conv("negative-variance", "variance -0.25 in channel 1, so NaN", ("negative-variance",), NEGATIVE, given=given)
    given = {"movingVariance": np.float32([0.5, -5e-4, 2])}
    about = "variance -0.0005 with epsilon 0.001: a finite result that means nothing"
    yield after_conv("negative-variance-within-epsilon", about, ("negative-variance",), NEGATIVE, given=given)
    given = {"movingMean": np.float32([0.1, np.nan, 0.2]), "movingVariance": np.float32([1, 2, np.inf])}
    yield after_conv("non-finite-statistics", "a mean of NaN, a variance of infinity", ("non-finite",), NOT_FINITE, given=given)
    given = {"movingVariance": np.float32([1.9e-14, 1e-12, 0.5])}
    about = "variances 1.9e-14 and 1e-12 with epsilon 1e-5: a gain of three hundred"
    yield after_conv("tiny-variance", about, ("tiny-variance", "float16-unsafe"), given=given, epsilon=1e-5)
    given = {"movingVariance": np.float32([9.79e7, 7e4, 66000])}
    about = "all variances above 65504, the largest float16; the fold is harmless"
    yield after_conv("float16-unsafe-variance", about, ("float16-unsafe",), given=given)
    given = {"gamma": np.float32([1.2, 0, 1e-12])}
    yield after_conv("dead-channels", "gamma 0 and 1e-12: two channels say nothing", ("dead-channel",), given=given)
    given = {"gamma": np.float32([900, 1.1, -4000]), "movingVariance": np.float32([1e-4, 1, 1e-5])}
    about = "gains of thirty thousand and of a hundred and twenty thousand"
    yield after_conv("exploding-channels", about, ("exploding-channel", "float16-unsafe"), given=given)
    given = {"movingMean": np.float32([4.1, 0.7, 12]), "movingVariance": np.float32([0.02, 0.3, 0.08])}
    about = "mean and variance exchanged: the mean slot is all positive, the data of channel 1 have mean 0.3 and variance 0.7"
    yield after_conv("exchanged-statistics", about, ("exchanged-statistics-suspected",), given=given)
    yield after_conv("momentum-1", "momentum 1.0, as old exporters wrote it", ("momentum-1",), momentum=1.0)
    yield half("float16", "a float16 model", [0.5, 2, 8], ())
    yield half("float16-infinite-variance", "float16 whose variance is infinite: finite outputs, and wrong", [1e6, 2, 8], ("non-finite",))
    yield float16_statistics()
