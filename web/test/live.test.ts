// SPDX-License-Identifier: GPL-3.0-or-later
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Live, type LiveListener } from '../src/api/live';

/** An EventSource that is led by hand. */
class Source {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  isClosed = false;
  readonly url: string;
  private readonly listeners = new Map<string, (event: object) => void>();

  constructor(url: string) {
    this.url = url;
    Source.all.push(this);
  }

  addEventListener(name: string, listener: (event: object) => void): void {
    this.listeners.set(name, listener);
  }

  say(name: string, data: object, id = ''): void {
    this.listeners.get(name)!({ data: JSON.stringify(data), lastEventId: id });
  }

  fail(isRefused: boolean): void {
    this.readyState = isRefused ? Source.CLOSED : 0;
    this.onerror?.();
  }

  close(): void {
    this.isClosed = true;
  }
}

let heard: string[];

const listener: LiveListener = {
  flows: (rows, nowUs) => heard.push(`flows ${rows.length} ${nowUs}`),
  devices: (devices) => heard.push(`devices ${devices.length}`),
  notes: () => heard.push('notes'),
  clock: (nowUs) => heard.push(`clock ${nowUs}`),
  reset: () => heard.push('reset'),
  end: (nowUs) => heard.push(`end ${nowUs}`),
  connected: (is) => heard.push(is ? 'connected' : 'lost'),
  refused: () => heard.push('refused'),
};

const last = () => Source.all.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Source);
  Source.all = [];
  heard = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('what the stream says is told', () => {
  new Live('a b', 31, listener);
  expect(last().url).toBe('api/v1/recordings/a%20b/live?after=31');
  last().onopen!();
  last().say('flows', { now_us: 5, rows: [[1], [2]] }, '33');
  last().say('devices', { now_us: 5, devices: [{}] });
  last().say('notes', {});
  last().say('clock', { now_us: 6, seq: 33 });
  expect(heard).toEqual(['connected', 'flows 2 5', 'devices 1', 'notes', 'clock 6']);
});

test('a connection that is lost is made again from where everything is known, ever more patiently', () => {
  new Live('1', 0, listener);
  last().say('flows', { now_us: 5, rows: [] }, '33');
  last().fail(false);
  for (const wait of [250, 500, 1000, 2000, 4000, 5000, 5000]) {
    const tried = Source.all.length;
    expect(last().isClosed).toBe(true);
    vi.advanceTimersByTime(wait - 1);
    expect(Source.all.length).toBe(tried);
    vi.advanceTimersByTime(1);
    expect(Source.all.length).toBe(tried + 1);
    expect(last().url).toContain('after=33');
    last().fail(false);
  }
  vi.advanceTimersByTime(5000);
  last().onopen!();
  expect(heard.at(-1)).toBe('connected');
  last().fail(false);
  vi.advanceTimersByTime(250);
  expect(heard.at(-1)).toBe('lost');
});

test('a server that is there and refuses is told apart', () => {
  new Live('1', 0, listener);
  last().fail(true);
  expect(heard).toEqual(['lost', 'refused']);
});

test('a stream that says nothing for long is dead', () => {
  new Live('1', 0, listener);
  vi.advanceTimersByTime(9000);
  last().say('clock', { now_us: 1, seq: 0 });
  vi.advanceTimersByTime(9000);
  expect(heard).toEqual(['clock 1']);
  vi.advanceTimersByTime(1000);
  expect(heard).toEqual(['clock 1', 'lost']);
  vi.advanceTimersByTime(250);
  expect(Source.all.length).toBe(2);
});

test.each([
  ['end', 'end 9'],
  ['reset', 'reset'],
])('after %s nothing is asked for any more', (name, says) => {
  new Live('1', 0, listener);
  last().say(name, { now_us: 9 });
  vi.advanceTimersByTime(60_000);
  expect(heard).toEqual([says]);
  expect(Source.all.length).toBe(1);
  expect(last().isClosed).toBe(true);
});

test('what comes late from a stream that was given up is not told', () => {
  const live = new Live('1', 0, listener);

  live.stop();
  last().say('clock', { now_us: 9, seq: 1 });
  expect(heard).toEqual([]);
});
