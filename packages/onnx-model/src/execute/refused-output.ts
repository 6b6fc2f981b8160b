import { create, toBinary } from "@bufbuild/protobuf";
import {
  ElementType,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  ValueInfoProtoSchema,
} from "../proto/index.ts";
import type { Runtime, Session, SessionOptions } from "./runtime.ts";

/** The first opset with sequences. */
const FIRST_SEQUENCES = 11;

/** An output that a runtime computes and cannot hand over, and what it says then. */
export interface RefusedOutput {
  readonly name: string;
  readonly message: string;
}

/**
 * How a runtime is kept from copying outputs that it wrote into our arrays.
 *
 * onnxruntime-node 1.30 takes arrays for outputs and writes into them. Then it copies every output into a new array all
 * the same, which for the activations of a ResNet-18 of width 16 takes half as long as the net. It copies them one after
 * the other, and stops at the first one that JavaScript has no type for: a sequence. So a sequence is made the first
 * output. The run then ends with an error that says so, and the arrays are full.
 *
 * Whether a runtime does that is tried on a model of two nodes. Null where it does not: onnxruntime-web never writes into
 * the arrays, and a later onnxruntime-node may hand over what it wrote, which costs nothing either.
 */
export async function findRefusedOutput(
  { InferenceSession, Tensor }: Runtime,
  options: SessionOptions,
  opset: number,
  isTaken: (name: string) => boolean,
): Promise<RefusedOutput | null> {
  if (opset < FIRST_SEQUENCES) return null;
  let name = "refused";
  while (isTaken(name)) name += "_";
  const { executionProviders } = options;
  let session: Session;
  try {
    session = await InferenceSession.create(trial(name), { logSeverityLevel: 4, ...(executionProviders && { executionProviders }) });
  } catch {
    return null;
  }
  const y = new Tensor("float32", Float32Array.of(0), [1]);
  try {
    await session.run({ x: new Tensor("float32", Float32Array.of(1), [1]) }, { [name]: null, y });
    return null;
  } catch (error) {
    return (y.data as Float32Array)[0] === -1 ? { name, message: String(error) } : null;
  } finally {
    await session.release();
  }
}

/** The node that gives the output. */
export function refusedNode(name: string): NodeProto {
  return create(NodeProtoSchema, { opType: "SequenceEmpty", output: [name] });
}

/** y = -x, behind an output that is refused. */
function trial(name: string): Uint8Array {
  const type = {
    value: {
      case: "tensorType" as const,
      value: { elemType: ElementType.float32, shape: { dim: [{ value: { case: "dimValue" as const, value: 1n } }] } },
    },
  };
  const graph = create(GraphProtoSchema, {
    name: "trial",
    node: [refusedNode(name), create(NodeProtoSchema, { opType: "Neg", input: ["x"], output: ["y"] })],
    input: [{ name: "x", type }],
    output: [create(ValueInfoProtoSchema, { name }), create(ValueInfoProtoSchema, { name: "y", type })],
  });
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(FIRST_SEQUENCES) })];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 6n, graph, opsetImport }));
}
