"""BatchNormalization as the opsets had it: is_test in 6, spatial below 9, four more outputs below 14, training_mode since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixture import Fixture

from .builder import NOTHING_NEAR, TRAINING, Builder, not_foldable

FIVE = ["y", "mean", "var", "saved_mean", "saved_var"]


def alone(id: str, about: str, opset: int, ir_version: int, outputs: list[str], **attributes: Any) -> Fixture:
    """A graph of one BatchNormalization between input and output."""
    build = Builder(id, about, opset, ir_version)
    training = attributes.get("training_mode") == 1 or (len(outputs) == 5 and "" not in outputs)
    fold, findings = (TRAINING, ("training-mode",)) if training else (NOTHING_NEAR, ())
    build.norm("bn", build.input("x", 4, 3, 5, 5, free=(0,)), outputs, 3, fold, findings=findings, **attributes)
    if "" in outputs:
        build.notes.append("Do not execute it: the process of onnxruntime 1.32 ends with a segmentation fault.")
    build.output("y")
    # What saved_mean and saved_var hold was never specified: onnxruntime has the inverse deviation in saved_var.
    for name in outputs[1:3]:
        if name:
            build.output(name, 1)
    return build.fixture()


def overridable() -> Fixture:
    """Initializers that are graph inputs, too: since IR version 4 they are defaults, for which a caller may feed others."""
    about = "IR version 8 with the initializers among the graph's inputs: default values that a caller may override"
    build = Builder("overridable-initializers", about)
    fold = not_foldable("overridable", "A caller may feed other arrays: they are defaults of graph inputs.")
    build.conv("conv", build.input("x", 2, 3, 6, 6), "hidden", (4, 3, 3, 3), 4)
    build.norm("bn", "hidden", "y", 4, fold, epsilon=1e-3, momentum=0.95, findings=("overridable",))
    build.input_infos += build.listed()
    build.output("y")
    return build.fixture()


def not_spatial() -> Fixture:
    """spatial=0 normalizes every position by itself: the arrays have the shape of one example."""
    about = "spatial=0: statistics per position, arrays of shape [3, 4, 4]; not the layer of the spec"
    build = Builder("opset-8-not-spatial", about, 8, 3)
    state = {name: value.reshape(3, 4, 4) for name, value in build.state(48).items()}
    fold = not_foldable("not-spatial", "Its statistics are per position, not per channel.")
    build.norm("bn", build.input("x", 2, 3, 4, 4), "y", 3, fold, state=state, spatial=0, findings=("not-spatial",))
    build.output("y")
    return build.fixture()


def fixtures() -> Iterator[Fixture]:
    """One model per version and mode."""
    yield alone("opset-6", "opset 6: is_test=1", 6, 3, ["y"], is_test=1, spatial=1, epsilon=1e-3, momentum=0.95)
    yield alone("opset-7", "opset 7: one output is inference", 7, 3, ["y"], spatial=1, epsilon=1e-4)
    yield alone("opset-7-training", "opset 7: five outputs are training", 7, 3, FIVE, epsilon=1e-3, momentum=0.8)
    yield alone("opset-8", "opset 8, every attribute left at its default", 8, 3, ["y"])
    yield overridable()
    yield not_spatial()
    yield alone("opset-9", "opset 9: spatial is gone", 9, 4, ["y"], epsilon=1e-3, momentum=0.99)
    yield alone("opset-9-training", "opset 9: five outputs are training", 9, 4, FIVE, epsilon=1e-3, momentum=0.8)
    unnamed = ["y", "", "", "", ""]
    yield alone("opset-9-unnamed-outputs", "opset 9: five outputs, four of them without a name", 9, 4, unnamed, epsilon=1e-3)
    yield alone("opset-13", "opset 13, the last with five outputs", 13, 7, ["y"], epsilon=1e-3, momentum=0.5)
    yield alone("opset-14-training", "opset 14: training_mode=1", 14, 7, FIVE[:3], training_mode=1, epsilon=1e-3, momentum=0.8)
    yield alone("opset-15", "opset 15, training_mode=0 written out", 15, 8, ["y"], training_mode=0, epsilon=1e-3, momentum=0.5)
    yield alone(
        "opset-15-training-one-output",
        "opset 15, training_mode=1, one output where onnx demands three",
        15,
        8,
        ["y"],
        training_mode=1,
        epsilon=1e-3,
    )
    yield alone("opset-25", "opset 25, IR version 12", 25, 12, ["y"], epsilon=1e-3, momentum=0.99)
