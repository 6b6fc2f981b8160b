import { BatchNormError } from "@batchnorm/spec";
import { messageOf } from "../files.ts";
import { wrongUse } from "../status.ts";

export interface RedisPackages {
  readonly bullmq: typeof import("bullmq");
  readonly Redis: typeof import("ioredis").Redis;
}

/**
 * BullMQ and its client of Redis: packages of their own, which only `--redis` needs.
 *
 * @throws BatchNormError `unsupported` where they are not installed.
 */
export async function loadRedisPackages(): Promise<RedisPackages> {
  try {
    return { bullmq: await import("bullmq"), Redis: (await import("ioredis")).Redis };
  } catch (cause) {
    const expected = "bullmq and ioredis, installed beside @batchnorm/cli";
    throw new BatchNormError("unsupported", "--redis needs two more packages", messageOf(cause).slice(0, 120), expected, cause);
  }
}

/**
 * Refuses a server that does not answer: later on its clients wait for one that comes back.
 *
 * @throws BatchNormError `invalid-argument` for a wrong address, `runtime-failure` for a server that does not answer.
 */
export async function checkServer({ Redis }: RedisPackages, url: string): Promise<void> {
  if (!/^rediss?:\/\//.test(url)) throw wrongUse("The address of the Redis server is wrong", url, "redis://HOST:PORT");
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5000 });
  // What connect rejects with is "Connection is closed."; the reason comes as an event.
  let reason: unknown = null;
  client.on("error", (error) => {
    reason ??= error;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (cause) {
    const message = messageOf(reason ?? cause).slice(0, 120);
    throw new BatchNormError("runtime-failure", "The Redis server does not answer", message, "a server that runs at this address", cause);
  } finally {
    client.disconnect();
  }
}
