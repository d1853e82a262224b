// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Which rows the table shows: those that pass the filter, in order of time, as far as the clock has come. What passes
 * is looked for again when the filter or the range change, and a few times a second while flows come; where the clock
 * stands only cuts the list, but for filters whose answer changes with time.
 */
import type { App } from '../model/app.svelte';
import type { FlowStore } from '../model/flows';

/** How finely filters that change with time are asked. */
const AGAIN_US = 250_000;

export interface Shown {
  /** Of which the first `count` are shown. */
  rows: Uint32Array;
  count: number;
}

export interface Sums {
  all: number;
  bytes: number;
  failed: number;
}

/** How many of them had been opened at t. */
export function openedBy(flows: FlowStore, { rows, count }: Shown, t: number): number {
  let low = 0;
  let high = count;

  while (low < high) {
    const middle = (low + high) >> 1;
    if (flows.opened[rows[middle]!]! <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a row is among those that are shown; -1 when it is not. */
export function placeOf(flows: FlowStore, shown: Shown, row: number): number {
  const opened = flows.opened[row]!;

  for (let i = openedBy(flows, shown, opened) - 1; i >= 0 && flows.opened[shown.rows[i]!] === opened; i--)
    if (shown.rows[i] === row) return i;
  return -1;
}

export class Rows {
  private readonly app: App;

  constructor(app: App) {
    this.app = app;
  }

  /** The device whose rows these are; 0: there is one alone, or none. */
  private device = $derived.by(() => {
    const { devices, device } = this.app.recording;
    return devices.length > 1 ? (device?.device ?? 0) : 0;
  });

  /** The time that filters are asked with. */
  private askedAt = $derived.by(() => {
    const { filter, clock } = this.app;
    if (!filter.changes) return Infinity;
    if (!clock.follows) return clock.t;
    return clock.live ? (Math.floor(clock.now / AGAIN_US) + 1) * AGAIN_US : clock.now;
  });

  private passing = $derived.by((): Shown => {
    const { recording, filter, range } = this.app;
    const { flows } = recording;

    if (filter.isEmpty && !range && !this.device) {
      void recording.flowsVersion;
      return { rows: flows.order, count: flows.count };
    }
    void recording.settledVersion;
    return this.passingAt(this.askedAt);
  });

  shown = $derived.by((): Shown => {
    const { passing } = this;
    const { recording, clock } = this.app;

    if (clock.follows) return passing;
    return { rows: passing.rows, count: openedBy(recording.flows, passing, clock.t) };
  });

  /** Of what is shown, for the line beneath. */
  sums = $derived.by((): Sums => {
    void this.app.recording.settledVersion;
    const { flows } = this.app.recording;
    const { rows, count } = this.shown;
    const t = this.app.clock.follows ? Infinity : this.app.clock.t;
    let bytes = 0;
    let failed = 0;

    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      bytes += flows.upAt(row, t) + flows.downAt(row, t);
      if (flows.failedAt(row, t)) failed++;
    }
    return { all: this.device ? this.ofDevice(t) : flows.openedBy(t), bytes, failed };
  });

  private passingAt(t: number): Shown {
    const { recording, filter, range } = this.app;
    const { flows } = recording;
    const from = range?.from ?? -Infinity;
    const to = range?.to ?? Infinity;
    const rows = new Uint32Array(flows.count);
    let count = 0;

    for (let i = 0; i < flows.count; i++) {
      const row = flows.order[i]!;
      if (flows.opened[row]! > Math.min(to, t)) break;
      if (flows.ended[row]! < from || (this.device && flows.device[row] !== this.device)) continue;
      if (filter.test(row, t)) rows[count++] = row;
    }
    return { rows, count };
  }

  private ofDevice(t: number): number {
    const { flows } = this.app.recording;
    let n = 0;

    for (let i = flows.openedBy(t) - 1; i >= 0; i--) if (flows.device[flows.order[i]!] === this.device) n++;
    return n;
  }
}
