// CIDR prefixes out of a pool.

import { Prefixes } from '../../../dist/prefixes.js';
import { equal, throws } from '../verdict.mjs';

export const prefixes = {
  'gives prefixes of both families'() {
    const four = new Prefixes({ pool: '10.0.0.0/8', longest: 28 });
    equal(four.reserveAll(['10.0.0.7', '10.0.1.0/24']), ['10.0.0.0/28', '10.0.1.0/24'], 'those in use');
    equal(
      [four.alloc(24), four.alloc(28), four.largestFree],
      ['10.0.2.0/24', '10.0.0.16/28', 9],
      'the next ones',
    );
    const six = new Prefixes({ pool: '2001:DB8::/32', longest: 48 });
    equal([six.alloc(48), six.alloc(40)], ['2001:db8::/48', '2001:db8:100::/40'], 'IPv6');
    equal(six.at('2001:db8:1ff::1'), '2001:db8:100::/40', 'the prefix of an address');
  },

  'refuses what is not a prefix'() {
    const pool = new Prefixes({ pool: '10.0.0.0/8', longest: 28 });
    throws(() => pool.reserve('10.0.0.1/8'), RangeError, 'host bits');
    throws(() => pool.reserve('010.0.0.0/24'), RangeError, 'an octal number');
    throws(() => pool.free('10.0.0.0/24'), 'NOT_ALLOCATED', 'a free prefix');
  },
};
