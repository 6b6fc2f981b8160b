"""Generates the golden vectors, or checks the committed ones.

    python generate.py                  write packages/conformance/vectors
    python generate.py --family half    write this family alone, and its entry of the manifest
    python generate.py --check          generate into a temporary folder, compare, exit 1 on a difference

The inputs are drawn here (families/), the results come from the real frameworks, each in a process of its own (worker.py,
frameworks/), a real model adds the family `digits` (digits.py), and the truth is computed in extended precision (truth.py).
docs/vectors.md describes what comes out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from frameworks import ENVIRONMENT, FRAMEWORKS, result_files

os.environ.update(ENVIRONMENT)  # before anything imports torch

import jsonschema
from safetensors.numpy import load_file

from case import RESULT_FIELDS, Case
from check import check_family, check_manifest
from compare import MAX_ULP, compare, differing, input_leaves
from families import FAMILIES
from manifest import FLAGS, read_absent, write_manifest
from store import read_family, write_family
from truth import assert_extended_precision, fill_truth

TOOLS = Path(__file__).resolve().parent
VECTORS = TOOLS.parent / "vectors"
SCHEMAS = TOOLS.parent / "schemas"
PROCESSES = 2


def run_python(script: str, *arguments: str, backend: str = "tensorflow") -> None:
    """Runs a script of this folder in a process of its own; its output appears only if it fails."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, str(TOOLS / script), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} failed:\n{done.stderr[-4000:]}")


def run_framework(framework: str, folder: Path, families: list[str]) -> None:
    """Runs a framework over families that lie in `folder`."""
    start = time.monotonic()
    run_python("worker.py", framework, str(folder), *families, backend=FRAMEWORKS[framework].keras_backend)
    print(f"  {framework}: {time.monotonic() - start:.0f} s", flush=True)


def collect(framework: str, folder: Path, cases: list[Case]) -> dict[str, str]:
    """Puts a worker's results into the cases; returns the cases that it did not run, with the reason."""
    results, reasons = result_files(folder, framework)
    tensors = load_file(results)
    absent: dict[str, str] = json.loads(reasons.read_text())
    for case in cases:
        if case.config["varianceEstimator"] != FRAMEWORKS[framework].estimator or case.id in absent:
            continue
        for index, step in enumerate(case.steps):
            step.results[framework] = {field: tensors.get(f"{case.id} {index} {field}") for field in RESULT_FIELDS}
    return absent


