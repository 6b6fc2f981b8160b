import { isBatchNormError } from "@batchnorm/spec";
import type { LookAnswer, LookRequest } from "./messages.ts";
import { LookSession } from "./session.ts";

const session = new LookSession();

// One after the other: a session has one model.
let turn: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<LookRequest>) => {
  turn = turn.then(() => answer(data));
});

async function answer({ id, ...request }: LookRequest): Promise<void> {
  try {
    postMessage({ id, result: await perform(request) } satisfies LookAnswer);
  } catch (error) {
    const code = isBatchNormError(error) ? (error as unknown as { code: string }).code : null;
    const message = error instanceof Error ? error.message : String(error);
    postMessage({ id, error: { code, message } } satisfies LookAnswer);
  }
}

function perform(request: Omit<LookRequest, "id">): Promise<unknown> {
  switch (request.what) {
    case "open":
      return session.open(request.files ?? []);
    case "verify":
      return session.verify();
    case "fold":
      return session.fold(request.float16 ?? false);
    case "states":
      return session.states();
  }
}
