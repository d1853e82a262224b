// SPDX-License-Identifier: GPL-3.0-or-later
/** What a flow's time went into, in order; only what was seen. */
import type { FlowStore } from '../model/flows';
import { duration } from '../model/format';

export type Part = 'name' | 'connect' | 'tls' | 'wait' | 'rest';

export const partNames: Record<Part, string> = {
  name: 'name',
  connect: 'connect',
  tls: 'until the ClientHello',
  wait: 'until the first byte',
  rest: 'the rest',
};

export interface Piece {
  part: Part;
  from: number;
  to: number;
}

/** As it was at t. */
export function piecesOf(flows: FlowStore, row: number, t: number): Piece[] {
  const end = Math.min(flows.ended[row]!, t);
  const resolveMs = flows.resolveMs[row]!;
  const connected = flows.connected[row]!;
  const pieces: Piece[] = [];
  let from = flows.opened[row]!;

  const until = (part: Part, to: number) => {
    if (to > end || to < from) return;
    if (to > from) pieces.push({ part, from, to });
    from = to;
  };
  if (resolveMs >= 0) until('name', Math.min(from + resolveMs * 1000, connected));
  until('connect', connected);
  until('tls', flows.hello[row]!);
  until('wait', flows.answered[row]!);
  pieces.push({ part: 'rest', from, to: Math.max(end, from) });
  return pieces;
}

/** "name 12 ms, connect 30 ms, the rest 3.2 s". */
export function piecesText(pieces: readonly Piece[]): string {
  return pieces.map(({ part, from, to }) => `${partNames[part]} ${duration(to - from)}`).join(', ');
}

const SHORTEST_US = 1e3;
const LONGEST_US = 6e8;

/**
 * How long the bar of a flow is, 0 to 1. What lasts milliseconds stands beside what lasts minutes: so each tenfold
 * is as much longer.
 */
export function lengthOf(us: number): number {
  const within = Math.min(Math.max(us, SHORTEST_US), LONGEST_US);
  return 0.06 + (0.94 * Math.log(within / SHORTEST_US)) / Math.log(LONGEST_US / SHORTEST_US);
}
