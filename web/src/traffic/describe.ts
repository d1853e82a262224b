// SPDX-License-Identifier: GPL-3.0-or-later
/** A flow's cells, as words. */
import type { App } from '../model/app.svelte';
import { bytes, clockTime, duration, words } from '../model/format';
import { failures, whys, type Failure, type Why } from '../api/generated';

export interface Cells {
  flow: number;
  time: string;
  host: string;
  service: string;
  role: string;
  request: string;
  status: string;
  bytes: string;
  took: string;
  why: string;
  whyLong: string;
  failed: boolean;
  open: boolean;
  told: string;
  /** What did not work, in the recorder's words. */
  error: string;
}

/** The port that goes without saying. */
const HTTPS = 443;

const howWords: Record<string, string> = {
  connect: 'CONNECT',
  socks: 'SOCKS',
  transparent: 'TLS',
  packet: 'packets',
};

/** "/path" of a URL is enough beside its host. */
function requestOf(app: App, row: number): string {
  const { flows } = app.recording;
  const url = flows.url(row);
  const how = flows.text(flows.how, row);

  if (!url) {
    const port = flows.port[row]!;
    return `${howWords[how] ?? (flows.text(flows.method, row) || how)}${port === HTTPS ? '' : ` :${port}`}`;
  }
  return `${flows.text(flows.method, row)} ${url.replace(/^[a-z]+:\/\/[^/]*/i, '') || '/'}`;
}

export function cellsOf(app: App, row: number, t: number): Cells {
  const { recording } = app;
  const { flows } = recording;
  const endpoint = recording.knowledge.endpoints[flows.endpoint[row]!];
  const open = flows.isOpenAt(row, t);
  const failed = flows.failedAt(row, t);
  const why = flows.text(flows.why, row) as Why | '';
  const failure = flows.text(flows.failure, row) as Failure | '';
  const status = flows.statusAt(row, t);

  return {
    flow: flows.flow[row]!,
    time: clockTime(flows.opened[row]!, true),
    host: flows.text(flows.host, row) || flows.text(flows.sni, row) || '(nothing was asked for)',
    service: endpoint ? recording.serviceTitle(endpoint.service) : '',
    role: endpoint?.role ?? '',
    request: requestOf(app, row),
    status: status ? String(status) : '',
    bytes: bytes(flows.upAt(row, t) + flows.downAt(row, t)),
    took: duration(flows.tookAt(row, t)),
    why: open ? 'open' : failed ? `✕ ${words(failure)}` : words(why),
    whyLong: open ? 'still open' : failed && failure ? `failed: ${failures[failure]}` : why ? whys[why] : '',
    failed,
    open,
    told: flows.text(flows.rules, row),
    error: open ? '' : flows.text(flows.error, row),
  };
}
