"""Two versions of a family: inputs and forward truth have to be equal bit for bit, results and gradients nearly so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from case import Case, Step
from draw import Array

# With one thread and pinned instruction sets the frameworks repeat themselves bit for bit, also on other processors as
# far as we know. Should a kernel choose another order of summation there, a well-conditioned result may move by a few
# units in the last place of its largest term: with AVX-512 and oneDNN in place of the pins it is at most 5 of them (measured).
# The truth of gradients is PyTorch's float64 autograd, which moves likewise: by units of float64, nothing beside a bound.
MAX_ULP = 16.0
GRADIENTS = ("dx", "dgamma", "dbeta")


@dataclass
class Difference:
    """What differs between two versions of a family. `results` counts tensors that need not be equal bit for bit."""

    exact: list[str] = field(default_factory=list)
    results: int = 0
    worst_ulp: float = 0.0
    failed: list[str] = field(default_factory=list)


def bits_equal(a: Array | None, b: Array | None) -> bool:
    """Equal type, shape and bytes."""
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def largest(array: Array | None) -> float:
    """The largest finite magnitude, 0 if there is none."""
    if array is None:
        return 0.0
    magnitudes = np.abs(array.astype(np.float64))
    return float(magnitudes[np.isfinite(magnitudes)].max(initial=0))


def term_size(case: Case, step: Step, gamma: Array | None, name: str, result: Array) -> float:
    """The size of the terms whose sum a result is. Gradients cancel, down to nothing, so their own size would not do."""
    if name in ("dgamma", "dbeta"):
        return max(largest(result), largest(step.dy) * step.x.size / case.channels)
    if name == "dx":
        variance = step.truth["batchVariance"]
        variance = step.truth["movingVariance"] if variance is None else variance
        scale = np.ones(case.channels) if gamma is None else gamma.astype(np.float64)
        return max(largest(result), largest(step.dy) * largest(scale / np.sqrt(variance + case.config["epsilon"])))
    return largest(result)


def ulp_distance(a: Array | None, b: Array | None, size: float) -> float:
    """The largest difference, in units in the last place of `size`; infinite where only one is finite.

    A result of half precision that moves by anything at all may be rounded to the neighbour. So its own unit counts as
    MAX_ULP of them: one is the limit.
    """
    if a is None or b is None or a.shape != b.shape:
        return 0.0 if a is b else np.inf
    unit = float(np.spacing(a.dtype.type(size)))
    unit *= 1.0 if a.dtype in (np.float32, np.float64) else 1.0 / MAX_ULP
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return np.inf
    return float(np.abs(a[finite] - b[finite]).max(initial=0) / unit)


def input_leaves(case: Case) -> Iterator[tuple[str, Any]]:
    """Everything of a case that does not come from its frameworks' arithmetic, but the truth."""
    yield "head", (case.id, case.clause, sorted(case.flags), case.reference, sorted(case.config.items()))
    yield from case.state.items()
    for index, step in enumerate(case.steps):
        yield f"{index} modes", (step.training, step.trainable, step.parameters is None, sorted(step.results))
        for name in ("x", "mask", "dy"):
            yield f"{index} {name}", getattr(step, name)
        for name, value in (step.parameters or {}).items():
            yield f"{index} {name}", value


def truth_leaves(case: Case) -> Iterator[tuple[str, Any]]:
    """The truth of every step, but its gradients."""
    for index, step in enumerate(case.steps):
        for name, value in step.truth.items():
            if name not in GRADIENTS:
                yield f"{index} truth {name}", value


def differing(a: Iterator[tuple[str, Any]], b: Iterator[tuple[str, Any]]) -> Iterator[str]:
    """The names of the leaves that are not exactly equal."""
    left, right = dict(a), dict(b)
    if left.keys() != right.keys():
        yield "the fields of the steps"
        return
    for name, value in left.items():
        array = isinstance(value, np.ndarray) or isinstance(right[name], np.ndarray)
        if not (bits_equal(value, right[name]) if array else value == right[name]):
            yield name


def compare_results(case: Case, committed: Step, fresh: Step, gamma: Array | None, difference: Difference) -> None:
    """Counts the tensors of a step that differ, results and the gradients of the truth, and finds the worst."""
    old, new = ({"truth": {name: step.truth[name] for name in GRADIENTS}, **step.results} for step in (committed, fresh))
    for framework, results in old.items():
        for name, value in results.items():
            other = new[framework][name]
            if bits_equal(value, other):
                continue
            difference.results += 1
            # An ill-conditioned result is as good as its order of summation: counted, but no reason to fail.
            if value is None or "ill-conditioned" not in case.flags:
                size = 0.0 if value is None else term_size(case, committed, gamma, name, value)
                ulp = ulp_distance(value, other, size)
                difference.worst_ulp = max(difference.worst_ulp, ulp)
                if ulp > MAX_ULP:
                    difference.failed.append(f"{case.id} {framework} {name}: {ulp:.3g} ulp")


def compare(committed: list[Case], fresh: list[Case]) -> Difference:
    """All differences between two versions of a family."""
    difference = Difference()
    if [case.id for case in committed] != [case.id for case in fresh]:
        difference.exact.append("the list of cases")
        return difference
    for old, new in zip(committed, fresh, strict=True):
        wrong = [name for leaves in (input_leaves, truth_leaves) for name in differing(leaves(old), leaves(new))]
        difference.exact.extend(f"{old.id} {name}" for name in wrong)
        if wrong:
            continue  # results of other inputs say nothing
        gamma = old.state["gamma"]
        for before, after in zip(old.steps, new.steps, strict=True):
            gamma = (before.parameters or {}).get("gamma", gamma)
            compare_results(old, before, after, gamma, difference)
    return difference
