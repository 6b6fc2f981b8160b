"""The adapter's side of the exec protocol, version 1 (docs/exec-protocol.md of @batchnorm/conformance).

Needs Python 3.9 or later and nothing else. Tensors come and go as `Tensor`: a shape, and the bytes of its elements. With numpy
installed, `array` and `tensor` turn them into arrays and back.

    serve(name="mine", holds="nothing", supports={"training": True}, handlers={"infer": infer, "train": train})

A handler gets the request as a dictionary and gives the answer as one. To refuse a call, raise `Refused`; any other exception is a
failure of the runtime, and its traceback goes to stderr.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import traceback
from dataclasses import dataclass
from typing import Any, Callable

PROTOCOL = 1
SPEC_VERSION = 1


@dataclass(frozen=True)
class Tensor:
    """Row major, little-endian; bool is one byte an element. float64 is for what an adapter saves for itself.

    A bfloat16 is the upper half of a float32.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Refused(Exception):
    """A call that is refused, with a code of section 14 of the spec, such as "unsupported"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def array(value: Tensor | None) -> Any:
    """A numpy array of its own, or None. numpy has no bfloat16: such numbers become float32, as which each is the same."""
    import numpy

    if value is None:
        return None
    if value.dtype == "bfloat16":
        bits = numpy.frombuffer(value.data, "<u2").reshape(value.shape).astype("uint32") << 16
        return bits.view("float32")
    return numpy.frombuffer(value.data, _LITTLE_ENDIAN[value.dtype]).reshape(value.shape).astype(value.dtype)


def tensor(value: Any, dtype: str = "float32") -> Tensor | None:
    """A tensor of whatever numpy takes for an array, rounded to the dtype, ties to even; None stays None."""
    import numpy

    if value is None:
        return None
    if dtype == "bfloat16":
        elements = numpy.asarray(value, "float32")
        bits = elements.reshape(-1).view("uint32").astype("uint64")
        # Half a unit and, of an odd number, the last bit: what goes beyond carries. A NaN stays one.
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        rounded = numpy.where(numpy.isnan(elements.reshape(-1)), 0x7FC0, rounded)
        return Tensor(dtype, elements.shape, rounded.astype("<u2").tobytes())
    elements = numpy.asarray(value, _LITTLE_ENDIAN[dtype])
    return Tensor(dtype, elements.shape, elements.tobytes())


_LITTLE_ENDIAN = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "bool": "bool"}


def serve(name: str, holds: str, supports: dict[str, Any], handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]]) -> None:
    """Answers one line of stdin after the other, until there is none."""
    # Whatever anybody prints, in Python or below it, goes to stderr: stdout is the protocol's alone.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    introduction = {"protocol": PROTOCOL, "specVersion": SPEC_VERSION, "name": name, "holds": holds, "supports": supports}
    for line in sys.stdin.buffer:
        request = json.loads(line, object_hook=_decode)
        op = request["op"]
        try:
            if op == "hello":
                answer = _line(request, introduction)
            elif op in handlers:
                answer = _line(request, handlers[op](request) or {})
            else:
                raise Refused("unsupported", f"there is no {op} here")
        except Refused as refused:
            answer = _line(request, {"error": {"code": refused.code, "message": str(refused)}})
        except Exception as error:
            traceback.print_exc()
            answer = _line(request, {"error": {"message": f"{type(error).__name__}: {error}"}})
        answers.write(answer)
        answers.flush()


def _line(request: dict[str, Any], answer: dict[str, Any]) -> bytes:
    # JSON has no NaN and no infinity: such numbers are given in tensors.
    return json.dumps({"id": request["id"], **answer}, default=_encode, allow_nan=False).encode() + b"\n"


def _decode(fields: dict[str, Any]) -> Any:
    if fields.keys() != {"dtype", "shape", "data"}:
        return fields
    return Tensor(fields["dtype"], tuple(fields["shape"]), base64.b64decode(fields["data"]))


def _encode(value: Any) -> Any:
    if isinstance(value, Tensor):
        return {"dtype": value.dtype, "shape": value.shape, "data": base64.b64encode(value.data).decode()}
    raise TypeError(f"an answer has a {type(value).__name__} in it: give a tensor, or what JSON has")
