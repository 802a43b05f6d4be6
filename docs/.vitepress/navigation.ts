// What stands in the sidebar, in which order.

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A page, or a heading with pages below it. */
export interface Entry {
  readonly text: string;
  readonly link?: string;
  readonly items?: Entry[];
  readonly collapsed?: boolean;
}

/** The sections that are written by hand. Every page of docs/ has its place here. */
export const sections: Entry[] = [
  {
    text: 'Start',
    items: [
      { text: 'Overview', link: '/' },
      { text: 'Choosing an allocator', link: '/choosing' },
      { text: 'Examples', link: '/examples' },
    ],
  },
  {
    text: 'Guide',
    items: [
      { text: 'BuddyAllocator: offsets', link: '/api' },
      { text: 'Heap: malloc', link: '/heap' },
      { text: 'WebAssembly', link: '/webassembly' },
      { text: 'Many workers', link: '/shared' },
      { text: 'Many workers: malloc', link: '/shared-heap' },
      { text: 'Many processes', link: '/replicated' },
      { text: 'CIDR prefixes', link: '/prefixes' },
      { text: 'WebGPU', link: '/webgpu' },
      { text: 'WebGPU: data of one frame', link: '/frame-pool' },
      { text: 'WebGL', link: '/webgl' },
      { text: 'In place of @thi.ng/malloc', link: '/mempool' },
      { text: 'Finding memory bugs', link: '/debug' },
    ],
  },
  {
    text: 'Tools',
    items: [
      { text: 'The buddy command', link: '/cli' },
      { text: 'Advice for a program', link: '/advise' },
      { text: 'Traces', link: '/traces' },
      { text: 'Recording from JavaScript', link: '/record' },
      { text: 'Recording a native program', link: '/recording' },
      { text: 'Playground', link: '/playground' },
    ],
  },
  {
    text: 'Inside',
    items: [
      { text: 'How it works', link: '/algorithm' },
      { text: 'How a Heap works', link: '/slabs' },
      { text: 'Performance', link: '/performance' },
      { text: 'Without locks', link: '/concurrency' },
      { text: 'Testing', link: '/testing' },
      { text: 'Runtimes', link: '/runtimes' },
      { text: 'Benchmarks', link: '/benchmarks' },
    ],
  },
];

/** The reference that TypeDoc has written to `folder`: a page for each entry point, below it one for each class. */
export function referenceSection(folder: string, entryPoints: readonly string[]): Entry {
  return {
    text: 'Reference',
    items: entryPoints.map((name) => ({
      text: name,
      link: `/${basename(folder)}/${name}/`,
      collapsed: true,
      items: classPages(join(folder, name)).map((page) => ({
        text: page,
        link: `/${basename(folder)}/${name}/classes/${page}`,
      })),
    })),
  };
}

function classPages(folder: string): string[] {
  return readdirSync(join(folder, 'classes')).map((file) => basename(file, '.md'));
}
