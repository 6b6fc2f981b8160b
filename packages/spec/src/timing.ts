/** Whether a runtime answers at once or with a promise. */
export type Timing = "sync" | "async";

/** `Value` at once, or a promise of it. With the timing unknown, either. */
export type Timed<When extends Timing, Value> = When extends "sync" ? Value : Promise<Value>;
