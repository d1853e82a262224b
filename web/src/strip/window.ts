// SPDX-License-Identifier: GPL-3.0-or-later
/** The part of time that the strip shows. */
import type { App, Range } from '../model/app.svelte';

const NARROWEST_US = 50_000;

/** Within the recording, and not narrower than can be told apart; null: all of it. */
export function clamped(range: Range, end: number): Range | null {
  const width = Math.min(Math.max(range.to - range.from, NARROWEST_US), end);
  const from = Math.min(Math.max(0, range.from), end - width);

  return width >= end ? null : { from, to: from + width };
}

/** By a factor, around a time that keeps its place; without one the clock's, where that is in sight. */
export function zoom(app: App, factor: number, around?: number): void {
  const { from, to } = app.shown;
  const inSight = app.clock.t >= from && app.clock.t <= to;
  const pivot = around ?? (inSight ? app.clock.t : (from + to) / 2);

  app.window = clamped({ from: pivot - (pivot - from) * factor, to: pivot + (to - pivot) * factor }, app.clock.now);
}

/** By a share of what is shown. */
export function pan(app: App, share: number): void {
  if (!app.window) return;
  const { from, to } = app.window;
  const by = (to - from) * share;

  app.window = clamped({ from: from + by, to: to + by }, app.clock.now);
}

/** What is selected; when that is shown already, or nothing is, everything. */
export function fit(app: App): void {
  const { range, window } = app;
  const isShown = range && window && range.from === window.from && range.to === window.to;

  app.window = range && !isShown ? clamped(range, app.clock.now) : null;
}
