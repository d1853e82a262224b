// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What moved when: every growth of a flow's bytes as an event in order of time, with sums up to each, so that totals
 * at any time and activity between any two are a binary search away.
 *
 * While a recording is live this is made anew once a second. Flows that have ended do not change any more: their
 * events are kept sorted from one time to the next, and only those of the few others are sorted again.
 */
import type { FlowStore } from './flows';
import { type Events, eventsOf, merged, sorted, upTo } from './events';

export interface Totals {
  flows: number;
  open: number;
  failed: number;
  up: number;
  down: number;
}

/** A time in which nothing moved. */
export interface Silence {
  from: number;
  to: number;
}

/** A shorter pause is no silence. */
const SILENCE_US = 20e6;

/** Flows that have ended since they were last merged with the rest: more of them are worth the merging. */
const TAIL_MOST = 4096;

export class Activity {
  readonly version: number;
  private readonly flows: FlowStore;
  private readonly device: number;
  private base: Events;
  private tail: Events;
  private readonly isInBase: Uint8Array;

  /** device: that one alone; 0: all. before: what was made of the same flows last. */
  constructor(flows: FlowStore, device = 0, before?: Activity) {
    const goesOn = before && before.flows === flows && before.device === device ? before : null;

    this.version = flows.version;
    this.flows = flows;
    this.device = device;
    this.isInBase = new Uint8Array(flows.count);
    if (goesOn) this.isInBase.set(goesOn.isInBase);
    this.base = goesOn?.base ?? eventsOf(flows, []);

    const open: number[] = [];
    const ended: number[] = [];
    for (let row = 0; row < flows.count; row++) {
      if (this.isInBase[row] || (device && flows.device[row] !== device)) continue;
      (flows.ended[row] === Infinity ? open : ended).push(row);
    }
    if (ended.length > TAIL_MOST || !goesOn) {
      this.base = merged(this.base, eventsOf(flows, ended));
      for (const row of ended) this.isInBase[row] = 1;
      this.tail = eventsOf(flows, open);
    } else this.tail = eventsOf(flows, open.concat(ended));
  }

  at(t: number): Totals {
    const { base, tail } = this;
    const both = (of: (events: Events) => number) => of(base) + of(tail);
    const flows = both((e) => upTo(e.opened, t));

    return {
      flows,
      open: flows - both((e) => upTo(e.ended, t)),
      failed: both((e) => upTo(e.failed, t)),
      up: both((e) => sumAt(e.upTo, upTo(e.times, t))),
      down: both((e) => sumAt(e.downTo, upTo(e.times, t))),
    };
  }

  /** Long pauses between two movements. */
  get silences(): Silence[] {
    return (this.quiet ??= this.findSilences());
  }

  private quiet: Silence[] | null = null;

  private findSilences(): Silence[] {
    const times = sorted(this.base.times, this.tail.times);
    const found: Silence[] = [];

    for (let i = 1; i < times.length; i++)
      if (times[i]! - times[i - 1]! >= SILENCE_US) found.push({ from: times[i - 1]!, to: times[i]! });
    return found;
  }

  /** Bytes of each lane in each of `columns` equal parts of the time: lane * columns + column. */
  binned(laneOf: (row: number) => number, lanes: number, from: number, to: number, columns: number): Float64Array {
    const bins = new Float64Array(lanes * columns);
    const scale = columns / (to - from);

    for (const { times, rows, grown } of [this.base, this.tail])
      for (let i = upTo(times, from - 1); i < times.length && times[i]! < to; i++) {
        const lane = laneOf(rows[i]!);
        if (lane < 0) continue;
        const column = Math.floor((times[i]! - from) * scale);
        if (column >= 0) bins[lane * columns + column]! += grown[i]!;
      }
    return bins;
  }
}

function sumAt(sums: Float64Array, n: number): number {
  return n ? sums[n - 1]! : 0;
}
