// A page in Chromium with WebGPU, by way of its software adapter, so that no GPU is needed.

import type { Setting } from '../scenarios.ts';

export const WEBGPU: Setting = {
  api: 'webgpu',
  args: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  probe: 'navigator.gpu?.requestAdapter().then((adapter) => adapter !== null)',
  absent: 'Chromium has no WebGPU adapter here',
};
