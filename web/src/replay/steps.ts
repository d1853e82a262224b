// SPDX-License-Identifier: GPL-3.0-or-later
/** From moment to moment, over the times in which nothing happens, and what there is at the clock. */
import type { Moment, Phase } from '../api/client';
import type { App, Range } from '../model/app.svelte';

/** Moments at nearly the same time are one step. */
const NEAR_US = 50_000;

function times(app: App): number[] {
  const { strip, notes } = app.recording;
  const at = [...(strip?.moments ?? []).map((m) => m.at_ms * 1000), ...notes.map((n) => n.at_us)];
  return at.sort((a, b) => a - b);
}

export function momentBefore(app: App): number | null {
  return times(app).findLast((us) => us < app.clock.t - NEAR_US) ?? null;
}

export function momentAfter(app: App): number | null {
  return times(app).find((us) => us > app.clock.t + NEAR_US) ?? null;
}

export function phaseAt(app: App): Phase | undefined {
  const ms = app.clock.t / 1000;
  return app.recording.strip?.phases.find((p) => ms >= p.start_ms && (ms < p.end_ms || p.open || ms === p.end_ms));
}

/** The moment that came last. The summary of the end is none. */
export function saysAt(app: App): Moment | undefined {
  const ms = app.clock.t / 1000;
  return app.recording.strip?.moments.findLast((m) => m.at_ms <= ms && m.id !== 'summary');
}

/** Where something happens again, when nothing moves at the clock and no moment comes before; else null. */
export function idleEnd(app: App): number | null {
  const { t } = app.clock;
  const silence = app.recording.activity.silences.find(({ from, to }) => t >= from && t < to - 1e6);

  if (!silence) return null;
  return Math.min(silence.to, momentAfter(app) ?? Infinity);
}

export interface Summary {
  flows: number;
  hosts: number;
  bytes: number;
  moments: number;
}

/** What there is in a time: flows that were open in it, and the bytes that moved. */
export function summaryOf(app: App, { from, to }: Range): Summary {
  const { flows, activity, strip, device, devices } = app.recording;
  const mine = devices.length > 1 ? (device?.device ?? 0) : 0;
  const hosts = new Set<number>();
  let n = 0;

  for (let i = 0; i < flows.count; i++) {
    const row = flows.order[i]!;
    if (flows.opened[row]! > to) break;
    if (flows.ended[row]! < from || (mine && flows.device[row] !== mine)) continue;
    hosts.add(flows.host[row]!);
    n++;
  }
  const before = activity.at(from);
  const after = activity.at(to);
  return {
    flows: n,
    hosts: hosts.size,
    bytes: after.up + after.down - before.up - before.down,
    moments: strip?.moments.filter((m) => m.at_ms * 1000 >= from && m.at_ms * 1000 <= to).length ?? 0,
  };
}
