// What the browser test has a real device do with the built package. Runs in the page; returns what the test judges.

import { BufferPool } from 'buddy-allocator/webgpu';

const { COPY_DST, COPY_SRC, INDEX, MAP_READ, STORAGE, UNIFORM, VERTEX } = GPUBufferUsage;

/** Adds `increment` to each number, and multiplies by `factor`. */
const SHADER = `
struct Parameters { factor: u32, increment: u32 }
@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;
@group(0) @binding(1) var<uniform> parameters: Parameters;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&numbers)) {
    numbers[id.x] = (numbers[id.x] + parameters.increment) * parameters.factor;
  }
}`;

/** A device of its own for each scenario; whatever it finds invalid is in `errors`. */
async function makeDevice() {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  const errors = [];
  device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message));
  return { device, errors };
}

/** The pipeline, whose two bindings have dynamic offsets. */
function makePipeline(device) {
  const buffer = (type) => ({ type, hasDynamicOffset: true });
  const layout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: buffer('storage') },
      { binding: 1, visibility: GPUShaderStage.COMPUTE, buffer: buffer('uniform') },
    ],
  });
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code: SHADER }) },
  });
  return { layout, pipeline };
}

/** Runs the shader on each of `items`, every range bound by its dynamic offset. */
function dispatchAll(device, { layout, pipeline }, items) {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  for (const { numbers, parameters } of items) {
    const group = device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: numbers.buffer, size: numbers.size } },
        { binding: 1, resource: { buffer: parameters.buffer, size: parameters.size } },
      ],
    });
    pass.setBindGroup(0, group, [numbers.offset, parameters.offset]);
    pass.dispatchWorkgroups(Math.ceil(numbers.size / 4 / 64));
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
}

/** The numbers in a range. */
async function read(device, { buffer, offset, size }) {
  const staging = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const numbers = [...new Uint32Array(staging.getMappedRange())];
  staging.destroy();
  return numbers;
}

const write = (device, { buffer, offset }, numbers) =>
  device.queue.writeBuffer(buffer, offset, Uint32Array.from(numbers));

/** Computes on suballocated ranges, frees half of them, defragments, and computes on what is left. */
export async function computeAroundDefragment() {
  const { device, errors } = await makeDevice();
  const storage = new BufferPool(device, { usage: STORAGE | COPY_SRC | COPY_DST, bufferSize: 65536 });
  const uniform = new BufferPool(device, { usage: UNIFORM | COPY_SRC | COPY_DST, bufferSize: 65536 });
  const pipeline = makePipeline(device);

  const items = Array.from({ length: 120 }, (_, i) => {
    const count = 1 + ((i * 37) % 600);
    const numbers = storage.alloc(count * 4);
    const parameters = uniform.alloc(8);
    write(device, numbers, Array(count).fill(i));
    write(device, parameters, [3, i]);
    return { i, count, numbers, parameters };
  });
  dispatchAll(device, pipeline, items);

  const kept = items.filter(({ i }) => i % 4 === 1);
  for (const { i, numbers, parameters } of items) {
    if (i % 4 === 1) continue;
    storage.free(numbers);
    uniform.free(parameters);
  }
  await Promise.all([storage.flush(), uniform.flush()]);
  const before = storage.stats();

  const encoder = device.createCommandEncoder();
  const moves = [...storage.defragment(encoder), ...uniform.defragment(encoder)];
  device.queue.submit([encoder.finish()]);
  await Promise.all([storage.flush(), uniform.flush()]);
  const after = storage.stats();

  dispatchAll(device, pipeline, kept);
  const wrong = [];
  for (const { i, count, numbers } of kept) {
    const found = await read(device, numbers);
    const expected = ((i + i) * 3 + i) * 3;
    if (found.length !== count || found.some((number) => number !== expected))
      wrong.push({ i, expected, found });
  }
  const moved = {
    between: moves.filter(({ source, destination }) => source.buffer !== destination.buffer).length,
    within: moves.filter(({ source, destination }) => source.buffer === destination.buffer).length,
  };
  storage.destroy();
  uniform.destroy();
  device.destroy();
  return { errors, wrong, checked: kept.length, moved, before, after };
}

