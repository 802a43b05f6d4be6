// CIDR prefixes as numbers, and as text (RFC 4632; RFC 4291, 2.3; spelled as in RFC 5952).

import { ipVersion, parseIp, stringifyIp } from 'ip-bigint';

/** The addresses from `first` on whose leading `length` bits are those of `first`. Its other bits are zero. */
export interface Prefix {
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly length: number;
}

/** Bits of an address. */
export function bitsOf(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}

/**
 * The address in `text`, as a prefix of full length.
 *
 * @throws TypeError if `text` is not a string.
 * @throws RangeError if it is not an address, or one with a zone.
 */
export function parseAddress(text: string): Prefix {
  if (typeof text !== 'string') throw new TypeError(`an address must be of type string, not ${typeof text}`);
  const [version, first] = addressIn(text) ?? [];
  if (version === undefined || first === undefined)
    throw new RangeError(`${JSON.stringify(text)} is not an IP address`);
  return { version, first, length: bitsOf(version) };
}

/**
 * The prefix in `text`.
 *
 * @throws TypeError if `text` is not a string.
 * @throws RangeError if it is not an address, a slash and a length in decimal; or if host bits are set, with the prefix
 * that may have been meant.
 */
export function parsePrefix(text: string): Prefix {
  if (typeof text !== 'string') throw new TypeError(`a prefix must be of type string, not ${typeof text}`);
  const [, address = '', digits = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const [version, first] = addressIn(address) ?? [];
  const length = Number(digits);
  if (version === undefined || first === undefined || length > bitsOf(version)) {
    throw new RangeError(`${JSON.stringify(text)} is not a prefix, such as 10.0.0.0/8 or 2001:db8::/32`);
  }
  const prefix = around(version, first, length);
  if (prefix.first !== first) {
    throw new RangeError(`${text} has host bits set; the prefix that contains it is ${formatPrefix(prefix)}`);
  }
  return prefix;
}

/** The prefix of `length` bits that contains the address. */
export function around(version: 4 | 6, address: bigint, length: number): Prefix {
  const host = BigInt(bitsOf(version) - length);
  return { version, first: (address >> host) << host, length };
}

/** The one spelling of a prefix. */
export function formatPrefix({ version, first, length }: Prefix): string {
  return `${stringifyIp({ number: first, version })}/${length}`;
}

/** Whether `outer` contains `inner`. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  return (
    outer.version === inner.version &&
    outer.length <= inner.length &&
    around(inner.version, inner.first, outer.length).first === outer.first
  );
}

/**
 * Version and number of an address; null if `text` is none. Zones mean something on one machine only, so there are
 * none.
 */
function addressIn(text: string): [4 | 6, bigint] | null {
  if (text.includes('%') || ipVersion(text) === 0) return null;
  const { version, number } = parseIp(text);
  return [version, number];
}
