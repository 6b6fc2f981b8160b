"""The manifest: what made the vectors, and every file with its size and checksum."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from case import Case
from draw import SEED
from store import FORMAT_VERSION, GENERATED

SPEC_VERSION = 1
PACKAGES = ("jax", "jaxlib", "keras", "numpy", "safetensors", "scikit-learn", "tensorflow", "tf_keras", "torch")

FLAGS: dict[str, str] = {
    "cancels": "The exact result is 0 or almost 0, as a difference of large terms: compare absolutely, by the terms.",
    "ill-conditioned": "The data make float32 moments inaccurate by themselves, or E[x^2] - E[x]^2 useless. How far a "
    "framework is from the truth here says how it sums, not whether it is right; Keras on PyTorch loses everything.",
    "keras-count": "One element is visible. Keras divides masked sums by (count + 1e-7), which float32 rounds to "
    "1 + 2^-23 for a count of 1 and to the count itself for any other: its mean is 1.2e-7 of itself too small.",
    "keras-deviates": "A mask hides everything. Keras takes a mean and a variance of 0 for it, normalizes with them and "
    "decays the moving statistics towards 0; by the spec the moving statistics normalize and stay as they are.",
    "keras-transposed": "Keras understands a mask for the last axis only. It was run with the channel axis moved there, "
    "axis -1, and its result was moved back.",
    "no-framework": "No framework has a mask and the sample variance together: the case has a truth and no results.",
    "signed-zero": "Zeros of both signs. The sign of a zero in the result is that of the formula as it is written; it "
    "depends on the order of evaluation and need not be compared.",
    "subnormal": "Subnormal inputs, state or results. TensorFlow and JAX flush them to zero, PyTorch and plain "
    "JavaScript do not; a GPU may.",
}


def describe(family: str, folder: Path, cases: list[Case]) -> dict[str, Any]:
    """The entry of one family's two files."""

    def file(name: str) -> dict[str, Any]:
        content = (folder / name).read_bytes()
        return {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    return {
        "family": family,
        "cases": len(cases),
        "json": file(f"{family}.json"),
        "data": file(f"{family}.safetensors"),
    }


def absent_list(absent: dict[str, dict[str, str]], order: list[str]) -> list[dict[str, Any]]:
    """Framework by framework and reason by reason, the cases in the order of the files."""
    entries = []
    for framework in sorted(absent):
        reasons: dict[str, list[str]] = {}
        for id in order:
            if id in absent[framework]:
                reasons.setdefault(absent[framework][id], []).append(id)
        for reason, ids in sorted(reasons.items()):
            entries.append({"framework": framework, "reason": reason, "cases": ids})
    return entries


def read_absent(manifest: dict[str, Any], without: set[str]) -> dict[str, dict[str, str]]:
    """The absent list of a manifest as `absent_list` takes it, without some cases."""
    absent: dict[str, dict[str, str]] = {}
    for entry in manifest["absent"]:
        reasons = {id: entry["reason"] for id in entry["cases"] if id not in without}
        absent.setdefault(entry["framework"], {}).update(reasons)
    return absent


def write_manifest(
    folder: Path,
    families: dict[str, list[Case]],
    absent: dict[str, dict[str, str]],
    digits: dict[str, Any],
    *,
    versions: dict[str, str] | None = None,
) -> None:
    """Writes manifest.json. No dates, no host: the same versions give the same manifest.

    `versions` are those of the families that were there before: a family made by others does not go beside them.
    """
    # A local version such as torch's "+cpu" says where a wheel came from, not what it computes.
    installed = {name: version(name).split("+")[0] for name in PACKAGES}
    if versions is not None and versions != installed:
        raise SystemExit(f"The committed vectors were made with {versions}, here is {installed}: generate them all.")
    every = [case for cases in families.values() for case in cases]
    used = {flag for case in every for flag in case.flags}
    manifest = {
        "generated": GENERATED,
        "formatVersion": FORMAT_VERSION,
        "specVersion": SPEC_VERSION,
        "seed": SEED,
        "python": platform.python_version(),
        "versions": installed,
        "count": len(every),
        "files": [describe(family, folder, cases) for family, cases in families.items()],
        "flags": {name: FLAGS[name] for name in sorted(used)},
        "absent": absent_list(absent, [case.id for case in every]),
        "digits": digits,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
