// SPDX-License-Identifier: GPL-3.0-or-later
/** What the server is asked, as docs/api.md has it. */
import type { Confidence, Flow, Observation, Severity } from './generated';

export interface About {
  flightstrip: string;
  api: number;
  may_write: boolean;
}

export interface Recording {
  id: string;
  name: string;
  kind: string;
  began: string;
  began_wall_us: number;
  now_us: number;
  live: boolean;
  takes_notes: boolean;
  seq: number;
  flow_count: number;
  flows_from: number;
  device_count: number;
}

export interface Endpoint {
  pattern: string;
  service: string;
  role: string;
  phases: string;
  required: string;
  inspection_unsupported: boolean;
  proxies_unsupported: boolean;
}

export interface Service {
  id: string;
  title: string;
  says: string;
}

export interface Knowledge {
  endpoints: Endpoint[];
  services: Service[];
}

export interface Phase {
  id: string;
  title: string;
  start_ms: number;
  end_ms: number;
  open: boolean;
  confidence: Confidence;
}

export interface Device {
  device: number;
  id: string;
  name: string;
  address: string;
  scenario: { id: string; title: string; confidence: Confidence };
  outcome: { state: string; why: string };
  start_ms: number;
  end_ms: number;
  flow_count: number;
  bytes_up: number;
  bytes_down: number;
  unattributed_ms: number;
  phase: string | null;
  phases: Phase[];
  finding_counts: Record<Severity, number>;
}

export interface Moment {
  id: string;
  at_ms: number;
  title: string;
  says: string;
  phase: string | null;
  confidence: Confidence;
  evidence: number[];
  evidence_count: number;
}

export interface Finding {
  id: string;
  severity: Severity;
  at_ms: number;
  title: string;
  says: string;
  remedy: string;
  confidence: Confidence;
  evidence: number[];
  evidence_count: number;
}

export interface Coverage {
  source: string;
  start_ms: number;
  end_ms: number;
  gap: boolean;
}

export interface Strip extends Omit<Device, 'phase' | 'finding_counts'> {
  moments: Moment[];
  findings: Finding[];
  coverage: Coverage[];
}

export interface Note {
  id: number;
  at_us: number;
  text: string;
}

export interface Rule {
  id: string;
  kind: string;
  title: string;
  says: string;
  file: string;
  line: number;
}

export type Row = Flow[keyof Flow][];

export interface FlowPage {
  seq: number;
  columns: (keyof Flow)[];
  rows: Row[];
  next: number | null;
}

/** What the server said no with: its own sentence. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, says: string) {
    super(says);
    this.status = status;
  }
}

/** Nobody answered. */
export class Unreachable extends Error {}

export const ROOT = 'api/v1';

export function pathOf(recording: string): string {
  return `${ROOT}/recordings/${encodeURIComponent(recording)}`;
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const text = await answer.text();
  try {
    return new Refusal(answer.status, (JSON.parse(text) as { error: string }).error);
  } catch {
    return new Refusal(answer.status, text.trim() || answer.statusText);
  }
}

async function ask<T>(path: string, options?: RequestInit): Promise<T> {
  const answer = await fetch(path, options).catch(() => {
    throw new Unreachable('flightstrip does not answer: is it still running?');
  });
  if (!answer.ok) throw await refusalOf(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

function say<T>(method: string, path: string, body?: object): Promise<T> {
  return ask<T>(path, {
    method,
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  });
}

export const about = () => ask<About>(ROOT);
export const knowledge = () => ask<Knowledge>(`${ROOT}/endpoints`);
export const rule = (id: string) => ask<Rule>(`${ROOT}/rules/${encodeURIComponent(id)}`);

export const recordings = async () =>
  (await ask<{ recordings: Recording[] }>(`${ROOT}/recordings`)).recordings;

export const devices = async (recording: string) =>
  (await ask<{ devices: Device[] }>(`${pathOf(recording)}/devices`)).devices;

export const strip = async (recording: string, device: string) =>
  (await ask<{ strip: Strip }>(`${pathOf(recording)}/devices/${encodeURIComponent(device)}`)).strip;

export const flowPage = (recording: string, after: number, limit: number) =>
  ask<FlowPage>(`${pathOf(recording)}/flows?after=${after}&limit=${limit}`);

export const flow = (recording: string, number: number) =>
  ask<{ flow: Flow; observations: Observation[] }>(`${pathOf(recording)}/flows/${number}`);

export const observations = async (recording: string, seqs: number[]) =>
  (
    await ask<{ observations: Observation[] }>(
      `${pathOf(recording)}/observations?seqs=${seqs.join(',')}`,
    )
  ).observations;

export const notes = async (recording: string) =>
  (await ask<{ notes: Note[] }>(`${pathOf(recording)}/notes`)).notes;

export const addNote = (recording: string, note: Omit<Note, 'id'>) =>
  say<Note>('POST', `${pathOf(recording)}/notes`, note);

export const changeNote = (recording: string, note: Note) =>
  say<Note>('PUT', `${pathOf(recording)}/notes/${note.id}`, { at_us: note.at_us, text: note.text });

export const removeNote = (recording: string, id: number) =>
  say<void>('DELETE', `${pathOf(recording)}/notes/${id}`);
