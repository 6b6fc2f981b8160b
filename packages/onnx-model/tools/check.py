"""Compares what a part made now with what is committed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import load_file

# Sums in another order on another processor: far above float32 and float64 rounding of these small models, far below any mistake.
FLOAT32_TOLERANCE, FLOAT64_TOLERANCE = 1e-4, 1e-9
# What the runtime answered is a fact about one build of it, on one machine.
NOT_COMPARED = ("onnxruntime",)


def compare_tensors(old: Path, new: Path) -> list[str]:
    """The tensors of two safetensors files that differ by more than rounding."""
    before, after = load_file(old), load_file(new)
    if before.keys() != after.keys():
        return [f"{old.name}: other tensors: {sorted(before.keys() ^ after.keys())}"]
    problems = []
    for name, value in before.items():
        other = after[name]
        if value.dtype != other.dtype or value.shape != other.shape:
            problems.append(f"{old.name}: {name} has another type or shape")
        elif value.dtype.kind != "f" or name.startswith("input/"):
            if value.tobytes() != other.tobytes():
                problems.append(f"{old.name}: {name} differs")
        else:
            tolerance = FLOAT64_TOLERANCE if value.dtype == np.float64 else FLOAT32_TOLERANCE
            scale = max(1.0, float(np.abs(value[np.isfinite(value)]).max(initial=0)))
            if not np.allclose(value, other, rtol=0, atol=tolerance * scale, equal_nan=True):
                problems.append(f"{old.name}: {name} differs by more than {tolerance}")
    return problems


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Where two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted((old.keys() | new.keys()) - set(NOT_COMPARED))
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{path}/{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [line for i, pair in enumerate(zip(old, new, strict=True)) for line in differences(*pair, f"{path}/{i}")]
    return [] if old == new else [f"manifest{path}: {str(old)[:80]} is now {str(new)[:80]}"]


def onnx_content(path: Path) -> object:
    """What an ONNX file says when the names in it are left out."""
    graph = onnx.load(path).graph
    nodes = [
        (node.op_type, len(node.input), [attribute.SerializeToString(deterministic=True) for attribute in node.attribute])
        for node in graph.node
    ]
    return nodes, sorted((list(tensor.dims), numpy_helper.to_array(tensor).tobytes()) for tensor in graph.initializer)


def keras_content(path: Path) -> object:
    """What a .keras file says when its date and Python's object ids are left out."""
    with zipfile.ZipFile(path) as archive:
        return {
            name: re.sub(rb'"shared_object_id": \d+', b"", archive.read(name)) for name in archive.namelist() if name != "metadata.json"
        }


def alike(old: Path, new: Path) -> bool:
    """Whether two files that may vary say the same."""
    content = onnx_content if old.suffix == ".onnx" else keras_content
    return content(old) == content(new)


def compare_part(old_folder: Path, new_folder: Path, part: str, varying: Iterable[str]) -> list[str]:
    """Files that are missing, new or different: byte for byte, but for tensors that were computed and files that may vary."""
    old, new = ({path.relative_to(folder) for path in (folder / part).rglob("*") if path.is_file()} for folder in (old_folder, new_folder))
    problems = [f"{path} is not made any more" for path in sorted(old - new)] + [f"{path} is not committed" for path in sorted(new - old)]
    for path in sorted(old & new):
        if path.name.endswith(".tensors.safetensors"):
            problems += compare_tensors(old_folder / path, new_folder / path)
        elif (old_folder / path).read_bytes() == (new_folder / path).read_bytes():
            continue
        elif not path.name.endswith(tuple(varying)) or not alike(old_folder / path, new_folder / path):
            problems.append(f"{path} differs")
    return problems
