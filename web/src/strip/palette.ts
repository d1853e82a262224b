// SPDX-License-Identifier: GPL-3.0-or-later
/** Colours for a canvas: the tokens of the page, and hues for phases, which their names stand in as well. */
export interface Palette {
  ground: string;
  raised: string;
  sunken: string;
  line: string;
  faintLine: string;
  text: string;
  soft: string;
  faint: string;
  accent: string;
  warn: string;
  bad: string;
  good: string;
  wait: string;
  font: string;
  dark: boolean;
}

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();

  return {
    ground: token('--ground'),
    raised: token('--raised'),
    sunken: token('--sunken'),
    line: token('--line'),
    faintLine: token('--faint-line'),
    text: token('--text'),
    soft: token('--soft'),
    faint: token('--faint'),
    accent: token('--accent'),
    warn: token('--warn'),
    bad: token('--bad'),
    good: token('--good'),
    wait: token('--wait'),
    font: style.fontFamily,
    dark: style.colorScheme !== 'light',
  };
}

/** Neighbours in a run are far from one another on the wheel. */
const hues: Record<string, number> = {
  net: 205,
  ident: 265,
  profile: 170,
  activate: 40,
  'oobe-update': 225,
  signin: 320,
  join: 190,
  enroll: 140,
  'esp-prep': 25,
  'esp-device': 205,
  'esp-account': 285,
  desktop: 120,
};

export function hueOf(phase: string): number {
  return hues[phase] ?? ([...phase].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) >>> 0) % 360;
}

export function phaseColour(phase: string, palette: Palette): string {
  return palette.dark ? `hsl(${hueOf(phase)} 45% 30%)` : `hsl(${hueOf(phase)} 62% 80%)`;
}

export function phaseEdge(phase: string, palette: Palette): string {
  return palette.dark ? `hsl(${hueOf(phase)} 60% 58%)` : `hsl(${hueOf(phase)} 55% 42%)`;
}
