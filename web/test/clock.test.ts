// SPDX-License-Identifier: GPL-3.0-or-later
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Clock, speeds } from '../src/model/clock.svelte';

const SECOND = 1e6;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  vi.stubGlobal('requestAnimationFrame', (step: (at: number) => void) => setTimeout(() => step(performance.now()), 16));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function stopped(nowUs = 100 * SECOND): Clock {
  const clock = new Clock();
  clock.say(nowUs, false);
  return clock;
}

test('a recording that has ended is seen at its end', () => {
  expect(stopped().t).toBe(100 * SECOND);
});

test('it plays at its speed, and stops at the end', () => {
  const clock = stopped();

  clock.speed = 10;
  clock.play();
  expect(clock.t).toBe(0);
  vi.advanceTimersByTime(5000);
  expect(clock.t / SECOND).toBeCloseTo(50, 0);
  clock.pause();
  vi.advanceTimersByTime(5000);
  expect(clock.t / SECOND).toBeCloseTo(50, 0);
  clock.play();
  vi.advanceTimersByTime(20_000);
  expect(clock.t).toBe(100 * SECOND);
  expect(clock.playing).toBe(false);
});

test('a hand leads it within the recording', () => {
  const clock = stopped();

  clock.seek(-5);
  expect(clock.t).toBe(0);
  clock.seek(1e12);
  expect(clock.t).toBe(100 * SECOND);
  expect(clock.follows).toBe(false);
});

test('live it stays at the edge, and moves on between two words of the server', () => {
  const clock = new Clock();

  clock.say(10 * SECOND, true);
  vi.advanceTimersByTime(500);
  expect(clock.t / SECOND).toBeCloseTo(10.5, 1);
  vi.advanceTimersByTime(500);
  clock.say(11 * SECOND, true);
  vi.advanceTimersByTime(60_000);
  expect(clock.t / SECOND).toBeLessThan(13);
});

test('live it can stand, while the edge goes on', () => {
  const clock = new Clock();

  clock.say(10 * SECOND, true);
  clock.seek(4 * SECOND);
  clock.say(20 * SECOND, true);
  expect(clock.t).toBe(4 * SECOND);
  expect(clock.now).toBe(20 * SECOND);
  clock.follow();
  expect(clock.t).toBe(20 * SECOND);
});

test('played to the edge of what is live, it is live again', () => {
  const clock = new Clock();

  clock.say(10 * SECOND, true);
  clock.seek(9.9 * SECOND);
  clock.speed = 120;
  clock.play();
  vi.advanceTimersByTime(100);
  expect(clock.playing).toBe(false);
  expect(clock.follows).toBe(true);
});

test('speeds have an end on both sides', () => {
  const clock = stopped();

  for (let i = 0; i < 20; i++) clock.faster(1);
  expect(clock.speed).toBe(speeds.at(-1));
  for (let i = 0; i < 20; i++) clock.faster(-1);
  expect(clock.speed).toBe(1);
});

test("another window's clock is taken over", () => {
  const clock = stopped();

  clock.take({ follows: false, playing: true, speed: 30, t: 40 * SECOND });
  vi.advanceTimersByTime(1000);
  expect(clock.t / SECOND).toBeCloseTo(70, 0);
  clock.take({ follows: true, playing: false, speed: 1, t: 0 });
  expect(clock.t).toBe(100 * SECOND);
});
