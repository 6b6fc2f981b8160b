"""Layers that are not in the main graph: in branches, loop bodies and functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from fixture import FIELDS, Fixture

from .builder import NOTHING_NEAR, Builder, backward, not_foldable

FLOAT = TensorProto.FLOAT
BOTH_BRANCHES = not_foldable("several-consumers", "The Conv feeds both branches, each with a layer of its own.")
IN_FUNCTION = not_foldable("in-function", "All calls share the function's nodes: it would have to be inlined first.")


def in_branch() -> Fixture:
    """One layer in each branch: one has its arrays in the branch, the other takes them from the main graph."""
    build = Builder("if-branches", "a layer in each branch of an If; one takes its arrays from the outer graph, after a Conv there")
    build.input("x", 2, 3, 5, 5)
    build.inputs["condition"] = np.array(True)
    build.input_infos.append(helper.make_tensor_value_info("condition", TensorProto.BOOL, []))
    build.conv("conv", "x", "hidden", (3, 3, 3, 3), 3)
    branches = {}
    for branch in ("then", "else"):
        outer, outer_initializers = build.nodes, build.initializers
        build.nodes, build.initializers = [], []
        name = f"bn_{branch}"
        build.norm(name, "hidden", f"{branch}_y", 3, BOTH_BRANCHES, epsilon=1e-3)
        build.layers[-1].graph = f"if/{branch}_branch"
        info = helper.make_tensor_value_info(f"{branch}_y", FLOAT, None)
        inner = build.initializers if branch == "then" else []
        branches[f"{branch}_branch"] = helper.make_graph(build.nodes, branch, [], [info], inner)
        build.nodes, build.initializers = outer, outer_initializers + ([] if branch == "then" else build.initializers)
    build.node("If", ["condition"], "y", "if", **branches)
    build.output("y")
    return build.fixture()


def in_loop() -> Fixture:
    """Conv and layer in the body of a Loop that runs three times."""
    build = Builder("loop-body", "a Conv and its layer in the body of a Loop with three rounds")
    build.input("x", 2, 3, 5, 5)
    outer, build.nodes, outer_initializers, build.initializers = build.nodes, [], build.initializers, []
    build.node("Identity", ["going_in"], "going_out")
    build.conv("conv", "state_in", "hidden", (3, 3, 3, 3), pads=[1, 1, 1, 1])
    build.norm("bn", "hidden", "state_out", 3, backward("conv"), epsilon=1e-3)
    build.layers[-1].graph = "loop/body"
    body_inputs = [
        helper.make_tensor_value_info("round", TensorProto.INT64, []),
        helper.make_tensor_value_info("going_in", TensorProto.BOOL, []),
        helper.make_tensor_value_info("state_in", FLOAT, [2, 3, 5, 5]),
    ]
    body_outputs = [
        helper.make_tensor_value_info("going_out", TensorProto.BOOL, []),
        helper.make_tensor_value_info("state_out", FLOAT, [2, 3, 5, 5]),
    ]
    body = helper.make_graph(build.nodes, "body", body_inputs, body_outputs, build.initializers)
    build.nodes, build.initializers = outer, outer_initializers
    build.weight("rounds", np.int64(3))
    build.weight("always", np.array(True))
    build.node("Loop", ["rounds", "always", "x"], "y", "loop", body=body)
    build.output("y")
    return build.fixture()


def nested() -> Fixture:
    """A branch inside a loop body."""
    build = Builder("nested-if-in-loop", "a layer in a branch of an If in the body of a Loop; its arrays lie in the main graph")
    build.input("x", 2, 3, 5, 5)
    outer, build.nodes = build.nodes, []
    build.norm("bn", "state_in", "then_y", 3, NOTHING_NEAR, epsilon=1e-3)
    build.layers[-1].graph = "loop/body/if/then_branch"
    then = helper.make_graph(build.nodes, "then", [], [helper.make_tensor_value_info("then_y", FLOAT, None)])
    identity = [helper.make_node("Identity", ["state_in"], ["else_y"], "else_identity")]
    otherwise = helper.make_graph(identity, "else", [], [helper.make_tensor_value_info("else_y", FLOAT, None)])
    build.nodes = []
    build.node("Identity", ["going_in"], "going_out")
    build.node("Cast", ["round"], "round_float", to=FLOAT)
    build.node("Greater", ["round_float", "zero"], "condition")
    build.node("If", ["condition"], "state_out", "if", then_branch=then, else_branch=otherwise)
    infos = [("round", TensorProto.INT64, []), ("going_in", TensorProto.BOOL, []), ("state_in", FLOAT, [2, 3, 5, 5])]
    outs = [("going_out", TensorProto.BOOL, []), ("state_out", FLOAT, [2, 3, 5, 5])]
    body_inputs, body_outputs = ([helper.make_tensor_value_info(*info) for info in side] for side in (infos, outs))
    body = helper.make_graph(build.nodes, "body", body_inputs, body_outputs)
    build.nodes = outer
    build.weight("rounds", np.int64(2))
    build.weight("always", np.array(True))
    build.weight("zero", np.float32(0))
    build.node("Loop", ["rounds", "always", "x"], "y", "loop", body=body)
    build.output("y")
    return build.fixture()


def in_function() -> Fixture:
    """A function that is called twice: one node, two layers. Its epsilon refers to an attribute of the call."""
    about = "a local function with Conv, layer and Relu, called twice with other arrays; epsilon is an attribute of the call"
    build = Builder("local-function", about)
    names = ["weight", *FIELDS]
    norm = helper.make_node("BatchNormalization", ["hidden", *FIELDS], ["normalized"], "bn")
    norm.attribute.append(helper.make_attribute_ref("epsilon", 1))
    nodes = [
        helper.make_node("Conv", ["x", "weight"], ["hidden"], "conv", pads=[1, 1, 1, 1]),
        norm,
        helper.make_node("Relu", ["normalized"], ["y"], "relu"),
    ]
    opset = [helper.make_opsetid("", build.opset)]
    build.functions.append(helper.make_function("local", "ConvNormRelu", ["x", *names], ["y"], nodes, opset, attributes=["epsilon"]))
    build.domains["local"] = 1
    x = build.input("x", 2, 3, 5, 5)
    for call, epsilon, y in (("first", 1e-3, "hidden"), ("second", 1e-2, "y")):
        state = build.state(3)
        inputs = [build.weight(f"{call}.weight", build.draw(3, 3, 3, 3, scale=0.4)), *build.parameters(call, state)]
        x = build.node("ConvNormRelu", [x, *inputs], y, call, domain="local", epsilon=epsilon)
        build.describe(call, 3, state, IN_FUNCTION, epsilon=epsilon, outputs=1, graph=f"{call}/local.ConvNormRelu")
        build.layers[-1].node = "bn"
    build.output("y")
    build.notes.append("Both calls share the function's nodes, and each has arrays of its own.")
    return build.fixture()


def function_with_constants() -> Fixture:
    """A function whose arrays are Constant nodes of its own, called twice: two places, one layer's arrays."""
    build = Builder("function-constants", "a local function with the arrays in Constant nodes of its own, called twice")
    state = build.state(3)
    nodes = [helper.make_node("Constant", [], [name], name, value=numpy_helper.from_array(state[name])) for name in FIELDS]
    nodes.append(helper.make_node("BatchNormalization", ["x", *FIELDS], ["y"], "bn", epsilon=1e-3))
    opset = [helper.make_opsetid("", build.opset)]
    build.functions.append(helper.make_function("local", "Norm", ["x"], ["y"], nodes, opset))
    build.domains["local"] = 1
    x = build.input("x", 2, 3, 5, 5)
    for call, y in (("first", "hidden"), ("second", "y")):
        x = build.node("Norm", [x], y, call, domain="local")
        build.describe(call, 3, state, IN_FUNCTION, epsilon=1e-3, outputs=1, graph=f"{call}/local.Norm")
        build.layers[-1].node = "bn"
    build.output("y")
    return build.fixture()


def fixtures() -> Iterator[Fixture]:
    """One model per kind of subgraph."""
    yield from (make() for make in (in_branch, in_loop, nested, in_function, function_with_constants))
