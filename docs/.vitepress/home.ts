// What the first page of the site shows above docs/README.md.

/** Frontmatter of VitePress's home layout. */
export const home = {
  layout: 'home',
  hero: {
    name: 'buddy-allocator',
    text: 'Big memory in JavaScript',
    tagline:
      'malloc and free in an ArrayBuffer, a WebAssembly memory or memory that workers share; ranges of GPU buffers; offsets in anything that is counted.',
    image: { src: '/logo.svg', alt: 'A block split into buddies, twice' },
    actions: [
      { theme: 'brand', text: 'Which part do I need?', link: '/#which-part-do-i-need' },
      { theme: 'alt', text: 'Is it the right one?', link: '/choosing' },
      { theme: 'alt', text: 'Examples', link: '/examples' },
    ],
  },
  features: [
    {
      title: 'malloc',
      details: 'Heap: typed arrays, realloc, scopes and growth, over an ArrayBuffer or a WebAssembly memory.',
      link: '/heap',
    },
    {
      title: 'Many workers',
      details: 'One SharedArrayBuffer, no locks: a worker that dies never stops another.',
      link: '/shared-heap',
    },
    {
      title: 'GPU',
      details:
        'Exact ranges of WebGPU and WebGL buffers, reused when the queue is done with them, and defragmented.',
      link: '/webgpu',
    },
    {
      title: 'Fast',
      details:
        'Heap: 26 times as fast as @thi.ng/malloc, 1.3 times as fast as dlmalloc in WebAssembly, on traces of programs.',
      link: '/benchmarks#heap',
    },
    {
      title: 'Small',
      details: 'No dependencies. 7 to 21 kB by part. 0.28 bytes of state per unit, all in one ArrayBuffer.',
      link: '/algorithm#what-it-takes',
    },
    {
      title: 'Strict',
      details:
        'A double free, an interior pointer or a damaged buffer is an error with a stable code, and not a byte is changed.',
      link: '/api#errors',
    },
  ],
};
