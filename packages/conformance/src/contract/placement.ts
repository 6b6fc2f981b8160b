import { type Bench, PLAIN_X, type Rule } from "./rule.ts";

const DY = [1, 2, -3, 4, 5, 6];
const MASK = [1, 0, 1];

interface TypedTensor {
  data: Float32Array | Uint8Array;
  shape: number[];
}

/** Where the memory of one call lies. */
interface Memory {
  readonly name: string;
  readonly x: TypedTensor;
  readonly mask: TypedTensor;
  readonly dy: TypedTensor;
}

/** x, mask and dy in one buffer, each at this offset in bytes. */
function inBuffer(name: string, buffer: ArrayBuffer | SharedArrayBuffer, x: number, mask: number, dy: number): Memory {
  const memory: Memory = {
    name,
    x: { data: new Float32Array(buffer, x, 6), shape: [3, 2] },
    mask: { data: new Uint8Array(buffer, mask, 3), shape: [3] },
    dy: { data: new Float32Array(buffer, dy, 6), shape: [3, 2] },
  };
  memory.x.data.set(PLAIN_X);
  memory.mask.data.set(MASK);
  memory.dy.data.set(DY);
  return memory;
}

function memories(bench: Bench): Memory[] {
  const apart = inBuffer("arrays of their own", new ArrayBuffer(64), 0, 60, 28);
  const uploaded = { x: bench.tensor(), mask: bench.mask(MASK, [3]), dy: bench.tensor(DY) };
  return [
    inBuffer("odd offsets", new ArrayBuffer(96), 4, 61, 68),
    inBuffer("the end of a buffer", new ArrayBuffer(76), 28, 1, 52),
    // Absent where a page is not isolated from others.
    ...(typeof SharedArrayBuffer === "undefined" ? [] : [inBuffer("shared memory", new SharedArrayBuffer(96), 12, 7, 44)]),
    { ...apart, name: "x uploaded, the rest not", x: uploaded.x },
    { ...apart, name: "dy uploaded, the rest not", dy: uploaded.dy },
    { ...apart, name: "the mask uploaded, the rest not", mask: uploaded.mask },
  ];
}

/** What is remembered of an array by its identity is wrong as soon as its owner writes to it, who may as soon as a pass is over. */
async function sameArraysAgain(bench: Bench): Promise<void> {
  const [layer, twin] = [bench.create(), bench.create()];
  const { x, mask, dy } = inBuffer("one buffer", new ArrayBuffer(96), 4, 61, 68);
  for (const numbers of [
    { x: PLAIN_X, mask: MASK, dy: DY },
    { x: PLAIN_X.toReversed(), mask: [0, 1, 1], dy: DY.toReversed() },
    { x: PLAIN_X.map((value) => value / 4), mask: [0, 0, 1], dy: DY.map((value) => value * value) },
  ]) {
    for (const training of [false, true]) {
      x.data.set(numbers.x);
      mask.data.set(numbers.mask);
      dy.data.set(numbers.dy);
      const got = await bench.read(await layer.call(x, { training, gradient: true, mask }));
      const other = { training, gradient: true, mask: bench.mask(numbers.mask, [3]) };
      const expected = await bench.read(await twin.call(bench.tensor(numbers.x), other));
      bench.same(got, expected, "With other numbers in the same arrays the output is another one");
      const gradients = await bench.readGradients(twin.backward(bench.tensor(numbers.dy)));
      bench.sameGradients(
        await bench.readGradients(layer.backward(dy)),
        gradients,
        "With other numbers in the same arrays the gradient differs",
      );
      await bench.hasState(layer, await twin.state(), "with other numbers in the same arrays");
    }
  }
}

