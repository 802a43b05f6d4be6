// A TCP proxy that cuts connections and swallows replies.

import { connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy before a port of this machine. */
export class FaultyProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Map<Socket, Socket>();
  /** Replies that are swallowed, with their connection, from now on. */
  #swallow = 0;
  cuts = 0;
  swallowed = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(target: number): Promise<FaultyProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new FaultyProxy(server, (server.address() as { port: number }).port);
    server.on('connection', (client) => proxy.#connect(client, target));
    return proxy;
  }

  /** Cuts all connections now. */
  cut(): void {
    for (const client of this.#pairs.keys()) {
      this.cuts++;
      client.destroy();
    }
  }

  /** Swallows the next reply, whosever it is, and cuts its connection: the request has been carried out. */
  swallowNext(): void {
    this.#swallow++;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(client: Socket, target: number): void {
    const upstream = connect(target, '127.0.0.1');
    this.#pairs.set(client, upstream);
    const end = (): void => {
      this.#pairs.delete(client);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => {
      if (this.#swallow > 0) {
        this.#swallow--;
        this.swallowed++;
        end();
      } else client.write(data);
    });
  }
}
