// What the first page of the site shows above docs/README.md.

/** Frontmatter of VitePress's home layout. */
export const home = {
  layout: 'home',
  hero: {
    name: 'buddy-allocator',
    text: 'Big memory in JavaScript',
    tagline:
      'The binary buddy system: exact placement, bounded alloc and free, all state in one ArrayBuffer.',
    image: { src: '/logo.svg', alt: 'A block split into buddies, twice' },
    actions: [
      { theme: 'brand', text: 'Get started', link: '/api' },
      { theme: 'alt', text: 'Is it the right one?', link: '/choosing' },
      { theme: 'alt', text: 'How it works', link: '/algorithm' },
    ],
  },
  features: [
    {
      title: 'Fast',
      details: 'Three to four times as fast as the classic tree of bytes in C, replaying real programs.',
      link: '/performance',
    },
    {
      title: 'Small',
      details: '0.28 bytes of state a unit. An arena of 2^26 units is there in about a millisecond.',
      link: '/algorithm#what-it-takes',
    },
    {
      title: 'malloc',
      details: 'Heap: typed arrays, realloc, scopes and growth, over an ArrayBuffer or a WebAssembly memory.',
      link: '/heap',
    },
    {
      title: 'Many workers',
      details: 'One SharedArrayBuffer, no locks: a worker that dies never stops another.',
      link: '/shared',
    },
    {
      title: 'WebGPU',
      details: 'Ranges of GPUBuffers, freed when the queue is done with them, and defragmented.',
      link: '/webgpu',
    },
    {
      title: 'Strict',
      details:
        'A double free, an interior pointer or a damaged buffer is an error with a stable code, and not a byte changed.',
      link: '/api#errors',
    },
  ],
};
