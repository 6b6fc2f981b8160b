"""The frameworks whose layers are called, each in a process of its own (see worker.py)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class Unsupported(Exception):
    """The framework has no such feature; the message goes to the manifest's `absent` list."""


@dataclass(frozen=True)
class Framework:
    """How to run a framework, and the estimator of the cases that it is asked to run."""

    module: str
    estimator: str
    keras_backend: str = "tensorflow"


FRAMEWORKS: dict[str, Framework] = {
    "keras/tensorflow": Framework("frameworks.keras3", "population", "tensorflow"),
    "keras/jax": Framework("frameworks.keras3", "population", "jax"),
    "keras/torch": Framework("frameworks.keras3", "population", "torch"),
    "tf-keras": Framework("frameworks.tfkeras", "sample"),
    "pytorch": Framework("frameworks.pytorch", "sample"),
}

# One thread and one instruction set everywhere: the order of a sum must not depend on the machine.
ENVIRONMENT: dict[str, str] = {
    "ATEN_CPU_CAPABILITY": "default",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2 --xla_cpu_multi_thread_eigen=false",
}


def result_files(folder: Path, framework: str) -> tuple[Path, Path]:
    """Where a worker leaves its tensors and its reasons."""
    name = f"results-{framework.replace('/', '-')}"
    return folder / f"{name}.safetensors", folder / f"{name}.json"
