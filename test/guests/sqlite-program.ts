// A database that grows, is searched and changed, with a model of it in JavaScript.

import { Random } from '../support/random.ts';
import type { Program } from './programs.ts';

interface Item {
  readonly owner: number;
  price: number;
  note: string;
}

const OWNERS = 500;
/** Statements in a transaction. */
const BATCH = 50;

const SCHEMA = `
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE item (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owner, price INTEGER, note TEXT);
CREATE INDEX item_by_owner ON item (owner, price);
CREATE INDEX item_by_note ON item (note);
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${OWNERS - 1})
INSERT INTO owner SELECT i, 'owner ' || i FROM n;`;

/** What SQL sorts and sums over all items; the model does the same in `report`. */
const REPORT = `
SELECT count(*), sum(price), sum(length(note)) FROM item;
SELECT name, count(*) AS items, sum(price) FROM item JOIN owner ON owner.id = owner
  GROUP BY owner ORDER BY items DESC, name LIMIT 3;
SELECT id, note FROM item ORDER BY note DESC, id LIMIT 2;`;

/** A program of some `operations` statements: inserts for the most part, selects, updates and deletes. */
export function sqliteProgram(operations: number): Program {
  const model = new Model();
  const texts = [SCHEMA];
  for (let done = 0; done < operations; done += BATCH) {
    const statements = Array.from({ length: BATCH }, () => model.statement());
    texts.push(`BEGIN; ${statements.join(' ')} COMMIT;`);
    if (done % (operations / 10) === 0) texts.push(model.report());
  }
  texts.push(model.deleteHalf(), model.report(), 'PRAGMA integrity_check;');
  return { name: 'database', guest: 'sqlite', texts, expected: `${model.expected}ok\n` };
}

class Model {
  /** What the statements so far must have printed. */
  expected = '';
  readonly #random = new Random(1);
  readonly #items = new Map<number, Item>();
  readonly #byOwner: ReadonlySet<number>[] & Set<number>[] = Array.from({ length: OWNERS }, () => new Set());
  #lastId = 0;

  /** A statement at random. */
  statement(): string {
    const x = this.#random.next();
    if (x < 0.5 || this.#items.size === 0) return this.#insert();
    if (x < 0.65) return this.#select();
    if (x < 0.7) return this.#selectByNote();
    if (x < 0.85) return this.#update();
    return this.#delete();
  }

  report(): string {
    const items = [...this.#items.entries()];
    const sum = (of: (item: Item) => number): number =>
      items.reduce((total, [, item]) => total + of(item), 0);
    this.#print(
      items.length,
      sum(({ price }) => price),
      sum(({ note }) => note.length),
    );
    const owners = this.#byOwner
      .map((ids, owner) => ({ name: `owner ${owner}`, count: ids.size, price: this.#priceOf(ids) }))
      .sort((a, b) => b.count - a.count || compare(a.name, b.name));
    for (const { name, count, price } of owners.slice(0, 3)) this.#print(name, count, price);
    items.sort(([a, { note: noteOfA }], [b, { note: noteOfB }]) => compare(noteOfB, noteOfA) || a - b);
    for (const [id, { note }] of items.slice(0, 2)) this.#print(id, note);
    return REPORT;
  }

  deleteHalf(): string {
    for (const id of [...this.#items.keys()]) if (id % 2 === 1) this.#remove(id);
    return 'DELETE FROM item WHERE id % 2 = 1;';
  }

  #insert(): string {
    const id = ++this.#lastId;
    const owner = this.#random.below(OWNERS);
    const price = this.#random.below(100_000);
    const note = this.#note();
    this.#items.set(id, { owner, price, note });
    this.#byOwner[owner].add(id);
    return `INSERT INTO item VALUES (${id}, ${owner}, ${price}, '${note}');`;
  }

  #select(): string {
    const owner = this.#random.below(OWNERS);
    const ids = this.#byOwner[owner];
    this.#print(ids.size, this.#priceOf(ids));
    return `SELECT count(*), coalesce(sum(price), 0) FROM item WHERE owner = ${owner};`;
  }

  #selectByNote(): string {
    const id = this.#anyId();
    const { note } = this.#items.get(id) as Item;
    const same = [...this.#items].filter(([, item]) => item.note === note).length;
    this.#print(same);
    return `SELECT count(*) FROM item WHERE note = '${note}';`;
  }

  #update(): string {
    const id = this.#anyId();
    const item = this.#items.get(id) as Item;
    item.price++;
    item.note = this.#note();
    return `UPDATE item SET price = price + 1, note = '${item.note}' WHERE id = ${id};`;
  }

  #delete(): string {
    const id = this.#anyId();
    this.#remove(id);
    return `DELETE FROM item WHERE id = ${id};`;
  }

  #remove(id: number): void {
    const { owner } = this.#items.get(id) as Item;
    this.#byOwner[owner].delete(id);
    this.#items.delete(id);
  }

  /** A live id: the first from a random one on. */
  #anyId(): number {
    let id = 1 + this.#random.below(this.#lastId);
    while (!this.#items.has(id)) id = (id % this.#lastId) + 1;
    return id;
  }

  /** Mostly short, some longer than a page of the database. */
  #note(): string {
    const random = this.#random;
    const word = random.below(2 ** 30).toString(36);
    return word.repeat(random.below(20) === 0 ? 1 + random.below(1000) : 1 + random.below(12));
  }

  #priceOf(ids: Iterable<number>): number {
    let price = 0;
    for (const id of ids) price += (this.#items.get(id) as Item).price;
    return price;
  }

  #print(...columns: (string | number)[]): void {
    this.expected += `${columns.join('|')}\n`;
  }
}

/** As SQLite compares texts of ASCII letters and digits. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
