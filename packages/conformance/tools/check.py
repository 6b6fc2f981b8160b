"""Holds the committed vectors against fresh ones, family by family, and says what it found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from case import Case
from compare import MAX_ULP, Difference, compare, differing, input_leaves
from manifest import describe
from store import read_family

Rerun = Callable[[list[Case]], list[Case]]


def report(family: str, cases: int, difference: Difference, note: str = "") -> bool:
    """Prints the line of a family and its first failures; true if it passes."""
    failures = [f"not equal: {name}" for name in difference.exact] + difference.failed
    state = "FAILED" if failures else "ok"
    results = "results and gradients equal"
    if difference.results:
        worst = f"{difference.worst_ulp:.3g} ulp (limit {MAX_ULP:g})"
        results = f"{difference.results} results and gradients differ, by at most {worst}"
    print(f"{family:<12}{state:<8}{cases} cases, {results}{note}", flush=True)
    for failure in failures[:5]:
        print(f"    {failure}")
    return not failures


def check_family(family: str, committed: Path, fresh: Path, rerun: Rerun) -> bool:
    """Checks one family. `rerun` gives Keras's results and the truth for the inputs of given cases."""
    if not (committed / f"{family}.json").exists() or not (committed / f"{family}.safetensors").exists():
        print(f"{family:<12}FAILED  there are no committed files")
        return False
    old, new = read_family(committed, family), read_family(fresh, family)
    same_files = all((committed / name).read_bytes() == (fresh / name).read_bytes() for name in files_of(family))
    if same_files:
        return report(family, len(old), Difference(), ", files equal bit for bit")
    if family == "digits" and any(next(differing(input_leaves(a), input_leaves(b)), None) for a, b in zip(old, new)):
        # The inputs of this family are a trained network's activations, and float training repeats itself on one kind of
        # machine only. On another one the committed inputs are as good as the fresh ones: what has to hold is that
        # Keras gives the committed results for them, and that the committed truth is theirs.
        note = "; trained anew the inputs differ on this machine, so the committed inputs were run again instead"
        return report(family, len(old), compare(old, rerun(old)), note)
    difference = compare(old, new)
    if not difference.exact and not difference.results:
        difference.exact.append("the files, though their content is the same: generate them again")
    return report(family, len(old), difference)


def files_of(family: str) -> tuple[str, str]:
    """The two files of a family."""
    return f"{family}.json", f"{family}.safetensors"


def check_manifest(committed: Path, fresh: Path, families: list[str]) -> bool:
    """The committed manifest has to describe the committed files, and to agree with the fresh one in all else."""
    path = committed / "manifest.json"
    if not path.exists():
        print("manifest    FAILED  there is no committed manifest")
        return False
    old = json.loads(path.read_text(encoding="utf-8"))
    new = json.loads((fresh / "manifest.json").read_text(encoding="utf-8"))
    failures = []
    for entry in old["files"]:
        if entry["family"] not in families:
            failures.append(f"unknown family {entry['family']}")
        elif entry != describe(entry["family"], committed, read_family(committed, entry["family"])):
            failures.append(f"size, checksum or count of {entry['family']}")
    expected = {"manifest.json", *(name for family in families for name in files_of(family))}
    failures.extend(f"stray file {file.name}" for file in sorted(committed.iterdir()) if file.name not in expected)
    # The patch version of Python and, where training differs, the accuracy may be another machine's.
    for key in sorted((old.keys() | new.keys()) - {"files", "python", "digits"}):
        if old.get(key) != new.get(key):
            failures.append(f"{key}: committed {str(old.get(key))[:200]}, fresh {str(new.get(key))[:200]}")
    if [entry["family"] for entry in old["files"]] != families:
        failures.append("the list of files")
    note = "" if old["python"] == new["python"] else f" (made by Python {old['python']}, this is {new['python']})"
    print(f"{'manifest':<12}{'FAILED' if failures else 'ok':<8}{old['count']} cases{note}")
    for failure in failures:
        print(f"    {failure}")
    return not failures