/** Gives an allocation to createBindGroup as it is. */
export async function allocationAsBinding() {
  const { device, errors } = await makeDevice();
  const storage = new BufferPool(device, { usage: STORAGE | COPY_SRC | COPY_DST });
  const uniform = new BufferPool(device, { usage: UNIFORM | COPY_DST });
  storage.alloc(4);
  const numbers = storage.alloc(40);
  const parameters = uniform.alloc(8);
  write(device, numbers, Array(10).fill(4));
  write(device, parameters, [10, 1]);
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: SHADER }) },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: numbers },
      { binding: 1, resource: parameters },
    ],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const result = { found: await read(device, numbers), offset: numbers.offset, errors };
  device.destroy();
  return result;
}

/**
 * Encodes a copy out of a range, frees the range, writes to a new one, and only then submits. `careless` writes where a range
 * would lie if the freed one were reused at once: what then happens shows that the order matters.
 */
export async function writeBeforeSubmit(careless) {
  const { device, errors } = await makeDevice();
  const pool = new BufferPool(device, { usage: STORAGE | COPY_SRC | COPY_DST, bufferSize: 65536 });
  const old = pool.alloc(16);
  const place = { buffer: old.buffer, offset: old.offset };
  write(device, old, [1, 1, 1, 1]);
  const results = device.createBuffer({ size: 16, usage: COPY_SRC | COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(place.buffer, place.offset, results, 0, 16);
  pool.free(old);
  const next = pool.alloc(16);
  write(device, careless ? place : next, [2, 2, 2, 2]);
  device.queue.submit([encoder.finish()]);
  await pool.flush();
  const reused = pool.alloc(16);
  const found = await read(device, { buffer: results, offset: 0, size: 16 });
  const result = { found, next: next.offset, old: place.offset, reused: reused.offset, errors };
  device.destroy();
  return result;
}

/** What of the rules that the documentation states this browser enforces. */
export async function rules() {
  const { device, errors } = await makeDevice();
  const pool = new BufferPool(device, { usage: STORAGE | UNIFORM | COPY_SRC | COPY_DST });
  const [a, b] = [pool.alloc(256), pool.alloc(256)];
  const isValid = async (action) => {
    device.pushErrorScope('validation');
    const encoder = device.createCommandEncoder();
    action(encoder);
    device.queue.submit([encoder.finish()]);
    return (await device.popErrorScope()) === null;
  };
  const dispatch = (access) => (encoder) => {
    const code = `@group(0) @binding(0) var<${access}> a: array<vec4u, 16>;
      @group(0) @binding(1) var<storage, read_write> b: array<vec4u, 16>;
      @compute @workgroup_size(1) fn main() { b[0] = a[0]; }`;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const entries = [
      { binding: 0, resource: a },
      { binding: 1, resource: b },
    ];
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
  };
  const result = {
    copyWithinBuffer: await isValid((encoder) =>
      encoder.copyBufferToBuffer(a.buffer, a.offset, b.buffer, b.offset, 256),
    ),
    twoWritable: await isValid(dispatch('storage, read_write')),
    readAndWritable: await isValid(dispatch('storage, read')),
    uniformAndWritable: await isValid(dispatch('uniform')),
    errors,
  };
  device.destroy();
  return result;
}

/** Draws four meshes, a point each, with one bind for all: each has its own firstIndex and baseVertex. */
export async function drawByBaseVertex() {
  const { device, errors } = await makeDevice();
  const stride = 20;
  const vertices = new BufferPool(device, { usage: VERTEX | COPY_DST });
  const indices = new BufferPool(device, { usage: INDEX | COPY_DST });
  const meshes = [10, 20, 30, 40].map((colour, i) => {
    const mesh = {
      vertices: vertices.alloc((i + 1) * stride, { alignment: stride }),
      indices: indices.alloc(2 * (i + 1)),
    };
    vertices.alloc(4); // Something else in between.
    const data = new Float32Array(5 * (i + 1));
    data.set([(2 * i + 1) / 4 - 1, colour / 255], 5 * i); // the last vertex
    vertices.write(mesh.vertices, data);
    indices.write(mesh.indices, Uint16Array.of(...Array(i).fill(7), i));
    return { ...mesh, i };
  });
  const module = device.createShaderModule({
    code: `
      struct Out { @builtin(position) position: vec4f, @location(0) shade: f32 }
      @vertex fn place(@location(0) v: vec2f) -> Out { return Out(vec4f(v.x, 0, 0, 1), v.y); }
      @fragment fn paint(in: Out) -> @location(0) vec4f { return vec4f(in.shade); }`,
  });
  const attributes = [{ shaderLocation: 0, offset: 0, format: 'float32x2' }];
  const pipeline = device.createRenderPipeline({
    layout: 'auto',
    vertex: { module, buffers: [{ arrayStride: stride, attributes }] },
    fragment: { module, targets: [{ format: 'r8unorm' }] },
    primitive: { topology: 'point-list' },
  });
  const { COPY_SRC: READ, RENDER_ATTACHMENT } = GPUTextureUsage;
  const texture = device.createTexture({ size: [4, 1], format: 'r8unorm', usage: READ | RENDER_ATTACHMENT });
  const pixels = device.createBuffer({ size: 256, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginRenderPass({
    colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store' }],
  });
  pass.setPipeline(pipeline);
  pass.setVertexBuffer(0, meshes[0].vertices.buffer);
  pass.setIndexBuffer(meshes[0].indices.buffer, 'uint16');
  for (const mesh of meshes) {
    pass.drawIndexed(1, 1, mesh.indices.offset / 2 + mesh.i, mesh.vertices.offset / stride);
  }
  pass.end();
  encoder.copyTextureToBuffer({ texture }, { buffer: pixels }, [4, 1]);
  device.queue.submit([encoder.finish()]);
  await pixels.mapAsync(GPUMapMode.READ);
  const colours = [...new Uint8Array(pixels.getMappedRange(0, 4))];
  device.destroy();
  return { errors, colours };
}

/** Binds the largest range of each kind that the pool allows, and asks for one that is larger. */
export async function bindingLimits() {
  const { device, errors } = await makeDevice();
  const messages = [];
  for (const [type, usage, limit] of [
    ['uniform', UNIFORM, 'maxUniformBufferBindingSize'],
    ['storage', STORAGE, 'maxStorageBufferBindingSize'],
  ]) {
    const pool = new BufferPool(device, { usage });
    const layout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type } }],
    });
    const resource = pool.alloc(device.limits[limit]);
    device.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
    try {
      pool.alloc(device.limits[limit] + 1);
    } catch (error) {
      messages.push(error instanceof RangeError && error.message.includes(limit));
    }
  }
  await device.queue.onSubmittedWorkDone();
  device.destroy();
  return { errors, messages };
}

/** Loses the device. */
export async function lose() {
  const { device } = await makeDevice();
  const pool = new BufferPool(device, { usage: STORAGE });
  pool.free(pool.alloc(16));
  const flushed = pool.flush();
  device.destroy();
  await flushed;
  await device.lost;
  try {
    pool.alloc(16);
    return 'no error';
  } catch (error) {
    pool.destroy();
    return error.code;
  }
}

/** Runs a module that finds a device in the global `device`; returns what went wrong. */
export async function runModule(text) {
  const { device, errors } = await makeDevice();
  const { assert } = console;
  globalThis.device = device;
  console.assert = (holds, ...rest) => {
    if (!holds) errors.push(`an assertion fails: ${rest.join(' ')}`);
  };
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  try {
    await import(url);
    await device.queue.onSubmittedWorkDone();
  } catch (error) {
    errors.push(String(error));
  } finally {
    URL.revokeObjectURL(url);
    console.assert = assert;
    device.destroy();
  }
  return errors;
}
