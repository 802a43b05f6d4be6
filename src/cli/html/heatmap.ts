// The memory map over time as a PNG: a column a sample, a row a region, as opaque as the region was full.

import { deflateSync } from 'node:zlib';
import type { Sample } from '../../trace.ts';

const COLOR = [0x2f, 0x6f, 0xde];
// What is in use at all must be seen; the rest of the scale is linear in fullness.
const FAINTEST = 48;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** The image as a data URL. Time runs to the right and addresses upwards; empty regions are transparent. */
export function heatmap(samples: readonly Sample[]): string {
  const width = samples.length;
  const height = samples[0].map.length;
  // A row is a filter byte (0: none) and an index into the palette for every pixel.
  const rows = Buffer.alloc(height * (width + 1));
  samples.forEach(({ map }, x) => {
    map.forEach((full, region) => {
      rows[(height - 1 - region) * (width + 1) + 1 + x] = Math.ceil(full * 255);
    });
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8); // 8 bits a pixel, palette
  const opacity = Array.from({ length: 256 }, (_, i) =>
    i === 0 ? 0 : FAINTEST + (i * (255 - FAINTEST)) / 255,
  );
  const png = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(Array.from({ length: 256 }, () => COLOR).flat())),
    chunk('tRNS', Buffer.from(opacity)),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return `data:image/png;base64,${png.toString('base64')}`;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}
