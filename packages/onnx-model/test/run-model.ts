import { create } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-node";
import { copyModel } from "../src/edit/copy.ts";
import { type OnnxModel, writeModel } from "../src/index.ts";
import { ElementType, type GraphProto, NodeProtoSchema, type ValueInfoProto, ValueInfoProtoSchema } from "../src/proto/index.ts";
import { attribute } from "./model-builder.ts";

/** An input or output of a run. */
export interface Data {
  readonly type: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Runs a model as it is, without the runtime's own optimizations, and gives the named values, which need not be
 * outputs. float16 goes in and comes out as float32, through Casts: onnxruntime-node 1.30 cannot take a Float16Array,
 * which is what its tensors hold from Node 24 on.
 */
export async function runModel(
  model: OnnxModel,
  inputs: Readonly<Record<string, Data>>,
  values: readonly string[],
): Promise<Record<string, Data>> {
  const proto = copyModel(model.proto);
  for (const name of values) addOutput(proto.graph!, name);
  proto.graph!.input = proto.graph!.input.map((info) => withCast(proto.graph!, info, true));
  proto.graph!.output = proto.graph!.output.map((info) => withCast(proto.graph!, info, false));
  const bytes = writeModel({ ...model, proto });
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 3 });
  try {
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, tensorOf(input)]));
    const names = session.outputNames.filter((name) => values.includes(name.replace(/__cast$/, "")));
    const results = await session.run(feeds, names);
    return Object.fromEntries(
      names.map((name) => {
        const { type, dims: shape, data } = results[name];
        return [name.replace(/__cast$/, ""), { type, shape, data: data as ArrayLike<number> }];
      }),
    );
  } finally {
    await session.release();
  }
}

function addOutput(graph: GraphProto, name: string): void {
  if (graph.output.some((output) => output.name === name)) return;
  const known = graph.valueInfo.find((info) => info.name === name);
  // A type without a shape: the runtime infers it.
  graph.output.push(known ?? infoOf(name, ElementType.float32));
}

function infoOf(name: string, elemType: number): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: { elemType } } } });
}

function withCast(graph: GraphProto, info: ValueInfoProto, isInput: boolean): ValueInfoProto {
  if (info.type?.value.case !== "tensorType" || info.type.value.value.elemType !== ElementType.float16) return info;
  const { name } = info;
  const cast = (from: string, to: string, type: number) =>
    create(NodeProtoSchema, { opType: "Cast", input: [from], output: [to], attribute: [attribute("to", type)] });
  if (!isInput) {
    graph.node.push(cast(name, `${name}__cast`, ElementType.float32));
    return infoOf(`${name}__cast`, ElementType.float32);
  }
  for (const node of graph.node) node.input = node.input.map((each) => (each === name ? `${name}__cast` : each));
  graph.node.unshift(cast(name, `${name}__cast`, ElementType.float16));
  return infoOf(name, ElementType.float32);
}

function tensorOf({ type, shape, data }: Data): ort.Tensor {
  if (type === "float64") return new ort.Tensor("float64", Float64Array.from(data), [...shape]);
  if (type === "bool") return new ort.Tensor("bool", Uint8Array.from(data), [...shape]);
  if (type === "int64") return new ort.Tensor("int64", BigInt64Array.from(Array.from(data), BigInt), [...shape]);
  return new ort.Tensor("float32", Float32Array.from(data), [...shape]);
}

/** The largest magnitude. */
export function largest({ data }: Data): number {
  return Array.from(data).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The largest difference within each entry of an axis. */
export function differences(a: Data, b: Data, axis: number): number[] {
  const at = axis < 0 ? axis + a.shape.length : axis;
  const inner = a.shape.slice(at + 1).reduce((size, dimension) => size * dimension, 1);
  const worst = new Array<number>(a.shape[at]).fill(0);
  for (let k = 0; k < a.data.length; k++) {
    const channel = Math.floor(k / inner) % a.shape[at];
    const difference = Math.abs(a.data[k] - b.data[k]);
    // A NaN is a difference like no other.
    if (!(difference <= worst[channel])) worst[channel] = difference;
  }
  return worst;
}
