/** Runs tasks one after another, in the order in which they came. One that fails does not hold up the next. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<Value>(task: () => Promise<Value>): Promise<Value> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

const turnsOf = new WeakMap<object, Turns>();

/**
 * The one queue for everything that goes through a runtime. With the WebGPU provider, two calls of onnxruntime-web 1.30
 * at once, of whichever sessions, corrupt its memory ("memory access out of bounds", or a promise that never settles).
 * On wasm two runs have one stack, which the first to end takes back; and two initializations at once throw ("multiple
 * calls to 'initWasm()' detected").
 */
export function turnsOn(runtime: object): Turns {
  let turns = turnsOf.get(runtime);
  if (turns === undefined) {
    turns = new Turns();
    turnsOf.set(runtime, turns);
  }
  return turns;
}
