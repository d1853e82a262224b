// SPDX-License-Identifier: GPL-3.0-or-later
/** Flows to test with: what is not given is that of a short tunnel that went well. */
import type { Row } from '../src/api/client';
import { columns, type Flow } from '../src/api/generated';

export function flowRow(given: Partial<Flow>): Row {
  const opened = given.opened_us ?? 1e6;
  const flow: Flow = {
    flow: 1,
    device: 1,
    seq: 1,
    opened_us: opened,
    resolve_ms: 10,
    connect_ms: 20,
    connected_us: opened + 30e3,
    hello_us: opened + 40e3,
    answered_us: opened + 90e3,
    ended_us: opened + 1e6,
    how: 'connect',
    host: 'login.live.com',
    port: 443,
    sni: '',
    endpoint: null,
    method: '',
    url: '',
    status: 0,
    content_type: '',
    bytes_up: 1000,
    bytes_down: 5000,
    why: 'device-closed',
    failure: '',
    error: '',
    rules: '',
    moved: [opened + 100e3, 500, 1000, opened + 1e6, 1000, 5000],
    ...given,
  };

  return columns.map((name) => flow[name]);
}
