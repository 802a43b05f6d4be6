// A page in Chromium with WebGL 2, drawn by software, so that no GPU is needed.

import type { Setting } from '../scenarios.ts';

export const WEBGL: Setting = {
  api: 'webgl',
  args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  probe: 'new OffscreenCanvas(1, 1).getContext("webgl2") !== null',
  absent: 'Chromium has no WebGL 2 here',
};
