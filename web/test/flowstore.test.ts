// SPDX-License-Identifier: GPL-3.0-or-later
import { expect, test } from 'vitest';

import { FlowStore } from '../src/model/flows';
import { flowRow } from './flows';

const SECOND = 1e6;

test('a flow that changed keeps its row', () => {
  const flows = new FlowStore();

  flows.put([flowRow({ flow: 7, ended_us: null, why: '', bytes_down: 10 })]);
  flows.put([flowRow({ flow: 7, bytes_down: 99 })]);
  expect(flows.count).toBe(1);
  expect(flows.down[flows.rowOf(7)!]).toBe(99);
  expect(flows.text(flows.why, 0)).toBe('device-closed');
});

test('rows are in order of time, whatever the order of their numbers', () => {
  const flows = new FlowStore();

  flows.put([flowRow({ flow: 1, opened_us: 5 }), flowRow({ flow: 2, opened_us: 9 })]);
  flows.put([flowRow({ flow: 3, opened_us: 7 }), flowRow({ flow: 4, opened_us: 1 })]);
  expect([...flows.order.subarray(0, flows.count)].map((row) => flows.flow[row])).toEqual([4, 1, 3, 2]);
  expect([0, 1, 6, 7, 100].map((t) => flows.openedBy(t))).toEqual([0, 1, 2, 3, 4]);
});

test('a flow is seen as it was at a time', () => {
  const flows = new FlowStore();

  flows.put([flowRow({ opened_us: SECOND, status: 200, failure: 'reset' })]);
  expect(flows.statusAt(0, SECOND)).toBe(0);
  expect(flows.statusAt(0, 2 * SECOND)).toBe(200);
  expect([0, 1.1, 1.5, 2, 9].map((s) => flows.downAt(0, s * SECOND))).toEqual([0, 1000, 1000, 5000, 5000]);
  expect(flows.isOpenAt(0, 1.5 * SECOND)).toBe(true);
  expect(flows.failedAt(0, 1.5 * SECOND)).toBe(false);
  expect(flows.failedAt(0, 2 * SECOND)).toBe(true);
  expect(flows.tookAt(0, 1.25 * SECOND)).toBe(0.25 * SECOND);
});

test('columns grow, and hold a hundred thousand flows in a bounded room', () => {
  const flows = new FlowStore();
  const rows = Array.from({ length: 100_000 }, (_, i) => flowRow({ flow: i + 1, opened_us: i * 1000, host: `h${i % 500}.example` }));

  for (let i = 0; i < rows.length; i += 5000) flows.put(rows.slice(i, i + 5000));
  expect(flows.count).toBe(100_000);
  expect(flows.flow[flows.rowOf(77_777)!]).toBe(77_777);
  expect(flows.texts.count).toBeLessThan(510);
  const columns = Object.values(flows).filter((column) => ArrayBuffer.isView(column));
  expect(columns.reduce((sum, column) => sum + column.byteLength, 0)).toBeLessThan(25e6);
});
