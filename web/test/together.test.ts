// SPDX-License-Identifier: GPL-3.0-or-later
import { expect, test } from 'vitest';

import { type Channel, joinWindows, type Look, type Word } from '../src/model/together';

const look: Look = {
  recording: '1',
  device: 'device-1',
  filter: '',
  range: null,
  window: null,
  flow: null,
  moment: '',
  follows: false,
  playing: false,
  speed: 1,
  t: 5,
};

/** Channels on which each hears the others, once `settle` is called. */
function room() {
  const all: Channel[] = [];
  const said: Word[] = [];
  const waiting: (() => void)[] = [];

  return {
    said,
    settle: () => {
      while (waiting.length) waiting.shift()!();
    },
    enter(): Channel {
      const channel: Channel = {
        onmessage: null,
        postMessage(word) {
          const data = structuredClone(word);
          said.push(word);
          for (const other of all)
            if (other !== channel) waiting.push(() => other.onmessage?.({ data } as MessageEvent<Word>));
        },
        close: () => void all.splice(all.indexOf(channel), 1),
      };
      all.push(channel);
      return channel;
    },
  };
}

/** A window: it looks where it is told to, and says so, as the page does. */
function open(channel: Channel) {
  const window = { look, takes: 0, set, together: joinWindows(channel, take) };

  function set(change: Partial<Look>) {
    window.look = { ...window.look, ...change };
    window.together.tell(window.look);
  }
  function take(told: Look) {
    window.takes++;
    set(told);
  }
  return window;
}

test('one window follows the other, both ways, and each word is said once', () => {
  const { enter, said, settle } = room();
  const a = open(enter());
  const b = open(enter());

  settle();
  said.length = 0;
  a.set({ filter: 'failed' });
  settle();
  expect(b.look.filter).toBe('failed');
  b.set({ flow: 17, range: { from: 1, to: 2 } });
  settle();
  expect(a.look).toEqual(b.look);
  expect(said).toHaveLength(2);
});

test('who comes late is told', () => {
  const { enter, settle } = room();
  const a = open(enter());

  a.set({ filter: 'intune' });
  const b = open(enter());
  settle();
  expect(b.look.filter).toBe('intune');
});

test('a clock that goes is not told of at every step', () => {
  const { enter, said, settle } = room();
  const a = open(enter());
  const b = open(enter());

  a.set({ playing: true, t: 10 });
  settle();
  expect(b.look.t).toBe(10);
  said.length = 0;
  for (let t = 11; t < 100; t++) a.set({ t });
  expect(said).toEqual([]);
  a.set({ playing: false, t: 100 });
  settle();
  expect(b.look).toMatchObject({ playing: false, t: 100 });
});

test('who has left hears nothing', () => {
  const { enter, settle } = room();
  const a = open(enter());
  const b = open(enter());

  settle();
  b.together.stop();
  a.set({ filter: 'x' });
  settle();
  expect(b.look.filter).toBe('');
});
