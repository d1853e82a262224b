// SPDX-License-Identifier: GPL-3.0-or-later
import { afterEach, expect, test, vi } from 'vitest';

import * as api from '../src/api/client';

function answers(status: number, body: string | null) {
  const asked = vi.fn(async (..._: unknown[]) => new Response(body, { status }));
  vi.stubGlobal('fetch', asked);
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test('what is asked for is what comes', async () => {
  const asked = answers(200, '{"recordings": [{"id": "1"}]}');

  expect(await api.recordings()).toEqual([{ id: '1' }]);
  expect(asked.mock.calls[0]![0]).toBe('api/v1/recordings');
});

test('ids are parts of a path, whatever is in them', async () => {
  const asked = answers(200, '{"strip": {}}');

  await api.strip('../x', 'a/b?c');
  expect(asked.mock.calls[0]![0]).toBe('api/v1/recordings/..%2Fx/devices/a%2Fb%3Fc');
});

test("a refusal says the server's own sentence", async () => {
  answers(404, '{"error": "there is no such recording"}');
  await expect(api.devices('9')).rejects.toEqual(new api.Refusal(404, 'there is no such recording'));
});

test('a refusal that is no JSON is told as it is', async () => {
  answers(502, 'Bad gateway\n');
  await expect(api.about()).rejects.toThrow('Bad gateway');
});

test('that nobody answers is told in words', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  await expect(api.about()).rejects.toBeInstanceOf(api.Unreachable);
});

test('notes are written, changed and removed', async () => {
  const asked = answers(200, '{"id": 3, "at_us": 5, "text": "a"}');
  await api.addNote('1', { at_us: 5, text: 'a' });
  await api.changeNote('1', { id: 3, at_us: 6, text: 'b' });
  expect(asked.mock.calls.map(([path, options]) => [path, (options as RequestInit).method, (options as RequestInit).body])).toEqual([
    ['api/v1/recordings/1/notes', 'POST', '{"at_us":5,"text":"a"}'],
    ['api/v1/recordings/1/notes/3', 'PUT', '{"at_us":6,"text":"b"}'],
  ]);
  answers(204, null);
  expect(await api.removeNote('1', 3)).toBeUndefined();
});
