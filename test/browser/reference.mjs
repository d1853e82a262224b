// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * reference: what the page has to show, reckoned from what the API says, in the plainest way: every flow is looked at
 * for every question. Times are microseconds since the recording began.
 */
import { flowsOf, observationsOf } from './stage.mjs';

/** Everything that a server knows of a recording. */
export async function worldOf(server, recording = '1') {
  const [{ endpoints, services }, { devices }, flows, observations] = await Promise.all([
    server.api('/endpoints'),
    server.api(`/recordings/${recording}/devices`),
    flowsOf(server, recording),
    observationsOf(server, recording),
  ]);
  const info = (await server.api('/recordings')).recordings.find((one) => one.id === recording);
  flows.sort((a, b) => a.opened_us - b.opened_us || a.flow - b.flow);
  return { endpoints, services, devices, flows, observations, info, byFlow: new Map(flows.map((flow) => [flow.flow, flow])) };
}

/** The flows as they were at t, by what had been observed of each until then. */
export function foldTo(world, t) {
  const flows = new Map();

  for (const o of world.observations) {
    if (!o.flow || o.at_us > t) continue;
    const flow = flows.get(o.flow) ?? { flow: o.flow, up: 0, down: 0, status: 0, open: true, points: 0 };
    flows.set(o.flow, flow);
    if (o.kind === 'flow-opened') Object.assign(flow, { opened: o.at_us, host: o.host });
    if (o.kind === 'http-response') flow.status = o.status;
    if (o.kind === 'flow-progress' || o.kind === 'flow-closed')
      Object.assign(flow, { up: o.bytes_up ?? flow.up, down: o.bytes_down ?? flow.down });
    if (o.kind === 'flow-progress') flow.points++;
    if (o.kind === 'flow-closed') Object.assign(flow, { open: false, ended: o.at_us, failed: world.byFlow.get(o.flow).failure !== '' });
  }
  return flows;
}

/** "840 B", "4.1 kB": as the page writes it. */
export function bytesText(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(n, 1) / 0.9995) / 3)));
  const value = n / 1000 ** unit;
  return `${unit && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const endedBy = (flow, t) => flow.ended_us !== null && flow.ended_us <= t;
const tookAt = (flow, t) => Math.min(flow.ended_us ?? Infinity, t) - flow.opened_us;
const statusAt = (flow, t) => (flow.answered_us !== null && flow.answered_us <= t ? flow.status : 0);
const serviceOf = (world, flow) => (flow.endpoint === null ? null : world.endpoints[flow.endpoint]);

function phaseOf(world, flow) {
  const ms = flow.opened_us / 1000;
  const { phases } = world.devices.find((device) => device.device === flow.device);
  return phases.find((phase) => ms >= phase.start_ms && (ms < phase.end_ms || phase.open))?.id;
}

function anywhere(world, flow, text) {
  const endpoint = serviceOf(world, flow);
  const title = endpoint && world.services.find((service) => service.id === endpoint.service)?.title;
  const known = endpoint ? `${endpoint.service} ${title ?? endpoint.service} ${endpoint.role}` : '';
  return [flow.host, flow.url, known].some((where) => where.toLowerCase().includes(text));
}

/** The words of the filter, each with what it asks of a flow at a time, in a world. Some pass what is there at the end. */
export const words = {
  intune: (flow, t, world) => anywhere(world, flow, 'intune'),
  '"windows update"': (flow, t, world) => anywhere(world, flow, 'windows update'),
  '!ocsp': (flow, t, world) => !anywhere(world, flow, 'ocsp'),
  'host:.microsoft.com': (flow) => flow.host.includes('.microsoft.com'),
  '!host:login.': (flow) => !flow.host.includes('login.'),
  'url:http': (flow) => flow.url.includes('http'),
  'service:ocsp-crl': (flow, t, world) => serviceOf(world, flow)?.service === 'ocsp-crl',
  '!service:telemetry': (flow, t, world) => serviceOf(world, flow)?.service !== 'telemetry',
  'method:GET': (flow) => flow.method === 'GET',
  'method:connect': (flow) => (flow.method || flow.how).toLowerCase() === 'connect',
  'how:absolute-form': (flow) => flow.how === 'absolute-form',
  'why:device-closed': (flow) => flow.why === 'device-closed',
  'failure:reset': (flow) => flow.failure === 'reset',
  'type:application': (flow) => flow.content_type.includes('application'),
  'device:device-1': (flow) => flow.device === 1,
  'phase:esp-device': (flow, t, world) => phaseOf(world, flow) === 'esp-device',
  'bytes>100kB': (flow) => flow.bytes_up + flow.bytes_down > 100e3,
  'up>=2kB': (flow) => flow.bytes_up >= 2e3,
  'down<4KiB': (flow) => flow.bytes_down < 4096,
  'took>2s': (flow, t) => tookAt(flow, t) > 2e6,
  'took<=500ms': (flow, t) => tookAt(flow, t) <= 500e3,
  'status>=400': (flow, t) => statusAt(flow, t) >= 400,
  'status:200': (flow, t) => statusAt(flow, t) === 200,
  'port:80': (flow) => flow.port === 80,
  failed: (flow, t) => flow.failure !== '' && endedBy(flow, t),
  '!failed': (flow, t) => !(flow.failure !== '' && endedBy(flow, t)),
  open: (flow, t) => !endedBy(flow, t),
  told: (flow) => flow.rules !== '',
  http: (flow) => flow.url !== '',
};

/** The flows that pass all of these words, in the table's order. */
export function passing(world, asked, t = world.info.now_us) {
  return world.flows.filter((flow) => asked.every((word) => words[word](flow, t, world))).map((flow) => flow.flow);
}
