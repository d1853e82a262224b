// SPDX-License-Identifier: GPL-3.0-or-later
/** The growth of some flows' bytes, in order of time; for a hundred thousand flows some tens of milliseconds. */
import type { FlowStore } from './flows';

export interface Events {
  times: Float64Array;
  rows: Uint32Array;
  up: Float64Array;
  down: Float64Array;
  /** Both together. */
  grown: Float64Array;
  /** Sums, each event included. */
  upTo: Float64Array;
  downTo: Float64Array;
  /** When the flows were opened, ended, failed: sorted, each for itself. */
  opened: Float64Array;
  ended: Float64Array;
  failed: Float64Array;
}

type Grown = Pick<Events, 'times' | 'rows' | 'up' | 'down'>;
type Ends = Pick<Events, 'opened' | 'ended' | 'failed'>;

export function eventsOf(flows: FlowStore, rows: readonly number[]): Events {
  const ended = rows.filter((row) => flows.ended[row] !== Infinity);
  const failed = ended.filter((row) => flows.failure[row]);

  return summed(inOrder(grownOf(flows, rows)), {
    opened: Float64Array.from(rows, (row) => flows.opened[row]!).sort(),
    ended: Float64Array.from(ended, (row) => flows.ended[row]!).sort(),
    failed: Float64Array.from(failed, (row) => flows.ended[row]!).sort(),
  });
}

export function merged(a: Events, b: Events): Events {
  if (!a.opened.length) return b;
  const all = room(a.times.length + b.times.length);
  let i = 0;
  let j = 0;

  for (let n = 0; n < all.times.length; n++) {
    const isFirst = j >= b.times.length || (i < a.times.length && a.times[i]! <= b.times[j]!);
    if (isFirst) copy(a, i++, all, n);
    else copy(b, j++, all, n);
  }
  return summed(all, {
    opened: sorted(a.opened, b.opened),
    ended: sorted(a.ended, b.ended),
    failed: sorted(a.failed, b.failed),
  });
}

/** How many of the sorted times are not later than t. */
export function upTo(times: Float64Array, t: number): number {
  let low = 0;
  let high = times.length;

  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

function room(n: number): Grown {
  return { times: new Float64Array(n), rows: new Uint32Array(n), up: new Float64Array(n), down: new Float64Array(n) };
}

function copy(from: Grown, i: number, to: Grown, n: number): void {
  to.times[n] = from.times[i]!;
  to.rows[n] = from.rows[i]!;
  to.up[n] = from.up[i]!;
  to.down[n] = from.down[i]!;
}

function grownOf(flows: FlowStore, rows: readonly number[]): Grown {
  const all = room(rows.reduce((sum, row) => sum + flows.moved(row).length / 3, 0));
  let n = 0;

  for (const row of rows) {
    const moved = flows.moved(row);
    let up = 0;
    let down = 0;
    for (let i = 0; i < moved.length; i += 3, n++) {
      all.times[n] = moved[i]!;
      all.rows[n] = row;
      all.up[n] = moved[i + 1]! - up;
      all.down[n] = moved[i + 2]! - down;
      up = moved[i + 1]!;
      down = moved[i + 2]!;
    }
  }
  return all;
}

function inOrder(all: Grown): Grown {
  const n = all.times.length;
  const to = room(n);

  placesInOrder(all.times).forEach((from, i) => copy(all, from, to, i));
  return to;
}

/**
 * Places in order of their times. Numbers alone are sorted several times as fast as with a comparison of ours: so
 * each time has its place in its lower digits. Times so late that both do not fit are told apart less finely.
 */
function placesInOrder(times: Float64Array): Uint32Array {
  const latest = times.reduce((most, time) => Math.max(most, time), 1);
  const tick = Math.max(1, Math.ceil((latest * times.length) / 2 ** 52));
  const keys = times.map((time, i) => Math.floor(time / tick) * times.length + i);
  const places = Uint32Array.from(keys.sort(), (key) => key % times.length);

  for (let i = 1; tick > 1 && i < places.length; i++) {
    const place = places[i]!;
    let j = i;
    for (; j > 0 && times[places[j - 1]!]! > times[place]!; j--) places[j] = places[j - 1]!;
    places[j] = place;
  }
  return places;
}

function summed(all: Grown, ends: Ends): Events {
  const n = all.times.length;
  const sums = { grown: new Float64Array(n), upTo: new Float64Array(n), downTo: new Float64Array(n) };
  let up = 0;
  let down = 0;

  for (let i = 0; i < n; i++) {
    sums.grown[i] = all.up[i]! + all.down[i]!;
    sums.upTo[i] = up += all.up[i]!;
    sums.downTo[i] = down += all.down[i]!;
  }
  return { ...all, ...ends, ...sums };
}

/** Of two that are sorted. */
export function sorted(a: Float64Array, b: Float64Array): Float64Array {
  const all = new Float64Array(a.length + b.length);
  let i = 0;
  let j = 0;

  for (let n = 0; n < all.length; n++)
    all[n] = j >= b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!;
  return all;
}
