// SPDX-License-Identifier: GPL-3.0-or-later
/** What keys do: one table, which the help shows too. Keys that a part has for itself it takes before this. */
import { app } from '../model/app.svelte';
import { toggleWord } from '../model/filter';
import { momentAfter, momentBefore } from '../replay/steps';
import { fit, pan, zoom } from '../strip/window';

export interface Reach {
  focusFilter(): void;
  focusTable(): void;
}

export interface Key {
  keys: string[];
  says: string;
  group: 'Time' | 'Strip' | 'Traffic' | 'Page';
  /** Without it, it is a key that a part has for itself, listed here to be shown. */
  does?(reach: Reach): void;
}

const SECOND = 1e6;

function seekTo(us: number | null): void {
  if (us !== null) app.clock.seek(us);
}

export const keys: Key[] = [
  { group: 'Time', keys: [' '], says: 'play, pause', does: () => app.clock.toggle() },
  { group: 'Time', keys: [','], says: 'previous moment', does: () => seekTo(momentBefore(app)) },
  { group: 'Time', keys: ['.'], says: 'next moment', does: () => seekTo(momentAfter(app)) },
  { group: 'Time', keys: ['ArrowLeft'], says: 'five seconds back', does: () => app.clock.seek(app.clock.t - 5 * SECOND) },
  { group: 'Time', keys: ['ArrowRight'], says: 'five seconds on', does: () => app.clock.seek(app.clock.t + 5 * SECOND) },
  { group: 'Time', keys: ['<'], says: 'slower', does: () => app.clock.faster(-1) },
  { group: 'Time', keys: ['>'], says: 'faster', does: () => app.clock.faster(1) },
  { group: 'Time', keys: ['l', 'End'], says: 'to the end, and live again', does: () => app.clock.follow() },
  { group: 'Time', keys: ['Home'], says: 'to the beginning', does: () => app.clock.seek(0) },
  { group: 'Time', keys: ['n'], says: 'a note at the clock', does: () => (app.noteAt = app.clock.t) },
  { group: 'Strip', keys: ['w', '+'], says: 'closer', does: () => zoom(app, 0.7) },
  { group: 'Strip', keys: ['s', '-'], says: 'further away', does: () => zoom(app, 1 / 0.7) },
  { group: 'Strip', keys: ['a'], says: 'earlier', does: () => pan(app, -0.2) },
  { group: 'Strip', keys: ['d'], says: 'later', does: () => pan(app, 0.2) },
  { group: 'Strip', keys: ['z'], says: 'fit what is selected, and again: all', does: () => fit(app) },
  { group: 'Traffic', keys: ['/'], says: 'filter', does: (reach) => reach.focusFilter() },
  { group: 'Traffic', keys: ['f', 'x'], says: 'failed only, and again: all', does: () => (app.filterText = toggleWord(app.filterText, 'failed')) },
  { group: 'Traffic', keys: ['j'], says: 'into the table', does: (reach) => reach.focusTable() },
  { group: 'Traffic', keys: ['ArrowUp', 'ArrowDown'], says: 'in the table: the flow before, behind' },
  { group: 'Traffic', keys: ['Enter'], says: 'in the table: to what was observed of the flow' },
  { group: 'Page', keys: ['D'], says: 'all devices', does: () => (app.view = app.view === 'devices' ? 'recording' : 'devices') },
  { group: 'Page', keys: ['t'], says: 'dark, light, as the system has it', does: () => app.settings.nextTheme() },
  { group: 'Page', keys: ['Escape'], says: 'close, then select nothing', does: close },
  { group: 'Page', keys: ['?'], says: 'these keys', does: () => (app.helps = true) },
];

/** The topmost of what is open goes. */
function close(): void {
  if (app.helps) app.helps = false;
  else if (app.noteAt !== null) app.noteAt = null;
  else if (app.moment) app.moment = '';
  else if (app.flow !== null) app.flow = null;
  else app.range = null;
}

export function nameOf(key: string): string {
  const names: Record<string, string> = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };
  return names[key] ?? key;
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input:not([type=range]), textarea, select, [contenteditable]') !== null;
}

export function press(event: KeyboardEvent, reach: Reach): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (writes(event.target) || (app.helps && event.key !== 'Escape')) return;
  if (event.key === ' ' && event.target instanceof HTMLButtonElement) return;
  const key = keys.find(({ keys: names, does }) => does && names.includes(event.key));
  if (!key?.does) return;
  event.preventDefault();
  key.does(reach);
}
