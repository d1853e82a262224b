// SPDX-License-Identifier: GPL-3.0-or-later
import { expect, test } from 'vitest';

import { Activity } from '../src/model/activity';
import { FlowStore } from '../src/model/flows';
import { flowRow } from './flows';

/** Not the same twice, and the same every time. */
function numbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

function someFlows(from: number, n: number, isOpen = false) {
  const next = numbers(from);

  return Array.from({ length: n }, (_, i) => {
    const opened = next(1e9);
    const ended = isOpen ? null : opened + 2e6;
    return flowRow({
      flow: from + i,
      device: 1 + (i % 2),
      opened_us: opened,
      ended_us: ended,
      failure: i % 10 ? '' : 'reset',
      moved: [opened + 1e6, 10, 100, opened + 2e6, 20, 1000],
    });
  });
}

function summed(flows: FlowStore, t: number, device = 0) {
  const sum = { flows: 0, open: 0, failed: 0, up: 0, down: 0 };

  for (let row = 0; row < flows.count; row++) {
    if ((device && flows.device[row] !== device) || flows.opened[row]! > t) continue;
    sum.flows++;
    if (flows.isOpenAt(row, t)) sum.open++;
    else if (flows.failure[row]) sum.failed++;
    const grown = flows.moved(row);
    for (let i = grown.length - 3; i >= 0; i -= 3)
      if (grown[i]! <= t) {
        sum.up += grown[i + 1]!;
        sum.down += grown[i + 2]!;
        break;
      }
  }
  return sum;
}

test('totals at any time are those of the flows, one device or all', () => {
  const flows = new FlowStore();

  flows.put(someFlows(1, 500));
  for (const device of [0, 1, 2])
    for (const t of [0, 3e8, 5e8 + 1, 1e9, 2e9]) expect(new Activity(flows, device).at(t)).toEqual(summed(flows, t, device));
});

test('made from what was before, it is the same as made anew', () => {
  const flows = new FlowStore();
  let activity = new Activity(flows);

  for (let round = 0; round < 4; round++) {
    flows.put(someFlows(1 + round * 10_000, 3000, round === 1));
    if (round === 2) flows.put(someFlows(10_001, 1500));
    activity = new Activity(flows, 0, activity);
    for (const t of [2e8, 7e8, 2e9]) expect(activity.at(t)).toEqual(summed(flows, t));
    const whole = new Activity(flows);
    expect(activity.binned(() => 0, 1, 0, 1e9, 50)).toEqual(whole.binned(() => 0, 1, 0, 1e9, 50));
    expect(activity.silences).toEqual(whole.silences);
  }
});

test('bytes fall into the columns of their lanes', () => {
  const flows = new FlowStore();

  flows.put([flowRow({ flow: 1, opened_us: 0, moved: [1e6, 10, 0, 9e6, 10, 90] }), flowRow({ flow: 2, opened_us: 0, moved: [5e6, 0, 7] })]);
  expect([...new Activity(flows).binned((row) => row, 2, 0, 10e6, 5)]).toEqual([10, 0, 0, 0, 90, 0, 0, 7, 0, 0]);
});

test('pauses are silences, and times a year apart stay in order', () => {
  const flows = new FlowStore();
  const year = 31_536_000e6;

  flows.put(Array.from({ length: 3000 }, (_, i) => flowRow({ flow: i + 1, opened_us: 0, moved: [((i * 7919) % 3000) * 1000 + (i % 3 ? 0 : year), 1, 1] })));
  const { silences } = new Activity(flows);
  expect(silences).toHaveLength(1);
  expect(silences[0]!.to - silences[0]!.from).toBeGreaterThan(year - 1e7);
});
