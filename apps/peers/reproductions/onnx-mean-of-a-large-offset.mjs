import { InferenceSession, Tensor } from "onnxruntime-node";

// One BatchNormalization with training_mode 1 and momentum 0: its running outputs are the batch's own mean and variance.
const model = Buffer.from(
  "CAgSADqVAgpqCgF4CgVzY2FsZQoBQgoEbWVhbgoDdmFyEgF5EgduZXdNZWFuEgZuZXdWYXIiEkJhdGNoTm9ybWFsaXphdGlvbioSCghtb21lbnR1bRUAAAAAoAEBKhQKDXRyYWluaW5nX21vZGUYAaABAhIBZ1oUCgF4Eg8KDQgBEgkKAxIBbgoCCAFaEwoFc2NhbGUSCgoICAESBAoCCAFaDwoBQhIKCggIARIECgIIAVoSCgRtZWFuEgoKCAgBEgQKAggBWhEKA3ZhchIKCggIARIECgIIAWIUCgF5Eg8KDQgBEgkKAxIBbgoCCAFiFQoHbmV3TWVhbhIKCggIARIECgIIAWIUCgZuZXdWYXISCgoICAESBAoCCAFCBAoAEA8=",
  "base64",
);
const x = Float32Array.from({ length: 1000 }, (_, k) => 1e7 + (k % 3));
const [one, zero] = [1, 0].map((value) => new Tensor("float32", [value], [1]));
const session = await InferenceSession.create(model);
const { newMean, newVar } = await session.run({ x: new Tensor("float32", x, [1000, 1]), scale: one, B: zero, mean: zero, var: one });
console.log("mean", newMean.data[0], "variance", newVar.data[0]);
console.log("expected: 10000001 and 0.666; neighbouring float32 numbers are 1 apart there");
