// The meshes by WebGL 2: one vertex array for each buffer, and a draw call for each mesh, told apart by its first vertex.

import { BufferPool } from 'buddy-allocator/webgl';
import { BUFFER_SIZE, STRIDE } from './meshes.js';

const VERTEX = `#version 300 es
layout(location = 0) in vec2 position;
layout(location = 1) in vec3 colour;
out vec3 c;
void main() { c = colour; gl_Position = vec4(position, 0, 1); }`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 c;
out vec4 result;
void main() { result = vec4(c, 1); }`;

export async function start(canvas) {
  const gl = canvas.getContext('webgl2');
  if (gl === null) throw new Error('This browser has no WebGL 2.');
  const pool = new BufferPool(gl, { target: gl.ARRAY_BUFFER, bufferSize: BUFFER_SIZE });

  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  gl.useProgram(program);

  const arrays = new Map();
  const arrayFor = (buffer) => {
    if (arrays.has(buffer)) return arrays.get(buffer);
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, STRIDE, 0);
    gl.vertexAttribPointer(1, 3, gl.FLOAT, false, STRIDE, 8);
    for (const index of [0, 1]) gl.enableVertexAttribArray(index);
    arrays.set(buffer, array);
    return array;
  };

  return {
    pool,
    draw(meshes) {
      gl.clearColor(0.08, 0.09, 0.11, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
      for (const { range, vertices } of meshes) {
        gl.bindVertexArray(arrayFor(range.buffer));
        gl.drawArrays(gl.TRIANGLES, range.offset / STRIDE, vertices);
      }
      pool.flush();
      // A vertex array keeps its buffer alive, so those of buffers that are gone go, too.
      const live = new Set([...pool.ranges()].map(({ buffer }) => buffer));
      for (const [buffer, array] of arrays) {
        if (live.has(buffer)) continue;
        gl.deleteVertexArray(array);
        arrays.delete(buffer);
      }
    },
    defragment: (limits) => pool.defragment(limits),
  };
}
