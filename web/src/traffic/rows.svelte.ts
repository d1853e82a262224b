// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Which rows the table shows: those that pass the filter, in order of time, as far as the clock has come. What passes
 * is looked for again when the flows, the filter or the range change; where the clock stands only cuts the list, but
 * for filters whose answer changes with time, which are asked again a few times a second.
 */
import type { App } from '../model/app.svelte';

const AGAIN_US = 250_000;

export interface Shown {
  rows: Uint32Array;
  count: number;
}

export interface Sums {
  all: number;
  bytes: number;
  failed: number;
}

export class Rows {
  private readonly app: App;

  constructor(app: App) {
    this.app = app;
  }

  /** The time that filters are asked with: coarser than the clock where that saves asking. */
  private askedAt = $derived.by(() => {
    const { filter, clock } = this.app;
    if (!filter.changes) return 0;
    return clock.follows ? clock.now - (clock.now % AGAIN_US) + AGAIN_US : clock.t - (clock.t % AGAIN_US) + AGAIN_US;
  });

  private passing = $derived.by((): Shown => {
    const { recording, filter, range } = this.app;
    void recording.flowsVersion;
    const { flows } = recording;
    const device = recording.devices.length > 1 ? (recording.device?.device ?? 0) : 0;

    if (filter.isEmpty && !range && !device) return { rows: flows.order, count: flows.count };
    const t = filter.changes ? Math.min(this.askedAt, this.app.clock.now) : Infinity;
    const from = range?.from ?? -Infinity;
    const to = range?.to ?? Infinity;
    const rows = new Uint32Array(flows.count);
    let count = 0;

    for (let i = 0; i < flows.count; i++) {
      const row = flows.order[i]!;
      if (flows.opened[row]! > to) break;
      if (flows.ended[row]! < from || (device && flows.device[row] !== device)) continue;
      if (filter.test(row, t)) rows[count++] = row;
    }
    return { rows, count };
  });

  shown = $derived.by((): Shown => {
    const { rows, count } = this.passing;
    const { flows } = this.app.recording;
    const { t, follows } = this.app.clock;
    if (follows) return { rows, count };
    let low = 0;
    let high = count;

    while (low < high) {
      const middle = (low + high) >> 1;
      if (flows.opened[rows[middle]!]! <= t) low = middle + 1;
      else high = middle;
    }
    return { rows, count: low };
  });

  /** Of what is shown, for the line beneath. */
  sums(t: number): Sums {
    const { flows } = this.app.recording;
    const { rows, count } = this.shown;
    let bytes = 0;
    let failed = 0;

    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      bytes += flows.upAt(row, t) + flows.downAt(row, t);
      if (flows.failedAt(row, t)) failed++;
    }
    return { all: flows.openedBy(t), bytes, failed };
  }
}