def rerun_digits(cases: list[Case]) -> list[Case]:
    """The digits cases with results from the layers alone, called with the recorded inputs, and with new truth."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_family(folder, "digits", cases)
        fresh = read_family(folder, "digits")
        for case in fresh:
            for step in case.steps:
                step.results = {}
        run_framework("keras/tensorflow", folder, ["digits"])
        collect("keras/tensorflow", folder, fresh)
    for case in fresh:
        fill_truth(case)
    return fresh


def digits_family(folder: Path) -> list[Case]:
    """The recorded model. What its layers gave inside the model is what they give when called alone."""
    cases = read_family(folder, "digits")
    for case in cases:
        fill_truth(case)
    difference = compare(cases, rerun_digits(cases))
    if difference.exact or difference.failed:
        raise SystemExit(f"digits: the layers alone give something else: {(difference.exact + difference.failed)[:5]}")
    return cases


def assert_closed(families: dict[str, list[Case]]) -> None:
    """Ids are unique, flags are explained, and the reference has a result wherever a framework has one."""
    cases = [case for cases in families.values() for case in cases]
    assert len({case.id for case in cases}) == len(cases), "two cases share an id"
    for family, members in families.items():
        for case in members:
            assert case.family == family, f"{case.id} lies in {family}"
            assert set(case.flags) <= FLAGS.keys(), f"{case.id} has a flag that nothing explains"
            for step in case.steps:
                assert ("no-framework" in case.flags) == (not step.results), f"{case.id} has no results"
                assert not step.results or case.reference in step.results, f"{case.id} lacks its reference"


def validate(folder: Path, families: list[str]) -> None:
    """Holds every JSON file against its schema."""
    for names, schema in ((families, "family"), (["manifest"], "manifest")):
        validator = jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))
        for name in names:
            validator.validate(json.loads((folder / f"{name}.json").read_text()))


def run_frameworks(
    families: dict[str, list[Case]], folder: Path, also: Callable[[], None] | None = None
) -> dict[str, dict[str, str]]:
    """Puts the results of all frameworks into the cases; returns for each framework the cases that it did not run, and why.

    `also` runs beside them.
    """
    for family, cases in families.items():
        write_family(folder, family, cases)
    with ThreadPoolExecutor(PROCESSES) as pool:
        runs = [pool.submit(run_framework, framework, folder, list(families)) for framework in FRAMEWORKS]
        if also is not None:
            runs.append(pool.submit(also))
        for run in runs:
            run.result()
    every = [case for cases in families.values() for case in cases]
    return {framework: collect(framework, folder, every) for framework in FRAMEWORKS}


def write_with_truth(target: Path, family: str, cases: list[Case]) -> None:
    """Computes the truth of a family, where it has none yet, and writes its two files."""
    for case in cases:
        if not case.steps[0].truth:
            fill_truth(case)
    write_family(target, family, cases)
    size = sum((target / f"{family}.{ending}").stat().st_size for ending in ("json", "safetensors"))
    print(f"{family:<12}{len(cases):>4} cases {size / 1e6:>7.2f} MB", flush=True)


def generate(target: Path) -> list[str]:
    """Writes all vectors to `target`; returns the names of the families."""
    families: dict[str, list[Case]] = {name: list(cases()) for name, cases in FAMILIES.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"running {', '.join(FRAMEWORKS)} and the digits model", flush=True)
        absent = run_frameworks(families, folder, lambda: run_python("digits.py", str(folder)))
        families["digits"] = digits_family(folder)
        digits: dict[str, Any] = json.loads((folder / "digits-accuracy.json").read_text())
    for framework in ("keras/jax", "keras/torch"):
        absent[framework] |= {case.id: "The model is trained and run on TensorFlow." for case in families["digits"]}
    assert_closed(families)
    target.mkdir(exist_ok=True)
    for stale in target.iterdir():
        stale.unlink()
    for family, cases in families.items():
        write_with_truth(target, family, cases)
    write_manifest(target, families, absent, digits)
    validate(target, list(families))
    return list(families)


def keep_committed(family: str, fresh: list[Case]) -> list[Case]:
    """Fresh cases, or in their place the committed ones of the same inputs: their results may be another processor's."""
    if not (VECTORS / f"{family}.json").exists():
        return fresh
    committed = {case.id: case for case in read_family(VECTORS, family)}

    def is_committed(case: Case) -> bool:
        old = committed.get(case.id)
        return old is not None and not any(differing(input_leaves(old), input_leaves(case)))

    return [committed[case.id] if is_committed(case) else case for case in fresh]


def generate_one(family: str) -> None:
    """Writes one family into the committed vectors. The others stay as they are, and so do its own cases that were there."""
    fresh = {family: list(FAMILIES[family]())}
    manifest: dict[str, Any] = json.loads((VECTORS / "manifest.json").read_text(encoding="utf-8"))
    present = [entry["family"] for entry in manifest["files"]]
    families = {
        name: fresh.get(name) or read_family(VECTORS, name) for name in (*FAMILIES, "digits") if name == family or name in present
    }
    absent = read_absent(manifest, without={case.id for case in families[family]})
    with tempfile.TemporaryDirectory() as name:
        print(f"running {', '.join(FRAMEWORKS)}", flush=True)
        for framework, cases in run_frameworks(fresh, Path(name)).items():
            absent.setdefault(framework, {}).update(cases)
    assert_closed(families)
    families[family] = keep_committed(family, families[family])
    write_with_truth(VECTORS, family, families[family])
    write_manifest(VECTORS, families, absent, manifest["digits"], versions=manifest["versions"])
    validate(VECTORS, list(families))


def check() -> bool:
    """Compares the committed vectors with fresh ones."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        families = generate(fresh)
        passed = [check_family(family, VECTORS, fresh, rerun_digits) for family in families]
        passed.append(check_manifest(VECTORS, fresh, families))
    return all(passed)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Generates the golden vectors, or checks the committed ones.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare the committed vectors with fresh ones")
    what.add_argument("--family", choices=FAMILIES, help="write this family alone")
    arguments = parser.parse_args()
    assert_extended_precision()
    if arguments.family:
        generate_one(arguments.family)
    elif arguments.check:
        if not check():
            raise SystemExit("goldens: FAILED, see above")
        validate(VECTORS, [*FAMILIES, "digits"])
        print(f"goldens: OK, inputs and truth bit for bit, results and gradients within {MAX_ULP:g} ulp")
    else:
        families = generate(VECTORS)
        total = sum(file.stat().st_size for file in VECTORS.iterdir())
        print(f"goldens: {len(families)} families, {total / 1e6:.2f} MB in {VECTORS.name}")


if __name__ == "__main__":
    main()
