// The errors of an engine, told from those of this code: only they are worth another attempt.

import type { Log } from './log.ts';

/** The engine did not answer, or not as it should; the cause says why. */
export class Unanswered extends Error {
  constructor(cause: unknown) {
    super(`the log does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** `log`, with every error of it as the cause of an {@link Unanswered}. */
export function guarded(log: Log): Log {
  const guard = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (cause) {
      throw new Unanswered(cause);
    }
  };
  return {
    append: (...parameters) => guard(() => log.append(...parameters)),
    read: (...parameters) => guard(() => log.read(...parameters)),
    load: (...parameters) => guard(() => log.load(...parameters)),
    save: (...parameters) => guard(() => log.save(...parameters)),
    durability: () => guard(() => log.durability()),
  };
}

/** What `promise` resolves to. An {@link Unanswered} becomes the engine's own error again. */
export async function unguarded<T>(promise: Promise<T>): Promise<T> {
  return promise.catch((error: unknown) => {
    throw error instanceof Unanswered ? error.cause : error;
  });
}
