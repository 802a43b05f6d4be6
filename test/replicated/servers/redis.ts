// A Redis server for tests.

import { Redis } from 'ioredis';
import { freePort, programPath, removeFolder, ServerProcess, serverFolder } from './process.ts';

/** Whether Redis is installed here. */
export const hasRedis = programPath('redis-server') !== null;

/** A server with nothing in it. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(port: number, folder: string, settings: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    const always = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    this.#process = new ServerProcess(programPath('redis-server') ?? '', [...always, ...settings]);
  }

  /** Starts one. `settings` are such as `--appendonly`, `yes`. */
  static async start(...settings: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), serverFolder(), settings);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const client = this.client();
    await this.#process.start(() => client.ping());
    client.disconnect();
  }

  /** The id of its process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Kills it as a crash would. */
  kill(): Promise<void> {
    return this.#process.stop('SIGKILL');
  }

  /** Ends it, and deletes it. */
  async remove(): Promise<void> {
    await this.#process.stop('SIGKILL');
    removeFolder(this.#folder);
  }

  /** A connection by `ioredis`. Lost ones are no news. */
  client(): Redis {
    const client = new Redis({
      port: this.port,
      host: '127.0.0.1',
      commandTimeout: 2000,
      retryStrategy: () => 50,
      maxRetriesPerRequest: 1,
    });
    return client.on('error', () => {});
  }
}
