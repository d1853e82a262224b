// SPDX-License-Identifier: GPL-3.0-or-later
/** How this browser likes the page: kept here, and nowhere else. */
export const themes = ['system', 'dark', 'light'] as const;
export type Theme = (typeof themes)[number];

const KEY = 'flightstrip';

interface Kept {
  theme: Theme;
  /** The screen's share of the width, the detail's of the traffic, the strip's height in pixels. */
  screenShare: number;
  detailShare: number;
  stripHeight: number;
  listOpen: boolean;
}

const defaults: Kept = { theme: 'system', screenShare: 0.36, detailShare: 0.5, stripHeight: 300, listOpen: true };

function kept(): Kept {
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Kept>) };
  } catch {
    return defaults;
  }
}

export class Settings {
  theme = $state<Theme>('system');
  screenShare = $state(0);
  detailShare = $state(0);
  stripHeight = $state(0);
  listOpen = $state(true);

  constructor() {
    Object.assign(this, kept());
  }

  save(): void {
    const { theme, screenShare, detailShare, stripHeight, listOpen } = this;
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, screenShare, detailShare, stripHeight, listOpen }));
    } catch {
      /* A browser that keeps nothing still shows everything. */
    }
  }

  nextTheme(): void {
    this.theme = themes[(themes.indexOf(this.theme) + 1) % themes.length]!;
  }
}
