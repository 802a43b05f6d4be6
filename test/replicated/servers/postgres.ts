// A PostgreSQL server for tests.

import { join } from 'node:path';
import { Pool } from 'pg';
import { freePort, programPath, removeFolder, runToEnd, ServerProcess, serverFolder } from './process.ts';

/** Whether PostgreSQL is installed here. */
export const hasPostgres = programPath('initdb') !== null;

/** A server with a database `postgres`, to which everybody may connect. */
export class PostgresServer {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(port: number, folder: string, settings: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#process = new ServerProcess(programPath('postgres') ?? '', [
      ...['-D', join(folder, 'data'), '-p', String(port), '-h', '127.0.0.1', '-k', folder],
      ...settings.flatMap((setting) => ['-c', setting]),
    ]);
  }

  /** Makes a cluster and starts it. `settings` are such as `fsync=off`. */
  static async start(...settings: string[]): Promise<PostgresServer> {
    const folder = serverFolder();
    const data = join(folder, 'data');
    await runToEnd(
      programPath('initdb') ?? '',
      '-D',
      data,
      '-A',
      'trust',
      '-U',
      'postgres',
      '-E',
      'UTF8',
      '--no-sync',
    );
    const server = new PostgresServer(await freePort(), folder, settings);
    await server.start();
    return server;
  }

  /** Makes a standby by the name `name` of the server that `port` leads to, and starts it. */
  static async standbyOf(port: number, name: string): Promise<PostgresServer> {
    const folder = serverFolder();
    const connection = `host=127.0.0.1 port=${port} user=postgres application_name=${name}`;
    await runToEnd(
      programPath('pg_basebackup') ?? '',
      ...['-D', join(folder, 'data'), '-d', connection, '-R', '--checkpoint=fast', '--no-sync'],
    );
    const server = new PostgresServer(await freePort(), folder, ['fsync=off']);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const pool = this.pool();
    await this.#process.start(() => pool.query('select 1'));
    await pool.end();
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
    await this.#process.stop('SIGQUIT');
    removeFolder(this.#folder);
  }

  /** Connections by `pg`, with a time limit for queries in milliseconds. Lost ones are no news. */
  pool(timeout = 2000): Pool {
    const pool = new Pool({
      host: '127.0.0.1',
      port: this.port,
      user: 'postgres',
      database: 'postgres',
      max: 4,
      query_timeout: timeout,
    });
    return pool.on('error', () => {});
  }
}
