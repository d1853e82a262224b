// SPDX-License-Identifier: GPL-3.0-or-later
/** From moment to moment, and over the times in which nothing happens. */
import type { App } from '../model/app.svelte';

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
