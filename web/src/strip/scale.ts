// SPDX-License-Identifier: GPL-3.0-or-later
/** Time to pixels and back, and the times that a ruler names. */
import { clockTime } from '../model/format';

export class Scale {
  readonly from: number;
  readonly to: number;
  readonly width: number;

  constructor(from: number, to: number, width: number) {
    this.from = from;
    this.to = Math.max(to, from + 1);
    this.width = width;
  }

  x(us: number): number {
    return ((us - this.from) / (this.to - this.from)) * this.width;
  }

  time(x: number): number {
    return this.from + (x / Math.max(this.width, 1)) * (this.to - this.from);
  }

  /** How much time a pixel is. */
  get pixelUs(): number {
    return (this.to - this.from) / Math.max(this.width, 1);
  }
}

const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];

export interface Tick {
  at: number;
  label: string;
}

/** Round times, at least `apart` pixels from one another. */
export function ticks(scale: Scale, apart = 80): Tick[] {
  const wanted = (scale.pixelUs * apart) / 1e6;
  const step = (STEPS_S.find((s) => s >= wanted) ?? 86400 * Math.ceil(wanted / 86400)) * 1e6;
  const found: Tick[] = [];

  for (let at = Math.ceil(scale.from / step) * step; at <= scale.to; at += step)
    found.push({ at, label: step < 1e6 ? preciseTime(at) : clockTime(at) });
  return found;
}

function preciseTime(us: number): string {
  const hundredths = Math.round(us / 1e4);
  return `${clockTime(Math.floor(hundredths / 100) * 1e6)}.${String(hundredths % 100).padStart(2, '0')}`;
}
