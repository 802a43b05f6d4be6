/** By engine: how to empty it, and by name the ways to use it. */
export declare const CONTENDERS: Readonly<
  Record<
    'redis' | 'postgres',
    { prepare(port: number, capacity: number): Promise<void> } & Readonly<Record<string, unknown>>
  >
>;
