// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What moved when: every growth of a flow's bytes as an event in order of time, with sums up to each, so that totals
 * at any time and activity between any two are a binary search away. Made anew when the flows have changed; a
 * hundred thousand flows take some tens of milliseconds, so who shows a live recording asks once a second at most.
 */
import type { FlowStore } from './flows';

export interface Totals {
  flows: number;
  open: number;
  failed: number;
  up: number;
  down: number;
}

export class Activity {
  readonly version: number;
  private readonly times: Float64Array;
  private readonly rows: Uint32Array;
  private readonly grown: Float64Array;
  private readonly upTo: Float64Array;
  private readonly downTo: Float64Array;
  private readonly opened: Float64Array;
  private readonly ended: Float64Array;
  private readonly failed: Float64Array;

  /** device: that one alone; 0: all. */
  constructor(flows: FlowStore, device = 0) {
    this.version = flows.version;

    const mine: number[] = [];
    let events = 0;
    for (let i = 0; i < flows.count; i++) {
      const row = flows.order[i]!;
      if (device && flows.device[row] !== device) continue;
      mine.push(row);
      events += flows.moved(row).length / 3;
    }

    const at = new Float64Array(events);
    const up = new Float64Array(events);
    const down = new Float64Array(events);
    const rows = new Uint32Array(events);
    let n = 0;
    for (const row of mine) {
      const moved = flows.moved(row);
      let lastUp = 0;
      let lastDown = 0;
      for (let i = 0; i < moved.length; i += 3, n++) {
        at[n] = moved[i]!;
        up[n] = moved[i + 1]! - lastUp;
        down[n] = moved[i + 2]! - lastDown;
        rows[n] = row;
        lastUp = moved[i + 1]!;
        lastDown = moved[i + 2]!;
      }
    }

    const order = sortedBy(at);
    this.times = new Float64Array(events);
    this.rows = new Uint32Array(events);
    this.grown = new Float64Array(events);
    this.upTo = new Float64Array(events);
    this.downTo = new Float64Array(events);
    let sumUp = 0;
    let sumDown = 0;
    for (let i = 0; i < events; i++) {
      const from = order[i]!;
      this.times[i] = at[from]!;
      this.rows[i] = rows[from]!;
      this.grown[i] = up[from]! + down[from]!;
      this.upTo[i] = sumUp += up[from]!;
      this.downTo[i] = sumDown += down[from]!;
    }

    this.opened = Float64Array.from(mine, (row) => flows.opened[row]!);
    this.ended = Float64Array.from(mine, (row) => flows.ended[row]!).sort();
    this.failed = Float64Array.from(mine.filter((row) => flows.failure[row]), (row) => flows.ended[row]!).sort();
  }

  at(t: number): Totals {
    const n = upTo(this.times, t);
    const flows = upTo(this.opened, t);

    return {
      flows,
      open: flows - upTo(this.ended, t),
      failed: upTo(this.failed, t),
      up: n ? this.upTo[n - 1]! : 0,
      down: n ? this.downTo[n - 1]! : 0,
    };
  }

  /** Bytes of each lane in each of `columns` equal parts of the time: lane * columns + column. */
  binned(laneOf: (row: number) => number, lanes: number, from: number, to: number, columns: number): Float64Array {
    const bins = new Float64Array(lanes * columns);
    const scale = columns / (to - from);

    for (let i = upTo(this.times, from - 1); i < this.times.length && this.times[i]! < to; i++) {
      const lane = laneOf(this.rows[i]!);
      if (lane < 0) continue;
      const column = Math.floor((this.times[i]! - from) * scale);
      if (column >= 0) bins[lane * columns + column]! += this.grown[i]!;
    }
    return bins;
  }
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

/** Places in order of their values; those of the same value stay in their order. */
function sortedBy(values: Float64Array): Uint32Array {
  const order = Uint32Array.from(values, (_, i) => i);
  return order.sort((a, b) => values[a]! - values[b]! || a - b);
}
