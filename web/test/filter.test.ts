// SPDX-License-Identifier: GPL-3.0-or-later
import { describe, expect, test } from 'vitest';

import { type FilterWorld, hasWord, parseFilter, toggleWord, wordsOf } from '../src/model/filter';
import { FlowStore } from '../src/model/flows';
import { flowRow } from './flows';

const flows = new FlowStore();
flows.put([
  flowRow({ flow: 1, opened_us: 1e6, host: 'login.live.com', endpoint: 0, bytes_up: 10, bytes_down: 2e6 }),
  flowRow({ flow: 2, opened_us: 2e6, host: 'ocsp.digicert.com', port: 80, endpoint: 1, how: 'absolute-form', method: 'GET', url: 'http://ocsp.digicert.com/MFE', status: 200 }),
  flowRow({ flow: 3, opened_us: 3e6, ended_us: 8e6, host: 'odd.example', failure: 'reset', why: 'server-reset', status: 503, device: 2 }),
  flowRow({ flow: 4, opened_us: 4e6, ended_us: null, why: '', host: 'two words.example', rules: 'block x' }),
]);

const world: FilterWorld = {
  flows,
  serviceOf: (endpoint) => ['device-identity', 'ocsp-crl'][endpoint] ?? '',
  whatOf: (endpoint) => ['device-identity Device identity registers itself', 'ocsp-crl Certificate checks'][endpoint] ?? '',
  deviceOf: (number) => `device-${number} VM-0${number} 10.0.0.${number}`,
  phaseAt: (_, us) => (us < 3e6 ? 'ident' : 'esp-device'),
};

function passing(text: string, t = Infinity): number[] {
  const filter = parseFilter(text, world);
  return [0, 1, 2, 3].filter((row) => filter.test(row, t)).map((row) => flows.flow[row]!);
}

test.each([
  ['', [1, 2, 3, 4]],
  ['live', [1]],
  ['LIVE', [1]],
  ['registers', [1]],
  ['certificate checks', [2]],
  ['mfe', [2]],
  ['host:digicert', [2]],
  ['Host:digicert', [2]],
  ['service:ocsp-crl', [2]],
  ['service:ocsp', []],
  ['phase:ident', [1, 2]],
  ['device:vm-02', [3]],
  ['method:get', [2]],
  ['method:connect', [1, 3, 4]],
  ['status:503', [3]],
  ['status>=400', [3]],
  ['status:>=400', [3]],
  ['bytes>1MB', [1]],
  ['bytes>1.5mb', [1]],
  ['up<11', [1]],
  ['port:80', [2]],
  ['took>2s', [3, 4]],
  ['took>=1000ms took<2s', [1, 2]],
  ['failed', [3]],
  ['!failed', [1, 2, 4]],
  ['told', [4]],
  ['http', [2]],
  ['"failed"', []],
  ['"two words"', [4]],
  ['!"two words" !ocsp', [1, 3]],
  ['why:server-reset', [3]],
  ['http://ocsp.digicert.com/MFE', [2]],
  ['constructor', []],
])('%s', (text, flowsThatPass) => {
  expect(parseFilter(text, world).problems).toEqual([]);
  expect(passing(text)).toEqual(flowsThatPass);
});

test('what changes with time is asked at a time', () => {
  expect(passing('open', 1.5e6)).toContain(1);
  expect(passing('open', 9e6)).toEqual([4]);
  expect(passing('failed', 7e6)).toEqual([]);
  expect(passing('bytes>1MB', 1.2e6)).toEqual([]);
  expect(['open', 'failed', '!took>2s', 'bytes>1'].every((text) => parseFilter(text, world).changes)).toBe(true);
  expect(['live', 'host:x', '"open"', ''].some((text) => parseFilter(text, world).changes)).toBe(false);
});

describe('what cannot be understood is told, and nothing is left out because of it', () => {
  test.each(['foo:bar', 'bytes>many', 'bytes>1XB', 'host:', 'host>x', '!', 'constructor:x', 'status:toString', 'took>1constructor'])('%s', (text) => {
    expect(parseFilter(text, world).problems).toHaveLength(1);
    expect(passing(text)).toEqual([1, 2, 3, 4]);
  });
});

test('words, quotes and all', () => {
  expect(wordsOf(' !host:"a b"  c ')).toEqual([
    { not: true, key: 'host', operator: ':', value: 'a b', quoted: true },
    { not: false, key: '', operator: '', value: 'c', quoted: false },
  ]);
  expect(wordsOf('"never closed').map((word) => word.value)).toEqual(['never closed']);
});

test('a word is put in and taken out, and what is in quotes is left alone', () => {
  expect(toggleWord('', 'failed')).toBe('failed');
  expect(toggleWord('"a  failed b" failed', 'failed')).toBe('"a  failed b"');
  expect(hasWord('"a failed b"', 'failed')).toBe(false);
});
