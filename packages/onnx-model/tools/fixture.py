"""What a test model is made of, and how it is written: the model's files, one safetensors of tensors, one manifest entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

Array = NDArray[Any]
FIELDS = ("gamma", "beta", "movingMean", "movingVariance")


@dataclass(frozen=True)
class Fold:
    """Whether a layer can be folded. `into` names the node that takes it in, `direction` says whether that node comes
    before the layer ("backward") or after it ("forward"). Without `into`, `reason` is a code of REASONS in manifest.py, and `why`
    says more about this case."""

    into: str | None = None
    direction: str | None = None
    reason: str | None = None
    why: str | None = None

    def entry(self) -> dict[str, Any]:
        """As the manifest has it."""
        note = {} if self.why is None else {"why": self.why}
        if self.into is not None:
            return {"possible": True, "into": self.into, "direction": self.direction, **note}
        return {"possible": False, "reason": self.reason, **note}


@dataclass
class Layer:
    """One batch normalization of a model.

    `form` is how the file has it (see FORMS of manifest.py), `node` the node that a reader should point at: the BatchNormalization,
    the Mul of a decomposed form, the Conv of a folded one. `graph` is the path of the graph that holds it, "" for the main one.
    `readable` lists which of gamma, beta, movingMean, movingVariance and epsilon the file holds. `state` is the truth; arrays
    that are not known are absent. `epsilon` and `momentum` (weight of the OLD value) are those of the layer that was exported;
    null if unknown."""

    name: str
    form: str
    channels: int
    epsilon: float | None
    momentum: float | None
    fold: Fold
    node: str | None
    mode: str = "inference"
    graph: str = ""
    readable: tuple[str, ...] = (*FIELDS, "epsilon")
    findings: tuple[str, ...] = ()
    state: dict[str, Array] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        """As the manifest has it. A known array F of layer L is the tensor `layer/L/F` of the model's `states` file."""
        return {
            "name": self.name,
            "form": self.form,
            "mode": self.mode,
            "graph": self.graph,
            "node": self.node,
            "channels": self.channels,
            "epsilon": self.epsilon,
            "momentum": self.momentum,
            "readable": list(self.readable),
            "fold": self.fold.entry(),
            "findings": list(self.findings),
            "state": [name for name in FIELDS if name in self.state],
        }


@dataclass
class Fixture:
    """A model with what it gives. `files` are its files by their path under test/models, the model itself first.

    `reference` says who computed `outputs` from `inputs`. A fixture without files of its own has `existing`, the path of one
    elsewhere in the repository. `states` is another tensor file under test/models that has the layers' states, where several
    models share them. `more` are tensors of other names."""

    id: str
    about: str
    made_by: str
    files: dict[str, bytes]
    layers: list[Layer]
    inputs: dict[str, Array] = field(default_factory=dict)
    outputs: dict[str, Array] = field(default_factory=dict)
    reference: str | None = None
    runtime: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    existing: str | None = None
    states: str | None = None
    more: dict[str, Array] = field(default_factory=dict)

    @property
    def tensor_file(self) -> str:
        """The safetensors file beside the model."""
        return f"{self.id}.tensors.safetensors"

    def tensors(self) -> dict[str, Array]:
        """`input/NAME`, `output/NAME` and `layer/NAME/FIELD`."""
        tensors = dict(self.more)
        tensors |= {f"input/{name}": value for name, value in self.inputs.items()}
        tensors |= {f"output/{name}": value for name, value in self.outputs.items()}
        for layer in self.layers if self.states is None else []:
            tensors |= {f"layer/{layer.name}/{name}": value for name, value in layer.state.items()}
        return {name: np.asarray(value, order="C") for name, value in tensors.items()}

    def write(self, folder: Path) -> None:
        """Writes the model's files and its tensors."""
        files = dict(self.files)
        if self.tensors():
            files[self.tensor_file] = save(self.tensors())
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def entry(self) -> dict[str, Any]:
        """As the manifest has it."""
        names = list(self.files)
        return {
            "id": self.id,
            "about": self.about,
            "file": self.existing or names[0],
            "otherFiles": names[1:],
            "madeBy": self.made_by,
            "tensors": self.tensor_file if self.tensors() else None,
            "inputs": {name: describe(value) for name, value in self.inputs.items()},
            "outputs": {name: describe(value) for name, value in self.outputs.items()},
            "reference": self.reference,
            "onnxruntime": self.runtime,
            "notes": list(self.notes),
            "states": self.states or (self.tensor_file if any(layer.state for layer in self.layers) else None),
            "layers": [layer.entry() for layer in self.layers],
        }


def describe(value: Array) -> dict[str, Any]:
    """The type and shape of a tensor."""
    return {"type": value.dtype.name, "shape": list(value.shape)}
