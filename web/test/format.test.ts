// SPDX-License-Identifier: GPL-3.0-or-later
import { expect, test } from 'vitest';

import { bytes, clockTime, counted, duration, parseClockTime } from '../src/model/format';

test.each([
  [0, '00:00'],
  [414e6, '06:54'],
  [59_999_999, '00:59'],
  [3_723e6, '1:02:03'],
])('%d µs is %s', (us, text) => expect(clockTime(us)).toBe(text));

test('tenths are cut, not rounded up', () => expect(clockTime(59_990_000, true)).toBe('00:59.9'));

test.each([
  ['6:54', 414e6],
  ['1:02:03', 3723e6],
  ['414.5', 414.5e6],
  ['', NaN],
  ['a:b', NaN],
  ['1:2:3:4', NaN],
])('%s is read', (text, us) => expect(parseClockTime(text)).toBe(us));

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [9_949, '9.9 kB'],
  [9_950, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [218_258_138, '218 MB'],
])('%d bytes are %s', (n, text) => expect(bytes(n)).toBe(text));

test.each([
  [0, '0 ms'],
  [340e3, '340 ms'],
  [999_600, '1.0 s'],
  [25e6, '25 s'],
  [59.6e6, '1 min'],
  [1135e6, '18 min 55 s'],
  [7260e6, '2 h 1 min'],
])('%d µs are %s', (us, text) => expect(duration(us)).toBe(text));

test('one and many', () => expect([counted(1, 'flow'), counted(3000, 'flow')]).toEqual(['1 flow', '3,000 flows']));
