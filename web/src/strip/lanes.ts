// SPDX-License-Identifier: GPL-3.0-or-later
/** A lane for each service: what moved and what was open in each pixel column. */
import type { Activity } from '../model/activity';
import type { FlowStore } from '../model/flows';
import type { Endpoint } from '../api/client';
import type { Scale } from './scale';

export interface Lane {
  /** The service's id; empty: hosts that are not known. */
  service: string;
  first: number;
  bytes: number;
  flows: number;
}

/** Those that flows go to, by when they were first used. */
export function lanesOf(flows: FlowStore, endpoints: readonly Endpoint[], device: number): Lane[] {
  const lanes = new Map<string, Lane>();

  for (let i = 0; i < flows.count; i++) {
    const row = flows.order[i]!;
    if (device && flows.device[row] !== device) continue;
    const service = endpoints[flows.endpoint[row]!]?.service ?? '';
    const lane = lanes.get(service);
    const bytes = flows.up[row]! + flows.down[row]!;

    if (lane) {
      lane.bytes += bytes;
      lane.flows++;
    } else {
      lanes.set(service, { service, first: flows.opened[row]!, bytes, flows: 1 });
    }
  }
  /* What nobody knows stands last. */
  return [...lanes.values()].sort((a, b) => Number(!a.service) - Number(!b.service) || a.first - b.first);
}

export interface LaneBins {
  columns: number;
  /** Bytes, and how many flows were open: lane * columns + column. */
  bytes: Float64Array;
  open: Float64Array;
}

export function binLanes(
  flows: FlowStore,
  activity: Activity,
  endpoints: readonly Endpoint[],
  lanes: readonly Lane[],
  scale: Scale,
  device: number,
): LaneBins {
  const columns = Math.max(1, Math.ceil(scale.width));
  const laneOfService = new Map(lanes.map((lane, i) => [lane.service, i]));
  const laneOfEndpoint = endpoints.map((endpoint) => laneOfService.get(endpoint.service) ?? -1);
  const unknown = laneOfService.get('') ?? -1;
  const laneOf = (row: number) => {
    const endpoint = flows.endpoint[row]!;
    return endpoint < 0 ? unknown : (laneOfEndpoint[endpoint] ?? -1);
  };

  return {
    columns,
    bytes: activity.binned(laneOf, lanes.length, scale.from, scale.to, columns),
    open: openIn(flows, laneOf, lanes.length, scale, columns, device),
  };
}

/** One up where a flow begins and one down where it ends, summed from left to right. */
function openIn(
  flows: FlowStore,
  laneOf: (row: number) => number,
  lanes: number,
  scale: Scale,
  columns: number,
  device: number,
): Float64Array {
  const steps = new Float64Array(lanes * (columns + 1));
  const perUs = columns / (scale.to - scale.from);

  for (let i = 0; i < flows.count; i++) {
    const row = flows.order[i]!;
    const opened = flows.opened[row]!;
    const ended = flows.ended[row]!;
    if (opened > scale.to) break;
    if (ended < scale.from || (device && flows.device[row] !== device)) continue;
    const lane = laneOf(row);
    if (lane < 0) continue;
    const first = Math.max(0, Math.floor((opened - scale.from) * perUs));
    const last = Math.min(columns, Math.floor((ended - scale.from) * perUs) + 1);
    steps[lane * (columns + 1) + first]! += 1;
    steps[lane * (columns + 1) + last]! -= 1;
  }

  const open = new Float64Array(lanes * columns);
  for (let lane = 0; lane < lanes; lane++)
    for (let column = 0, sum = 0; column < columns; column++)
      open[lane * columns + column] = sum += steps[lane * (columns + 1) + column]!;
  return open;
}

/** Bytes as a height from 0 to 1: a kilobyte is to be seen beside a hundred megabytes. */
export function heightOf(bytes: number): number {
  return bytes > 0 ? Math.min(1, Math.max(0.12, Math.log10(bytes) / 8)) : 0;
}
