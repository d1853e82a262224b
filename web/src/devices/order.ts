// SPDX-License-Identifier: GPL-3.0-or-later
/** Which devices are shown, and in what order. */
import type { Device } from '../api/client';

export const orders = ['trouble first', 'newest first', 'name', 'longest first'] as const;
export type Order = (typeof orders)[number];

/** What wants somebody comes first, what is done last. */
const urgency: Record<string, number> = { failed: 0, stalled: 1, 'awaiting-user': 2, 'in-progress': 3, incomplete: 4 };

const trouble = (d: Device) => d.finding_counts.error * 100 + d.finding_counts.warning;
const nameOf = (d: Device) => d.name || d.address;

const compare: Record<Order, (a: Device, b: Device) => number> = {
  'trouble first': (a, b) =>
    (urgency[a.outcome.state] ?? 5) - (urgency[b.outcome.state] ?? 5) || trouble(b) - trouble(a) || a.device - b.device,
  'newest first': (a, b) => b.start_ms - a.start_ms || b.device - a.device,
  name: (a, b) => nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true }),
  'longest first': (a, b) => b.end_ms - b.start_ms - (a.end_ms - a.start_ms),
};

export function sorted(devices: readonly Device[], order: Order): Device[] {
  return [...devices].sort(compare[order]);
}

export function passing(devices: readonly Device[], wanted: string): readonly Device[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return devices;
  return devices.filter((d) => {
    const phase = d.phases.find((p) => p.id === d.phase)?.title ?? '';
    const text = `${d.id} ${d.name} ${d.address} ${d.outcome.state} ${d.phase ?? ''} ${phase} ${d.scenario.title}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
