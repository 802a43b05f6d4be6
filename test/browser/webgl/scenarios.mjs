// What the browser test has a real context do with the built package. Runs in the page; returns what the test judges.

import { BufferPool } from 'buddy-allocator/webgl';

const SIZE = 4;

/** A context of its own for each scenario, four pixels wide. `errors()` are those that it has reported. */
function makeContext() {
  const gl = new OffscreenCanvas(SIZE, 1).getContext('webgl2');
  const errors = () => {
    const found = [];
    for (let error = gl.getError(); error !== gl.NO_ERROR; error = gl.getError()) found.push(error);
    return found;
  };
  return { gl, errors };
}

/** A program whose points lie at `position` and have the colour `colour` / 255. */
function makeProgram(gl, colour, declarations) {
  const compile = (type, source) => {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, `#version 300 es\nprecision highp float;\n${source}`);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    return shader;
  };
  const program = gl.createProgram();
  gl.attachShader(
    program,
    compile(
      gl.VERTEX_SHADER,
      `layout(location = 0) in float position;
       layout(location = 1) in float value;
       ${declarations}
       out float shade;
       void main() {
         gl_Position = vec4(position, 0.0, 0.0, 1.0);
         gl_PointSize = 1.0;
         shade = (${colour}) / 255.0;
       }`,
    ),
  );
  gl.attachShader(
    program,
    compile(gl.FRAGMENT_SHADER, 'in float shade; out vec4 result; void main() { result = vec4(shade); }'),
  );
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  gl.useProgram(program);
  return program;
}

/** The red of each pixel. */
function colours(gl) {
  const pixels = new Uint8Array(SIZE * 4);
  gl.readPixels(0, 0, SIZE, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return [...pixels].filter((_, i) => i % 4 === 0);
}

/** The x of the middle of pixel `i`. */
const middle = (i) => (2 * i + 1) / SIZE - 1;

/** The bytes of a range. */
function read(gl, { buffer, offset, size }) {
  const bytes = new Uint8Array(size);
  gl.bindBuffer(gl.COPY_READ_BUFFER, buffer);
  gl.getBufferSubData(gl.COPY_READ_BUFFER, offset, bytes);
  gl.bindBuffer(gl.COPY_READ_BUFFER, null);
  return bytes;
}

const BINDINGS = [
  'ARRAY_BUFFER_BINDING',
  'ELEMENT_ARRAY_BUFFER_BINDING',
  'UNIFORM_BUFFER_BINDING',
  'COPY_READ_BUFFER_BINDING',
  'COPY_WRITE_BUFFER_BINDING',
];

/** Writes ranges, frees most of them, defragments, and looks at what is left. */
export async function writeAndDefragment(target) {
  const { gl, errors } = makeContext();
  const own = BINDINGS.map((name) => {
    const point = gl[name.replace('_BINDING', '')];
    const buffer = gl.createBuffer();
    gl.bindBuffer(point, buffer);
    return buffer;
  });
  const bindingsKept = () => BINDINGS.every((name, i) => gl.getParameter(gl[name]) === own[i]);
  const pool = new BufferPool(gl, { target: gl[target], bufferSize: 65536 });
  let kept = true;
  const items = Array.from({ length: 120 }, (_, i) => {
    const range = pool.alloc(1 + ((i * 1237) % 9000));
    pool.write(range, new Uint8Array(range.size).fill(i));
    kept &&= bindingsKept();
    return { i, range };
  });
  const left = items.filter(({ i }) => i % 4 === 1);
  for (const { i, range } of items) if (i % 4 !== 1) pool.free(range);
  await pool.flush();
  const before = pool.stats();
  let moved = 0;
  for (
    let moves = pool.defragment({ maxMoves: 10 });
    moves.length > 0;
    moves = pool.defragment({ maxMoves: 10 })
  ) {
    moved += moves.length;
    await pool.flush();
  }
  const more = pool.alloc(4000);
  pool.write(more, new Uint8Array(4000).fill(255));
  kept &&= bindingsKept();
  const wrong = left.filter(({ i, range }) => read(gl, range).some((byte) => byte !== i)).map(({ i }) => i);
  const after = pool.stats();
  pool.destroy();
  return { errors: errors(), wrong, checked: left.length, bindingsKept: kept, moved, before, after };
}

const STRIDE = 12;

/** A vertex for pixel `i`: its position, its colour, and four bytes for nothing. */
const vertex = (i, colour) => Float32Array.of(middle(i), colour, 0);

function describeVertices(gl, buffer) {
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.vertexAttribPointer(0, 1, gl.FLOAT, false, STRIDE, 0);
  gl.vertexAttribPointer(1, 1, gl.FLOAT, false, STRIDE, 4);
  gl.enableVertexAttribArray(0);
  gl.enableVertexAttribArray(1);
}

/** One bind; each mesh has its own `first`. */
export async function drawByFirstVertex() {
  const { gl, errors } = makeContext();
  makeProgram(gl, 'value', '');
  const pool = new BufferPool(gl, { target: gl.ARRAY_BUFFER });
  const meshes = [10, 20, 30, 40].map((colour, i) => {
    pool.alloc(4 * (i + 1)); // other things in between
    const range = pool.alloc(STRIDE, { alignment: STRIDE });
    pool.write(range, vertex(i, colour));
    return range;
  });
  describeVertices(gl, meshes[0].buffer);
  for (const { offset } of meshes) gl.drawArrays(gl.POINTS, offset / STRIDE, 1);
  const wholeNumbers = meshes.every(({ offset }) => Number.isInteger(offset / STRIDE));
  return { colours: colours(gl), errors: errors(), wholeNumbers };
}

/** Indexed drawing, after both indices and vertices moved to another place. */
export async function drawIndexed() {
  const { gl, errors } = makeContext();
  makeProgram(gl, 'value', '');
  const vertices = new BufferPool(gl, { target: gl.ARRAY_BUFFER, bufferSize: 2048 });
  const indices = new BufferPool(gl, { target: gl.ELEMENT_ARRAY_BUFFER, bufferSize: 2048 });
  // Something that stays, since a buffer that becomes empty is not filled again.
  const stay = [vertices.alloc(100), indices.alloc(100)];
  const holes = [vertices.alloc(900), indices.alloc(900)];
  const meshes = [10, 20, 30, 40].map((colour, i) => {
    const mesh = {
      vertices: vertices.alloc(50 * STRIDE, { alignment: STRIDE, label: 'vertices' }),
      indices: indices.alloc(300, { label: 'indices' }),
    };
    vertices.write(mesh.vertices, vertex(i, colour));
    return mesh;
  });
  vertices.free(holes[0]);
  indices.free(holes[1]);
  await Promise.all([vertices.flush(), indices.flush()]);
  const filter = (allocation) => !stay.includes(allocation);
  const moves = [...vertices.defragment({ filter }), ...indices.defragment({ filter })];
  for (const mesh of meshes) {
    indices.write(mesh.indices, Uint16Array.of(0));
    describeVertices(gl, mesh.vertices.buffer);
    gl.vertexAttribPointer(0, 1, gl.FLOAT, false, STRIDE, mesh.vertices.offset);
    gl.vertexAttribPointer(1, 1, gl.FLOAT, false, STRIDE, mesh.vertices.offset + 4);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, mesh.indices.buffer);
    gl.drawElements(gl.POINTS, 1, gl.UNSIGNED_SHORT, mesh.indices.offset);
  }
  const moved = new Set(moves.map(({ allocation }) => allocation.label)).size === 2;
  return { colours: colours(gl), errors: errors(), moved };
}

