"""Makes the models that the tests of @batchnorm/onnx-model run on, part by part, or checks the committed ones.

    python make_models.py PART...            writes packages/onnx-model/test/models/PART and its entry in manifest.json
    python make_models.py --check PART...    makes the part in a temporary folder and compares; exits 1 on a difference
    python make_models.py --list             the parts, and the requirements file that each needs

A part starts from nothing but the packages of its requirements file and the parts that it reads (see PARTS).
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from check import compare_part, differences
from fixture import Fixture
from manifest import Part, read_part, replace_part
from runtime import compare_with_runtime

MODELS = Path(__file__).resolve().parent.parent / "test" / "models"
TORCH, TENSORFLOW = "requirements-torch.txt", "requirements-tensorflow.txt"
COMMON = ("onnx", "onnxruntime", "scikit-learn")
DATED = {".keras": "It holds the date on which it was saved, and object ids of the process."}
NUMBERED = {".onnx": "tf2onnx numbers the constants that it makes in an order of its own in every run."}

PARTS = [
    Part("handmade", "handmade/__init__.py", TORCH, ("numpy", "onnx", "onnxruntime")),
    Part("torch", "torch_models/__init__.py", TORCH, ("torch", "onnx", "onnxscript", "onnxruntime", "safetensors")),
    Part("keras", "keras_models/on_tensorflow.py", TENSORFLOW, ("keras", "tensorflow", "tf2onnx", *COMMON), DATED | NUMBERED, "tensorflow"),
    Part("tf-keras", "keras_models/on_tf_keras.py", TENSORFLOW, ("tf_keras", "tensorflow", "tf2onnx", *COMMON), NUMBERED, "tensorflow"),
    Part("keras-jax", "keras_models/on_jax.py", TENSORFLOW, ("keras", "jax", "jax2onnx", *COMMON), {}, "jax"),
    Part("keras-torch", "keras_models/on_torch.py", TORCH, ("keras", "torch", *COMMON), {}, "torch"),
    Part("recalibration", "recalibration/__init__.py", TORCH, ("numpy", "keras", "torch", *COMMON), {}, "torch"),
    Part("tfjs", "tfjs_model.py", TORCH, ("numpy",)),
]


def make(part: Part, folder: Path) -> list[str]:
    """Writes a part into a folder; returns what went wrong with each model that could not be exported."""
    if part.keras_backend is not None:
        os.environ["KERAS_BACKEND"] = part.keras_backend
    module = importlib.import_module(part.script.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    shutil.rmtree(folder / part.name, ignore_errors=True)
    failures: list[dict[str, str]] = []
    made: list[Fixture] = []
    fixtures: Iterable[Fixture | dict[str, str]] = module.fixtures()
    for item in fixtures:
        if isinstance(item, dict):
            failures.append(item)
            continue
        item.write(folder)
        if next(iter(item.files), "").endswith(".onnx") and item.outputs:
            item.runtime = compare_with_runtime(folder / next(iter(item.files)), folder / item.tensor_file)
        made.append(item)
        print(f"  {item.id}: {sum(map(len, item.files.values()))} bytes, onnxruntime {item.runtime}", flush=True)
    replace_part(folder / "manifest.json", [known.name for known in PARTS], part.entry(made, failures))
    return [f"{failure['id']}: {failure['error']}" for failure in failures]


def check(part: Part) -> list[str]:
    """The differences between the committed part and one that is made now."""
    with tempfile.TemporaryDirectory() as name:
        make(part, Path(name))
        problems = compare_part(MODELS, Path(name), part.name, part.varying)
        entries = (read_part(folder / "manifest.json", part.name) for folder in (MODELS, Path(name)))
        return problems + differences(*entries)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("parts", nargs="*", metavar="PART")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{part.name}: {part.requirements}" for part in PARTS))
    known = {part.name: part for part in PARTS}
    unknown = [name for name in arguments.parts if name not in known]
    if unknown:
        parser.error(f"unknown parts {', '.join(unknown)}; there are {', '.join(known)}")
    if sum(known[name].keras_backend is not None for name in arguments.parts) > 1:
        # Keras has one backend in a process, and the names that it and tf2onnx give count on through one.
        parser.error("name at most one part that uses Keras")
    problems = []
    for name in arguments.parts:
        print(name, flush=True)
        problems += check(known[name]) if arguments.check else make(known[name], MODELS)
    print("\n".join(problems))
    sys.exit(1 if arguments.check and problems else 0)


if __name__ == "__main__":
    main()
