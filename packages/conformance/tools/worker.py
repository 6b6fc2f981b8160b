"""Runs one framework over the cases of some families and saves what it gave. Called by generate.py, one process each.

    python worker.py FRAMEWORK FOLDER FAMILY...

FOLDER holds the families in the format of the vectors. The results go to a file of tensors named `family/name step field`,
and the cases that the framework cannot run, with the reasons, to a JSON file: `result_files` names both.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from frameworks import FRAMEWORKS, Unsupported, result_files
from store import read_family


def main(framework: str, folder: Path, families: list[str]) -> None:
    """Runs every case whose estimator the framework follows."""
    runner = importlib.import_module(FRAMEWORKS[framework].module)
    tensors: dict[str, np.ndarray] = {}
    absent: dict[str, str] = {}
    for family in families:
        for case in read_family(folder, family):
            if case.config["varianceEstimator"] != FRAMEWORKS[framework].estimator:
                continue
            try:
                results = runner.run(case)
            except Unsupported as reason:
                absent[case.id] = str(reason)
                continue
            except Exception as error:  # a framework that throws is a finding: the manifest quotes it
                absent[case.id] = f"It throws {type(error).__name__}: {str(error).strip().splitlines()[0]}"
                continue
            for index, result in enumerate(results):
                for field, value in result.items():
                    if value is not None:
                        # y and dx have the dtype that the framework gave them; everything else is float32.
                        dtype = None if field in ("y", "dx") else np.float32
                        tensors[f"{case.id} {index} {field}"] = np.ascontiguousarray(value, dtype=dtype)
    results, reasons = result_files(folder, framework)
    save_file(tensors, results)
    reasons.write_text(json.dumps(absent))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