/** Tensors that callers make themselves: these hold where a tensor is `{ data, shape }` over a typed array, and of themselves elsewhere. */
export const PLACEMENT: readonly Rule[] = [
  {
    id: "any-memory",
    clause: "17.3",
    needs: ["training", "gradients", "masks"],
    must:
      "Where tensors are typed arrays, they MAY lie at any offset, in shared memory, and each in another kind of memory, and the same " +
      "array MAY hold other numbers at the next call.",
    run: async (bench) => {
      if (!bench.hasTypedArrays()) return;
      const twin = bench.create();
      const expected = await bench.read(await twin.call(bench.tensor(), { training: true, mask: bench.mask(MASK, [3]) }));
      const gradients = await bench.readGradients(twin.backward(bench.tensor(DY)));
      for (const { name, x, mask, dy } of memories(bench)) {
        const layer = bench.create();
        const y = await layer.call(x, { training: true, mask });
        bench.same(await bench.read(y), expected, `With ${name} the output is another one`);
        bench.sameGradients(await bench.readGradients(layer.backward(dy)), gradients, `With ${name} the gradient is another one`);
        await bench.hasState(layer, await twin.state(), `after a step with ${name}`);
        bench.expect([...x.data].join() === PLAIN_X.join() && [...dy.data].join() === DY.join(), `With ${name} an input was written to.`);
      }
      await sameArraysAgain(bench);
    },
  },
  {
    id: "any-memory-for-out",
    clause: "17.4",
    needs: ["out"],
    must: "Where tensors are typed arrays, out MAY lie at any offset, in shared memory, and beside x in one buffer.",
    run: async (bench) => {
      if (!bench.hasTypedArrays()) return;
      const layer = bench.create();
      const expected = await bench.read(await layer.call(bench.tensor()));
      const beside = new Float32Array(20).fill(9);
      const outs = [
        beside.subarray(1, 7),
        beside.subarray(13, 19),
        ...(typeof SharedArrayBuffer === "undefined" ? [] : [new Float32Array(new SharedArrayBuffer(32), 4, 6)]),
      ];
      beside.set(PLAIN_X, 7);
      for (const data of outs) {
        const out = { data, shape: [3, 2] };
        for (const x of [bench.tensor(), { data: beside.subarray(7, 13), shape: [3, 2] }]) {
          data.fill(9);
          await layer.call(x, { out });
          bench.same(await bench.read(out), expected, "out holds something else");
        }
      }
      const rest = [0, 19].map((k) => beside[k]).concat([...beside.subarray(7, 13)]);
      bench.expect(rest.join() === [9, 9, ...PLAIN_X].join(), `Beside out something was written: [${rest}].`);
    },
  },
  {
    id: "refuse-call/out-overlaps-in-part",
    clause: "17.4",
    needs: ["out"],
    must: "An out that lies over part of x, dy, the mask, or what backward needs MUST be refused with invalid-out, and nothing written.",
    run: async (bench) => {
      if (!bench.hasTypedArrays()) return;
      const { training, gradients, masks } = bench.backend.supports;
      const buffer = new ArrayBuffer(64);
      const all = new Float32Array(buffer);
      all.set(PLAIN_X, 4);
      const x = { data: all.subarray(4, 10), shape: [3, 2] };
      const layer = bench.create();
      const parts = [1, 3, 5, 9].map((from) => ({ data: all.subarray(from, from + 6), shape: [3, 2] }));
      for (const out of parts) await bench.refuses("invalid-out", "An out over part of x", () => layer.call(x, { out }));
      if (masks) {
        const mask = { data: new Uint8Array(buffer, 58, 3), shape: [3] };
        const out = { data: all.subarray(10, 16), shape: [3, 2] };
        await bench.refuses("invalid-out", "An out over the mask", () => layer.call(bench.tensor(), { out, mask, training }));
      }
      if (gradients) {
        await layer.call(x, { gradient: true });
        const dy = bench.tensor(DY);
        for (const out of [x, ...parts]) await bench.refuses("invalid-out", "An out over x", () => layer.backward(dy, { out }));
        await layer.call(bench.tensor(), { gradient: true });
        for (const out of parts) await bench.refuses("invalid-out", "An out over part of dy", () => layer.backward(x, { out }));
      }
      bench.same(all.slice(4, 10), Float32Array.from(PLAIN_X), "x was written to");
    },
  },
  {
    id: "shape-belongs-to-the-caller",
    clause: "17.3",
    needs: ["training", "gradients", "masks"],
    must: "Where tensors are typed arrays, their shape is the caller's: a call MUST go by the shape as it was when it was made.",
    run: async (bench) => {
      if (!bench.hasTypedArrays()) return;
      const [layer, twin] = [bench.create(), bench.create()];
      const expected = await bench.read(await twin.call(bench.tensor(), { training: true, mask: bench.mask(MASK, [3]) }));
      const gradients = await bench.readGradients(twin.backward(bench.tensor(DY)));
      const x = { data: Float32Array.from(PLAIN_X), shape: [3, 2] };
      const mask = { data: Uint8Array.from(MASK), shape: [3] };
      const running = bench.begin(layer.call(x, { training: true, mask }));
      // One object that is reused for the last, smaller batch.
      x.shape[0] = 1;
      mask.shape[0] = 1;
      const { shape } = await bench.backend.download(await running);
      bench.expect(shape.join() === "3,2", `y has the shape [${shape}], expected [3,2].`);
      bench.same(await bench.read(await running), expected, "The output is another one");
      bench.sameGradients(await bench.readGradients(layer.backward(bench.tensor(DY))), gradients, "The gradient is another one");
      await bench.refuses("invalid-gradient", "A dy of the new shape", () => layer.backward(bench.tensor([1, 2], [1, 2])));
    },
  },
  {
    id: "shapes-are-copied",
    clause: "17.3",
    must: "upload MUST copy the shape as it copies the data, and download MUST give a copy.",
    run: async (bench) => {
      const shape = [3, 2];
      const tensor = bench.backend.upload({ data: Float32Array.from(PLAIN_X), shape });
      shape[0] = 1;
      const mask = Uint8Array.from(MASK);
      const uploaded = bench.backend.supports.masks ? bench.backend.upload({ data: mask, shape: [3] }) : null;
      mask.fill(0);
      const found = await bench.backend.download(tensor);
      bench.expect(found.shape.join() === "3,2", `After the caller changed its array the shape is [${found.shape}].`);
      try {
        (found.shape as number[])[0] = 99;
      } catch {
        // A frozen array says so.
      }
      const again = await bench.backend.download(tensor);
      bench.expect(again.shape.join() === "3,2", `After its copy was written to the shape is [${again.shape}].`);
      if (uploaded === null) return;
      const bytes = [...(await bench.read(uploaded))].map((byte) => (byte === 0 ? 0 : 1));
      bench.expect(bytes.join() === MASK.join(), `The mask followed the host's array: [${bytes}].`);
    },
  },
];
