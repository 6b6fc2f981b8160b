"""Compares what a part made now with what is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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


def compare_part(old_folder: Path, new_folder: Path, part: str, exact: bool) -> list[str]:
    """Files that are missing, new or different. Model files are compared byte for byte if the part is exact, else by size."""
    old, new = ({path.relative_to(folder) for path in (folder / part).rglob("*") if path.is_file()} for folder in (old_folder, new_folder))
    problems = [f"{path} is not made any more" for path in sorted(old - new)] + [f"{path} is not committed" for path in sorted(new - old)]
    for path in sorted(old & new):
        if path.name.endswith(".tensors.safetensors"):
            problems += compare_tensors(old_folder / path, new_folder / path)
        elif exact and (old_folder / path).read_bytes() != (new_folder / path).read_bytes():
            problems.append(f"{path} differs")
    return problems
