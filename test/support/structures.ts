// What the tests of structures on a SharedHeap need, to be bundled as one module, because the package of the structures is in
// TypeScript: the classes, and what a worker does to structures of its own beside a model of them.

import assert from 'node:assert/strict';
import {
  SharedList,
  SharedMap,
  SharedVector,
  type StructureAddress,
  type StructureMemory,
} from '../../bench/shared/peer.mjs';
import { Random } from './random.ts';

export { AllocatedMemory, SharedList, SharedMap, SharedVector } from '../../bench/shared/peer.mjs';
export { REACH, SharedHeapMemory } from '../../bench/shared-heap/structures/memory.ts';
export { SharedHeap } from '../../src/shared.ts';

/** A map of more would replace its table by a larger one, and never free the old one. */
const MOST_KEYS = 19;

/** Structures, and what must be in them. Can be posted. */
export interface Filled {
  readonly list: StructureAddress;
  readonly map: StructureAddress;
  readonly vector: StructureAddress;
  readonly listed: readonly number[];
  readonly mapped: ReadonlyMap<number, number>;
  readonly pushed: readonly number[];
}

const listOf = (list: SharedList): number[] => Array.from(list, ({ data }) => data[0]);

const vectorOf = (vector: SharedVector): number[] => Array.from(vector, ([value]) => value);

/** Makes a list, a map and a vector, and changes them `operations` times at random. Throws if they are not as their models. */
export function fillStructures(memory: StructureMemory, seed: number, operations: number): Filled {
  const random = new Random(seed);
  const list = new SharedList(memory);
  const map = new SharedMap<number>(memory);
  let vector = new SharedVector(memory);
  const listed: number[] = [];
  const mapped = new Map<number, number>();
  let pushed: number[] = [];
  for (let n = 0; n < operations; n++) {
    const value = random.below(2 ** 32);
    const key = random.below(MOST_KEYS);
    switch (random.below(6)) {
      case 0:
        list.insert(value);
        listed.push(value);
        break;
      case 1: {
        const index = random.below(listed.length + 1);
        assert.equal(list.deleteIndex(index), listed.splice(index, 1).length === 1);
        break;
      }
      case 2:
        map.set(key, value);
        mapped.set(key, value);
        break;
      case 3:
        assert.equal(map.delete(key), mapped.delete(key));
        break;
      case 4:
        assert.equal(map.get(key), mapped.get(key));
        assert.equal(map.length, mapped.size);
        break;
      default:
        if (pushed.length > 0 && value % 4 === 0) {
          assert.deepEqual([...vector.pop()], [pushed.pop()]);
        } else if (pushed.length === 300) {
          vector.free();
          vector = new SharedVector(memory);
          pushed = [];
        } else {
          vector.push(value);
          pushed.push(value);
        }
    }
    if (n % 64 === 0) {
      assert.deepEqual(listOf(list), listed);
      assert.deepEqual(vectorOf(vector), pushed);
    }
  }
  const [atList, atMap, atVector] = [list, map, vector].map((one) => one.getSharedMemory());
  return { list: atList, map: atMap, vector: atVector, listed, mapped, pushed };
}

/** What is in structures that another worker has made, in the form of the models. */
export function readStructures(
  memory: StructureMemory,
  filled: Filled,
): Pick<Filled, 'listed' | 'mapped' | 'pushed'> {
  const map = new SharedMap<number>(memory, filled.map);
  const keys = Array.from({ length: MOST_KEYS }, (_, key) => key).filter((key) => map.has(key));
  return {
    listed: listOf(new SharedList(memory, filled.list)),
    mapped: new Map(keys.map((key) => [key, map.get(key) as number])),
    pushed: vectorOf(new SharedVector(memory, filled.vector)),
  };
}

/** Frees structures, whoever has made them. */
export function freeStructures(memory: StructureMemory, { list, map, vector }: Filled): void {
  new SharedList(memory, list).free();
  new SharedMap(memory, map).free();
  new SharedVector(memory, vector).free();
}
