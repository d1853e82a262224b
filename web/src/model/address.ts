// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What is looked at, as it stands in the address bar behind the #: a link shows what its writer saw.
 *
 *     #r=1&d=device-1&t=06:54&q=failed&from=06:00&to=08:00&zoom=05:00-10:00&flow=17&moment=profile-download@12000
 */
import { clockTime, parseClockTime } from './format';

export const views = ['recording', 'devices', 'compare'] as const;
export type View = (typeof views)[number];

export interface Place {
  view: View;
  recording: string;
  device: string;
  /** The clock's time; null: where it stands by itself, which is live or the end. */
  t: number | null;
  filter: string;
  from: number | null;
  to: number | null;
  /** The part of time that the strip shows; null: all of it. */
  zoom: { from: number; to: number } | null;
  flow: number | null;
  /** A moment or finding: its id and time in ms. */
  moment: string;
  /** The traffic alone, for a window of its own. */
  pane: '' | 'traffic';
}

export const nowhere: Place = {
  view: 'recording',
  recording: '',
  device: '',
  t: null,
  filter: '',
  from: null,
  to: null,
  zoom: null,
  flow: null,
  moment: '',
  pane: '',
};

const timeOf = (text: string | null): number | null => {
  const us = text === null ? NaN : parseClockTime(text);
  return Number.isNaN(us) ? null : us;
};

const zoomOf = (text: string | null): Place['zoom'] => {
  const [from, to] = (text ?? '').split('-').map(timeOf);
  return from != null && to != null && from < to ? { from, to } : null;
};

const textOf = (us: number | null): string => {
  if (us === null) return '';
  const ms = Math.floor(us / 1000) % 1000;
  return clockTime(us) + (ms ? `.${String(ms).padStart(3, '0').replace(/0+$/, '')}` : '');
};

export function readPlace(hash: string): Place {
  const q = new URLSearchParams(hash.replace(/^#/, ''));
  const flow = Number(q.get('flow'));

  return {
    view: views.find((view) => view === q.get('view')) ?? 'recording',
    recording: q.get('r') ?? '',
    device: q.get('d') ?? '',
    t: timeOf(q.get('t')),
    filter: q.get('q') ?? '',
    from: timeOf(q.get('from')),
    to: timeOf(q.get('to')),
    zoom: zoomOf(q.get('zoom')),
    flow: Number.isSafeInteger(flow) && flow > 0 ? flow : null,
    moment: q.get('moment') ?? '',
    pane: q.get('pane') === 'traffic' ? 'traffic' : '',
  };
}

export function writePlace(place: Place): string {
  const q = new URLSearchParams();
  const put = (key: string, value: string) => value && q.set(key, value);

  put('view', place.view === 'recording' ? '' : place.view);
  put('r', place.recording);
  put('d', place.device);
  put('t', textOf(place.t));
  put('q', place.filter);
  put('from', textOf(place.from));
  put('to', textOf(place.to));
  put('zoom', place.zoom ? `${textOf(place.zoom.from)}-${textOf(place.zoom.to)}` : '');
  put('flow', place.flow === null ? '' : String(place.flow));
  put('moment', place.moment);
  put('pane', place.pane);
  const text = q.toString().replaceAll('%3A', ':').replaceAll('%40', '@');
  return text ? `#${text}` : '#';
}
