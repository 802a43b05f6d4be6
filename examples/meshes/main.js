// Adds and removes meshes, draws them by WebGL 2 or WebGPU, and shows where they lie in their buffers.

import { BUFFER_SIZE, polygon, STRIDE } from './meshes.js';

const COUNT = 400;
const CHANGES_A_FRAME = 4;

const $ = (id) => document.getElementById(id);
const meshes = [];
let moved = 0;
let frames = 0;

function add(pool) {
  const data = polygon();
  const range = pool.alloc(data.byteLength, { alignment: STRIDE });
  if (range === null) return false;
  pool.write(range, data);
  meshes.push({
    range,
    vertices: data.byteLength / STRIDE,
    colour: `rgb(${data.slice(2, 5).map((c) => c * 510)})`,
  });
  return true;
}

function remove(pool, index) {
  const [{ range }] = meshes.splice(index, 1);
  pool.free(range); // the commands that use it are submitted; flush makes it reusable once they have run
}

function drawRanges() {
  const canvas = $('ranges');
  const context = canvas.getContext('2d');
  const buffers = [...new Set(meshes.map(({ range }) => range.buffer))];
  const height = canvas.height / Math.max(4, buffers.length);
  context.fillStyle = '#2b3138';
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const { range, colour } of meshes) {
    context.fillStyle = colour;
    const x = (range.offset / BUFFER_SIZE) * canvas.width;
    const width = (range.size / BUFFER_SIZE) * canvas.width;
    context.fillRect(x, buffers.indexOf(range.buffer) * height, Math.max(1, width - 0.5), height - 2);
  }
}

function show(pool) {
  const { buffers, used } = pool.stats();
  const figures = { frames, meshes: meshes.length, buffers, used: Math.round(used / 1024), moved };
  for (const [id, value] of Object.entries(figures)) $(id).textContent = String(value);
}

async function main() {
  const api = new URLSearchParams(location.search).get('api') === 'webgpu' ? 'webgpu' : 'webgl';
  $('api').textContent = api === 'webgpu' ? 'WebGPU' : 'WebGL 2';
  const { start } = await import(`./${api}.js`);
  const { pool, draw, defragment } = await start($('scene'));
  let wanted = COUNT;
  $('half').onclick = () => {
    for (let i = meshes.length - 1; i >= 0; i -= 2) remove(pool, i);
    wanted = meshes.length;
  };
  $('defragment').onclick = () => {
    moved += defragment().length;
  };
  requestAnimationFrame(function frame() {
    for (let i = 0; i < CHANGES_A_FRAME && meshes.length > 0; i++) {
      if (meshes.length >= wanted) remove(pool, Math.floor(Math.random() * meshes.length));
    }
    while (meshes.length < wanted && add(pool));
    draw(meshes);
    frames++;
    drawRanges();
    show(pool);
    requestAnimationFrame(frame);
  });
}

main().catch((error) => {
  $('problem').textContent = error.message;
  $('problem').hidden = false;
});
