/**
 * Every way in which a call can be refused, as a stable code. The sentence of an error may change between releases, its code
 * does not. docs/spec.md, section 14, says which clause each code enforces.
 */
export type ErrorCode =
  | "invalid-argument" // an option has the wrong type or an unknown name
  | "invalid-axis" // axis is not an integer, or outside [-rank, rank)
  | "invalid-epsilon" // epsilon is not a finite number that float32 holds as a positive normal number
  | "invalid-momentum" // momentum is outside [0, 1]
  | "invalid-shape" // a dimension is fractional, negative or not a number
  | "invalid-rank" // rank below 2, or a rank that the backend does not take
  | "invalid-state" // the state is not made of the two parameters and the two statistics
  | "wrong-length" // gamma, beta, movingMean and movingVariance differ in length, or have none
  | "missing-parameter" // scale or center is on and gamma or beta is absent
  | "unexpected-parameter" // scale or center is off and gamma or beta is present
  | "negative-variance" // movingVariance has a negative entry
  | "channel-mismatch" // the channel axis of x does not have as many entries as the state
  | "data-length" // the data of a tensor does not fill its shape
  | "unknown-dtype" // a dtype that the backend does not declare, or bits of half precision that do not say which
  | "invalid-mask" // the mask is not a bool tensor over all axes of x but the channel axis
  | "invalid-out" // the output buffer has another shape or dtype, or overlaps what backward needs
  | "invalid-gradient" // dy does not have the shape and the dtype of the last output
  | "empty-batch" // training on no elements
  | "non-finite" // nonFinite is 'reject' and x holds a NaN or an infinity
  | "not-built" // the layer was made without a state, and no call has shown how many channels it has
  | "no-forward" // backward without a forward pass that kept what it needs
  | "disposed" // the layer was disposed
  | "unsupported" // the backend declares that it cannot do this
  | "invalid-json" // a serialized state or a result file with a missing, unknown or ill-typed field
  | "wrong-version" // a serialized state, or a backend, of another version of the contract
  | "invalid-file" // a file cannot be read: missing, truncated, damaged, contradicting itself, or leaving its folder
  | "unsupported-format" // a file of a known format that is not read
  | "cannot-convert" // another framework's layer has no equal here, or the reverse
  | "runtime-failure"; // the runtime under the backend failed; `cause` has its own error

const MARKER = Symbol.for("@batchnorm/error");

/**
 * The one error type of the contract: what was wrong, what was received and what was expected, in one sentence.
 *
 * `isBatchNormError` recognizes it across two copies of this package, where `instanceof` would not.
 */
export class BatchNormError extends Error {
  override readonly name = "BatchNormError";
  readonly code: ErrorCode;
  /** The offending value, as it was received. */
  readonly received: unknown;
  /** What would have been accepted, in words. */
  readonly expected: string;
  /** A page about the code: causes and cures. A property of its own, since runtimes print those below the message. */
  readonly url: string;

  constructor(code: ErrorCode, what: string, received: unknown, expected: string, cause?: unknown) {
    super(`${what}: received ${describeValue(received)}, expected ${expected}.`, cause === undefined ? undefined : { cause });
    Object.defineProperty(this, MARKER, { value: true });
    this.code = code;
    this.received = received;
    this.expected = expected;
    this.url = `https://batchnorm.github.io/batchnorm/errors/${code}`;
  }
}

/** True for a `BatchNormError` of any copy of this package. */
export function isBatchNormError(error: unknown): error is BatchNormError {
  return typeof error === "object" && error !== null && MARKER in error;
}

/** How deep and how long the rendering of a value may get: a sentence stays one, whatever was received. */
const DEEPEST = 3;
const LONGEST = 200;

/** A short, single-line rendering of any value for an error's sentence. */
export function describeValue(value: unknown): string {
  const text = render(value, 0);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}

function render(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) {
    if (depth === DEEPEST) return "[...]";
    // Array.from, not map: the holes of a sparse array are shown as undefined.
    const elements = Array.from(value.slice(0, 8), (element) => render(element, depth + 1));
    return `[${elements.join(", ")}${value.length > 8 ? ", ..." : ""}]`;
  }
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${(value as Uint8Array).length} elements`;
  return renderObject(value);
}

function renderObject(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  if (typeof name === "string" && name !== "" && name !== "Object") return `an object of the class ${render(name, 0).slice(1, -1)}`;
  const keys = Object.keys(value);
  return keys.length === 0
    ? "an empty object"
    : `an object with ${keys
        .slice(0, 8)
        .map((key) => key.slice(0, 40))
        .join(", ")}`;
}
