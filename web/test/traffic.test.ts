// SPDX-License-Identifier: GPL-3.0-or-later
import { expect, test } from 'vitest';

import type { Observation } from '../src/api/generated';
import { FlowStore } from '../src/model/flows';
import { linesOf, saysOf } from '../src/traffic/observation';
import { openedBy, placeOf } from '../src/traffic/rows.svelte';
import { lengthOf, piecesOf, piecesText } from '../src/traffic/waterfall';
import { flowRow } from './flows';

function storeOf(...rows: Parameters<typeof flowRow>[0][]): FlowStore {
  const flows = new FlowStore();
  flows.put(rows.map(flowRow));
  return flows;
}

test('what a flow spent its time on, as far as it has come', () => {
  const flows = storeOf({ opened_us: 0 });
  const text = (t: number) => piecesText(piecesOf(flows, 0, t));

  expect(text(Infinity)).toBe('name 10 ms, connect 20 ms, until the ClientHello 10 ms, until the first byte 50 ms, the rest 910 ms');
  expect(text(35e3)).toBe('name 10 ms, connect 20 ms, the rest 5 ms');
});

test('what was not seen has no piece', () => {
  const flows = storeOf({ opened_us: 0, resolve_ms: null, connected_us: null, hello_us: null, answered_us: null });
  expect(piecesOf(flows, 0, Infinity)).toEqual([{ part: 'rest', from: 0, to: 1e6 }]);
});

test('the longer it lasted, the longer its bar, from hardly anything to all', () => {
  const lengths = [0, 1e3, 1e4, 1e6, 60e6, 600e6, 1e12].map(lengthOf);
  expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
  expect(lengths[0]).toBeGreaterThan(0);
  expect(lengths.at(-1)).toBe(1);
});

test('a row is found where it stands, also among many of one time', () => {
  const flows = storeOf(...Array.from({ length: 50 }, (_, i) => ({ flow: i + 1, opened_us: Math.floor(i / 10) * 1e6 })));
  const shown = { rows: flows.order, count: 45 };

  for (let i = 0; i < 45; i++) expect(placeOf(flows, shown, flows.order[i]!)).toBe(i);
  expect(placeOf(flows, shown, flows.order[48]!)).toBe(-1);
  expect(openedBy(flows, shown, 1e6)).toBe(20);
});

const text = (o: Partial<Observation>) =>
  saysOf({ seq: 1, at_us: 0, ...o } as Observation)
    .map((piece) => (piece.wire ? `<${piece.text}>` : piece.text))
    .join('');

test.each<[Partial<Observation>, string]>([
  [{ kind: 'connected', address: '198.18.0.1', port: 443, ms: 12 }, 'Reached the server <198.18.0.1:443> in 12 ms'],
  [{ kind: 'flow-opened', host: 'a.b', port: 80, client: '10.0.0.7:5', how: 'connect' }, 'Asked for <a.b:80> from <10.0.0.7:5>: a CONNECT tunnel through the proxy'],
  [{ kind: 'flow-closed', bytes_up: 1, bytes_down: 2000, why: 'server-reset' }, 'Ended with 1 B up, 2.0 kB down: the server reset it'],
  [{ kind: 'log-event', component: 'mdm', text: '<b>' }, 'the device wrote a log line; component <mdm>; text <<b>>'],
])('%o in words, with what came from the wire set apart', (o, says) => expect(text(o)).toBe(says));

test('that bytes moved is told by the first and the last', () => {
  const kinds: Observation['kind'][] = ['flow-opened', 'flow-progress', 'flow-progress', 'flow-progress', 'flow-progress', 'flow-closed'];
  const all = kinds.map((kind, i) => ({ kind, seq: i, at_us: i }));

  expect(linesOf(all, false).map(({ o, folded }) => [o.seq, folded])).toEqual([[0, 0], [1, 0], [4, 2], [5, 0]]);
  expect(linesOf(all, true)).toHaveLength(6);
});