/** A uniform block for each mesh. */
export async function drawUniforms() {
  const { gl, errors } = makeContext();
  const program = makeProgram(gl, 'number', 'layout(std140) uniform Block { float number; float pixel; };');
  gl.uniformBlockBinding(program, gl.getUniformBlockIndex(program, 'Block'), 0);
  const pool = new BufferPool(gl, { target: gl.UNIFORM_BUFFER, usage: gl.DYNAMIC_DRAW });
  for (const [i, colour] of [10, 20, 30, 40].entries()) {
    const range = pool.alloc(8);
    pool.write(range, Float32Array.of(colour, i));
    gl.bindBufferRange(gl.UNIFORM_BUFFER, 0, range.buffer, range.offset, range.size);
    gl.vertexAttrib1f(0, middle(i));
    gl.drawArrays(gl.POINTS, 0, 1);
  }
  return { colours: colours(gl), errors: errors() };
}

/** A request for which there is no memory. */
export async function outOfMemory() {
  const { gl, errors } = makeContext();
  const pool = new BufferPool(gl, { target: gl.ARRAY_BUFFER });
  const first = pool.alloc(4) !== null;
  // Stands for a device that is out of memory: the driver here would take it from the whole machine.
  gl.bufferData = (target, size, usage) =>
    WebGL2RenderingContext.prototype.bufferData.call(gl, target, size - 4, usage);
  const last = pool.alloc(2 ** 25);
  return { errors: errors(), first, last };
}

/** Loses a context and gets it back. */
export async function lose() {
  const { gl } = makeContext();
  const pool = new BufferPool(gl, { target: gl.ARRAY_BUFFER });
  pool.free(pool.alloc(16));
  const flushed = pool.flush();
  const extension = gl.getExtension('WEBGL_lose_context');
  const event = (type) => new Promise((resolve) => gl.canvas.addEventListener(type, resolve, { once: true }));
  gl.canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
  const isLost = event('webglcontextlost');
  extension.loseContext();
  const code = () => {
    try {
      pool.alloc(16);
      return 'no error';
    } catch (error) {
      return error.code;
    }
  };
  const first = code();
  await isLost;
  await flushed;
  const isRestored = event('webglcontextrestored');
  await new Promise((resolve) => setTimeout(resolve));
  extension.restoreContext();
  await isRestored;
  const second = code();
  pool.destroy();
  return [first, second, new BufferPool(gl, { target: gl.ARRAY_BUFFER }).alloc(4) !== null];
}

/** Runs a module that finds a context in the global `gl`; returns what went wrong. */
export async function runModule(text) {
  const { gl, errors } = makeContext();
  const failures = [];
  const { assert } = console;
  globalThis.gl = gl;
  console.assert = (holds, ...rest) => {
    if (!holds) failures.push(`an assertion fails: ${rest.join(' ')}`);
  };
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  try {
    await import(url);
  } catch (error) {
    failures.push(String(error));
  } finally {
    URL.revokeObjectURL(url);
    console.assert = assert;
  }
  return [...failures, ...errors().map((error) => `WebGL error ${error}`)];
}
