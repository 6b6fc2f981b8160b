"""Runs a model in onnxruntime, without and with its optimizations, and says how far it is from the reference.

python runtime.py MODEL TENSORS LEVEL      prints the error or the refusal as JSON

In a process of its own, since onnxruntime 1.32 ends with a segmentation fault on handmade/opset-9-unnamed-outputs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

LEVELS = ("disabled", "all")


def worst_error(model: Path, tensors: Path, level: str) -> float | str:
    """The largest |error| of any output, relative to that output's largest magnitude (at least 1), or the runtime's refusal."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if level == "all" else levels.ORT_DISABLE_ALL
    stored = load_file(tensors)
    inputs, outputs = (
        {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)} for prefix in ("input/", "output/")
    )
    try:
        session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        results = session.run(list(outputs), inputs)
    except Exception as error:  # noqa: BLE001 (onnxruntime raises a dozen unrelated types)
        return str(error).replace(f"{model.parent}/", "").splitlines()[0][:300]
    worst = 0.0
    for result, expected in zip(results, outputs.values(), strict=True):
        result, expected = np.float64(result), np.float64(expected)
        if not np.array_equal(np.isfinite(result), np.isfinite(expected)):
            return "other elements are finite than in the reference"
        finite = np.isfinite(expected)
        error = np.abs(result[finite] - expected[finite]).max(initial=0)
        worst = max(worst, float(error) / max(1.0, float(np.abs(expected[finite]).max(initial=0))))
    # One digit: it says whether the runtime is right, and differs between machines as little as can be.
    return float(f"{worst:.0e}")


def compare_with_runtime(model: Path, tensors: Path) -> dict[str, Any]:
    """The errors at both levels of optimization."""
    result: dict[str, Any] = {"version": version("onnxruntime")}
    for level in LEVELS:
        command = [sys.executable, __file__, str(model), str(tensors), level]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode < 0:
            result[level] = f"the process was ended by signal {-done.returncode}"
        elif done.returncode:
            raise RuntimeError(done.stderr)
        else:
            result[level] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(worst_error(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
