// The meshes by WebGPU: a buffer is bound once for all meshes in it, and a draw call names the first vertex of its mesh.

import { BufferPool } from 'buddy-allocator/webgpu';
import { BUFFER_SIZE, STRIDE } from './meshes.js';

const SHADER = `
  struct Out { @builtin(position) position: vec4f, @location(0) colour: vec3f }
  @vertex fn place(@location(0) position: vec2f, @location(1) colour: vec3f) -> Out {
    return Out(vec4f(position, 0, 1), colour);
  }
  @fragment fn paint(@location(0) colour: vec3f) -> @location(0) vec4f { return vec4f(colour, 1); }`;

export async function start(canvas) {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU.');
  const device = await adapter.requestDevice();
  const { COPY_DST, COPY_SRC, VERTEX } = GPUBufferUsage;
  const pool = new BufferPool(device, { usage: VERTEX | COPY_SRC | COPY_DST, bufferSize: BUFFER_SIZE });

  const context = canvas.getContext('webgpu');
  const format = navigator.gpu.getPreferredCanvasFormat();
  context.configure({ device, format });
  const module = device.createShaderModule({ code: SHADER });
  const attributes = [
    { shaderLocation: 0, offset: 0, format: 'float32x2' },
    { shaderLocation: 1, offset: 8, format: 'float32x3' },
  ];
  const pipeline = device.createRenderPipeline({
    layout: 'auto',
    vertex: { module, buffers: [{ arrayStride: STRIDE, attributes }] },
    fragment: { module, targets: [{ format }] },
  });

  return {
    pool,
    draw(meshes) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginRenderPass({
        colorAttachments: [
          {
            view: context.getCurrentTexture().createView(),
            clearValue: [0.08, 0.09, 0.11, 1],
            loadOp: 'clear',
            storeOp: 'store',
          },
        ],
      });
      pass.setPipeline(pipeline);
      let bound;
      for (const { range, vertices } of meshes) {
        if (range.buffer !== bound) pass.setVertexBuffer(0, range.buffer);
        bound = range.buffer;
        pass.draw(vertices, 1, range.offset / STRIDE);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
      pool.flush();
    },
    defragment(limits) {
      const encoder = device.createCommandEncoder();
      const moves = pool.defragment(encoder, limits);
      device.queue.submit([encoder.finish()]);
      pool.flush();
      return moves;
    },
  };
}
