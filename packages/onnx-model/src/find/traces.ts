import { isLinear } from "../graph/climb.ts";
import type { Scope } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";
import { saysBatchNorm } from "./names.ts";

/** A node into which somebody folded a batch normalization before the file was written, and what tells so. */
export interface TraceMatch {
  readonly scope: Scope;
  readonly node: NodeProto;
  readonly evidence: TraceEvidence;
  /** The name or entry that says so. */
  readonly says: string;
}

export type TraceEvidence =
  | "metadata" // onnxscript notes the rewriting rule that it applied
  | "name-of-tool" // tf2onnx, onnxruntime and others name the weights that they fold into
  | "name-of-layer" // the weights are named after a batch normalization
  | "renamed-weight"; // TorchScript gives numbers for names to weights that it computed, and it computes few others

/**
 * Names that tools give to folded weights: tf2onnx; onnxruntime's ConvBNFusion, ConvMulFusion, ConvAddFusion;
 * onnxoptimizer.
 */
const TOOL_NAMES = /_(?:weights|bias)_fused_bn|^Conv(?:Bn|Mul|Add)Fusion_|_bn_fused|fuse_bn/i;

/** The traces of layers that were folded away, in one scope. */
export function tracesOf(scope: Scope): TraceMatch[] {
  return scope.nodes.filter(isLinear).flatMap((node) => {
    const trace = evidenceOf(node);
    return trace === null ? [] : [{ scope, node, ...trace }];
  });
}

function evidenceOf(node: NodeProto): Pick<TraceMatch, "evidence" | "says"> | null {
  const rule = node.metadataProps.find(({ key, value }) => key === "pkg.onnxscript.rewriter.rule_name" && /batch_?norm/i.test(value));
  if (rule !== undefined) return { evidence: "metadata", says: rule.value };
  const weights = node.input.slice(1);
  const tool = weights.find((name) => TOOL_NAMES.test(name));
  if (tool !== undefined) return { evidence: "name-of-tool", says: tool };
  const layer = weights.find(saysBatchNorm);
  if (layer !== undefined) return { evidence: "name-of-layer", says: layer };
  // Weights that were only stored keep their names, such as conv1.weight.
  const renamed = weights.length === 2 && weights.every((name) => /^onnx::Conv(?:Transpose)?_\d+$/.test(name));
  return renamed ? { evidence: "renamed-weight", says: weights[0] } : null;
}
