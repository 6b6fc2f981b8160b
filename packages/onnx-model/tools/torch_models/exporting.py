"""The two exporters of torch.onnx."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from typing import Any

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn

MODES = torch.onnx.TrainingMode
# Stack traces name the exporting machine's folders.
STACK_TRACE = "pkg.torch.onnx.stack_trace"
# What tells of a folded layer; the rest (the call as text, class names) would double the size of a large model.
TELLING = ("pkg.onnxscript.rewriter.rule_name", "pkg.torch.onnx.name_scopes")


def torchscript(model: nn.Module, x: Tensor, training: Any = MODES.EVAL) -> ModelProto:
    """The exporter with dynamo=False, the batch free. It leaves a module in eval mode as it is; in train mode it calls the module
    once before it stores the statistics, so the file has those after one more update, and so has the module."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": {0: "batch"}, "y": {0: "batch"}}
        names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": axes}
        torch.onnx.export(model, (x,), buffer, dynamo=False, training=training, **names)
    return onnx.load_from_string(buffer.getvalue())


def dynamo(model: nn.Module, x: Tensor, lean: bool = False) -> ModelProto:
    """The exporter with dynamo=True, the batch free. `lean` keeps only the metadata of nodes that tells of a folded layer."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {"input_names": ["x"], "output_names": ["y"], "dynamic_shapes": ({0: torch.export.Dim("batch")},)}
        program = torch.onnx.export(copy.deepcopy(model), (x,), dynamo=True, verbose=False, **names)
    assert program is not None
    exported = program.model_proto
    graph = exported.graph
    for owner in (*graph.node, *graph.value_info, *graph.initializer, *graph.input, *graph.output):
        kept = [entry for entry in owner.metadata_props if entry.key in TELLING or not (lean or entry.key == STACK_TRACE)]
        del owner.metadata_props[:]
        owner.metadata_props.extend(kept)
    return exported
