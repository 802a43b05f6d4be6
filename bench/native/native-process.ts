// A program of the benchmarks in a child process that lives until it is closed: requests on its stdin, an answer of one line to each.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export class NativeProcess {
  readonly #name: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  /**
   * @param name for messages
   * @param file the compiled program
   * @param variables of its environment, beside those of this process; what the program writes to stderr is not shown if there are any
   */
  constructor(name: string, file: string, variables?: Readonly<Record<string, string>>) {
    this.#name = name;
    this.#child = spawn(file, [], {
      stdio: ['pipe', 'pipe', variables ? 'ignore' : 'inherit'],
      env: { ...process.env, ...variables },
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a part of a request. */
  tell(request: string | Uint8Array): void {
    this.#child.stdin.write(request);
  }

  /** Sends a request, or its last part, and waits for the answer. */
  async ask(request: string | Uint8Array): Promise<string> {
    this.tell(request);
    const answer = await this.#answers.next();
    if (answer.done) throw new Error(`${this.#name} ended early`);
    return answer.value;
  }

  /** Ends the child process. */
  close(): void {
    this.#child.stdin.end();
  }
}
