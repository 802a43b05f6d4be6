// What a replicated arena has to answer, in the plainest way: one array with the holder of each unit.

/** A request as the model takes it. */
export interface Request {
  readonly op: 'alloc' | 'range' | 'reserve';
  readonly size: number;
  readonly alignment?: number;
  readonly offset?: number;
  readonly key?: string | undefined;
  readonly owner?: string | undefined;
  readonly ttl?: number | undefined;
}

/** A block of the model. */
export interface ModelBlock {
  readonly request: Request;
  readonly offset: number;
  readonly size: number;
  readonly token: number;
  expires: number;
  cooling: boolean;
}

/** The answer of the model: a block, a number, null, or the code of an error. */
export type Answer =
  | { readonly offset: number; readonly size: number; readonly token: number }
  | number
  | null
  | string;

/** An arena of few units, of which all is remembered. */
export class Model {
  readonly blocks: ModelBlock[] = [];
  readonly gone: ModelBlock[] = [];
  readonly freed = new Set<ModelBlock>();
  number = 0;
  now = 0;
  readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  request(request: Request): Answer {
    this.number++;
    const { key } = request;
    if (key !== undefined) {
      if (this.gone.some((block) => block.request.key === key)) return 'GONE';
      const known = this.blocks.find((block) => !block.cooling && block.request.key === key);
      if (known !== undefined) {
        const same = (['op', 'size', 'alignment', 'offset', 'owner'] as const).every(
          (name) => known.request[name] === request[name],
        );
        return same ? known : 'KEY_MISMATCH';
      }
    }
    let offset = this.#place(request);
    if (offset < 0) {
      this.#reap();
      offset = this.#place(request);
    }
    if (offset < 0) return null;
    const size = request.op === 'alloc' ? 2 ** Math.ceil(Math.log2(request.size)) : request.size;
    const expires = this.now + (request.ttl ?? Number.POSITIVE_INFINITY);
    const block = { request, offset, size, token: this.number, expires, cooling: false };
    this.blocks.push(block);
    return block;
  }

  free(offset: number, token: number, cooldown?: number): Answer {
    this.number++;
    const block = this.#held(offset, token);
    if (block === undefined) {
      const past = this.gone.find((one) => one.token === token && one.offset === offset);
      return past !== undefined && this.freed.has(past) ? 0 : 'NOT_HOLDER';
    }
    this.gone.push(block);
    this.freed.add(block);
    this.#remove(block);
    if (cooldown !== undefined) this.blocks.push({ ...block, expires: this.now + cooldown, cooling: true });
    return block.size;
  }

  renew(offset: number, token: number, ttl?: number): Answer {
    this.number++;
    const block = this.#held(offset, token);
    if (block === undefined) return 'NOT_HOLDER';
    block.expires = this.now + (ttl ?? Number.POSITIVE_INFINITY);
    return ttl === undefined ? null : block.expires;
  }

  reap(): Answer {
    this.number++;
    return this.#reap();
  }

  #reap(): number {
    const due = this.blocks.filter(({ expires }) => expires <= this.now);
    for (const block of due) {
      if (!block.cooling) this.gone.push(block);
      this.#remove(block);
    }
    return due.length;
  }

  #held(offset: number, token: number): ModelBlock | undefined {
    return this.blocks.find((block) => block.offset === offset && block.token === token && !block.cooling);
  }

  #remove(block: ModelBlock): void {
    this.blocks.splice(this.blocks.indexOf(block), 1);
  }

  #isFree(offset: number, size: number): boolean {
    return (
      offset + size <= this.capacity &&
      this.blocks.every((block) => block.offset + block.size <= offset || offset + size <= block.offset)
    );
  }

  #place({ op, size, alignment = 1, offset = 0 }: Request): number {
    if (op === 'reserve') return this.#isFree(offset, size) ? offset : -1;
    const units = op === 'alloc' ? 2 ** Math.ceil(Math.log2(size)) : size;
    const step = op === 'alloc' ? units : alignment;
    for (let at = 0; at + units <= this.capacity; at += step) if (this.#isFree(at, units)) return at;
    return -1;
  }
}
