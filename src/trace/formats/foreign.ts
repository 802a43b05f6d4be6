// Files that are not traces: what they begin with, and what to call them.

/** Bytes that a kind of file has at a place, as one character per byte. */
interface Mark {
  readonly bytes: string;
  /** Default 0. */
  readonly offset?: number;
  /** The file in words. */
  readonly is: string;
}

const MARKS: readonly Mark[] = [
  { bytes: '\x1f\x8b\x08', is: 'packed with gzip twice: unpack it first' },
  { bytes: '\xfd7zXZ\0', is: 'packed with xz: unpack it first' },
  { bytes: '\x28\xb5\x2f\xfd', is: 'packed with zstd: unpack it first' },
  { bytes: '\x04\x22\x4d\x18', is: 'packed with lz4: unpack it first' },
  { bytes: 'BZh', is: 'packed with bzip2: unpack it first' },
  { bytes: '\x1f\x9d\x90', is: 'packed with compress: unpack it first' },
  { bytes: 'PK\x03\x04', is: 'a zip archive: unpack it first' },
  { bytes: '7z\xbc\xaf\x27\x1c', is: 'a 7-Zip archive: unpack it first' },
  { bytes: 'ustar', offset: 257, is: 'a tar archive: unpack it first' },
  { bytes: '\x7fELF', is: 'an ELF program or library, not a recording of it' },
  { bytes: 'MZ\x90\0', is: 'a Windows program or library, not a recording of it' },
  { bytes: '\xcf\xfa\xed\xfe', is: 'a Mach-O program or library, not a recording of it' },
  { bytes: '\0asm', is: 'a WebAssembly module, not a recording of it' },
  { bytes: '\x89PNG', is: 'a PNG image' },
  { bytes: '\xff\xd8\xff', is: 'a JPEG image' },
  { bytes: '%PDF-', is: 'a PDF document' },
  { bytes: 'SQLite format 3\0', is: 'an SQLite database' },
  {
    bytes: '{"dhatFileVersion":',
    is:
      'a profile of DHAT, which has sums for each place in the program, but not the order of the allocations and frees: ' +
      'record the program with valgrind --trace-malloc=yes instead',
  },
];

/** Bytes in which text of UTF-16 without a byte order mark shows: eight characters. */
const WIDE_BYTES = 16;

/** A file that is known not to be a trace, in words; undefined if these bytes may be one. O(1). */
export function foreignFile(bytes: Uint8Array): string | undefined {
  const mark = MARKS.find(({ bytes: wanted, offset = 0 }) =>
    [...wanted].every((char, i) => bytes[offset + i] === char.charCodeAt(0)),
  );
  return mark?.is ?? (isWideText(bytes) ? 'text in UTF-16: convert it to UTF-8 first' : undefined);
}

/** Whether the bytes begin like text of UTF-16, of either byte order, in ASCII characters. */
function isWideText(bytes: Uint8Array): boolean {
  const marked = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const head = marked ? bytes.subarray(2, 4) : bytes.subarray(0, WIDE_BYTES);
  const zeros = (parity: number): boolean =>
    head.every((byte, i) => (i % 2 === parity ? byte === 0 : isTextByte(byte) && byte < 0x80));
  return head.length === (marked ? 2 : WIDE_BYTES) && (zeros(0) || zeros(1));
}

/** Whether text has such bytes. It has no control characters but tab and line ends, and UTF-8 never has a byte 0xff. */
export function isTextByte(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0xff) || byte === 9 || byte === 10 || byte === 13;
}
