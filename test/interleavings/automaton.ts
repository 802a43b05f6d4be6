// The local states of operations, learned on demand. An operation is a pure function of the answers of the cells. So
// its state is the list of answers so far: a node of a tree whose edges are answers. Each node is run once, from its
// log. From then on, a step of a worker is a look-up, and one number stands for all that a worker knows.

import { BuddyError } from '../../src/base/errors.ts';
import { BROKEN, DONE, FAILED, ModelCells, SUSPENDED } from './cells.ts';
import type { Subject } from './subject.ts';
import { Violation } from './violation.ts';

/** More accesses than any operation takes in an explored schedule: an operation that exceeds it does not end. */
const MAX_ACCESSES = 3000;

/** Fields of a node. */
const KIND = 0;
const POS = 1;
const A = 2;
const B = 3;
const PARENT = 4;
const ANSWER = 5;
const CHILD = 6;
const SIBLING = 7;
const DEPTH = 8;
const FIELDS = 9;

export class Automaton {
  readonly subject: Subject;
  readonly #cells = new ModelCells();
  readonly #roots = new Map<number, number>();
  /** By root: the worker's id, the kind and the argument of the call. */
  readonly #calls = new Map<number, readonly [number, number, number]>();
  /** By node that is BROKEN. */
  readonly #messages = new Map<number, string>();
  #nodes = new Int32Array(FIELDS << 12);
  /** Nodes learned so far. */
  size = 0;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** The node at which a call begins. */
  root(id: number, kind: number, argument: number): number {
    const key = (id * 8 + kind) * 2 ** 32 + argument;
    let root = this.#roots.get(key);
    if (root === undefined) {
      root = this.#add(-1, 0);
      this.#roots.set(key, root);
      this.#calls.set(root, [id, kind, argument]);
      this.#learn(root);
    }
    return root;
  }

  /** The node that follows if the access of `node` gets this answer. */
  next(node: number, answer: number): number {
    const nodes = this.#nodes;
    let child = nodes[node * FIELDS + CHILD];
    while (child >= 0) {
      if (nodes[child * FIELDS + ANSWER] === answer) return child;
      child = nodes[child * FIELDS + SIBLING];
    }
    child = this.#add(node, answer);
    this.#learn(child);
    return child;
  }

  /** Kind of the next access; DONE, FAILED or BROKEN if the operation has ended. */
  kind(node: number): number {
    return this.#nodes[node * FIELDS + KIND];
  }

  /** Position of the next access. */
  pos(node: number): number {
    return this.#nodes[node * FIELDS + POS];
  }

  /** First argument of the next access after the position; if DONE, the result of the operation. */
  a(node: number): number {
    return this.#nodes[node * FIELDS + A];
  }

  /** Second argument of the next access after the position. */
  b(node: number): number {
    return this.#nodes[node * FIELDS + B];
  }

  /** The message of the error that ended the operation, if BROKEN. */
  message(node: number): string {
    return this.#messages.get(node) ?? '';
  }

  /** Accesses made so far. */
  depth(node: number): number {
    return this.#nodes[node * FIELDS + DEPTH];
  }

  #add(parent: number, answer: number): number {
    const node = this.size++;
    if (this.size * FIELDS > this.#nodes.length) {
      const larger = new Int32Array(this.#nodes.length * 2);
      larger.set(this.#nodes);
      this.#nodes = larger;
    }
    const pos = node * FIELDS;
    const nodes = this.#nodes;
    nodes[pos + PARENT] = parent;
    nodes[pos + ANSWER] = answer;
    nodes[pos + CHILD] = -1;
    nodes[pos + SIBLING] = -1;
    if (parent >= 0) {
      nodes[pos + SIBLING] = nodes[parent * FIELDS + CHILD];
      nodes[parent * FIELDS + CHILD] = node;
      nodes[pos + DEPTH] = nodes[parent * FIELDS + DEPTH] + 1;
    }
    return node;
  }

  /** Runs the operation from its log, and notes its next access or its end. */
  #learn(node: number): void {
    const cells = this.#cells;
    const nodes = this.#nodes;
    const length = this.depth(node);
    if (length > MAX_ACCESSES)
      throw new Violation(`an operation has made ${length} accesses and does not end`);
    if (length > cells.log.length) cells.log = new Int32Array(length * 2);
    let root = node;
    for (let i = length - 1; i >= 0; i--) {
      cells.log[i] = nodes[root * FIELDS + ANSWER];
      root = nodes[root * FIELDS + PARENT];
    }
    const call = this.#calls.get(root);
    if (call === undefined) throw new Error('a root without a call');
    cells.length = length;
    cells.rewind();
    const pos = node * FIELDS;
    try {
      nodes[pos + A] = this.subject.call(cells, ...call);
      nodes[pos + KIND] = DONE;
    } catch (thrown) {
      if (thrown === SUSPENDED) {
        nodes[pos + KIND] = cells.kind;
        nodes[pos + POS] = cells.pos;
        nodes[pos + A] = cells.a;
        nodes[pos + B] = cells.b;
      } else if (thrown instanceof BuddyError) {
        nodes[pos + KIND] = FAILED;
      } else if (thrown instanceof Error) {
        nodes[pos + KIND] = BROKEN;
        this.#messages.set(node, thrown.message);
      } else {
        throw thrown;
      }
    }
  }
}
