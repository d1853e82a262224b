// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * How fast the page is, in headless Chromium: a recording of 100,000 flows, and one that grows by 2,000 a second.
 *
 *     node bench/page.mjs BUILD
 *
 * Everything is measured in the page itself, so the wire between this program and the browser is not in it. Without a
 * graphics card the browser paints on the processor: a person's is faster.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const FLOWS = 100_000;
const SECONDS = 5;
const LIVE_SECONDS = 15;
const FLOWS_A_SECOND = 2000;
const TURN_MS = 100;

const require = createRequire(new URL('../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const build = resolve(process.argv[2] ?? 'build');
const folder = mkdtempSync(join(tmpdir(), 'flightstrip-bench-'));

function say(what, value, unit, aim, better) {
  const reached = aim === undefined ? '' : `  (aim ${better === 'more' ? 'at least' : 'at most'} ${aim} ${unit})`;
  console.log(`${`page: ${what}`.padEnd(54)}${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}${reached}`);
}

/** Runs in the page before anything of its own: looks at each frame, and at tasks that hold the page up. */
function watch() {
  window.seen = { firstRow: 0, allRows: 0, longest: 0, frames: [], counts: false, wanted: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.seen.longest = Math.max(window.seen.longest, duration);
  }).observe({ type: 'longtask', buffered: true });
  let last = 0;
  const look = (now) => {
    const { seen } = window;
    const rows = Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') ?? 1) - 1;
    if (!seen.firstRow && document.querySelector('[role=row][aria-rowindex="2"], [role=row] [role=gridcell]')) seen.firstRow = now;
    if (!seen.allRows && seen.wanted && rows >= seen.wanted) seen.allRows = now;
    if (seen.counts) seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** Does something before each frame for a while. Returns frames a second and the longest task meanwhile. */
async function drive({ what, seconds }) {
  const { seen } = window;
  const box = document.querySelector('[role=grid] [role=rowgroup].box');
  const slider = document.querySelector('[role=slider]');
  const { left, width, top } = slider.getBoundingClientRect();
  const point = (type, share) =>
    slider.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, buttons: 1, bubbles: true, clientX: left + share * width, clientY: top + 5 }));
  const steps = {
    scroll: (i) => (box.scrollTop = i % 20 ? box.scrollTop + 180 : Math.random() * box.scrollHeight),
    scrub: (i) => point('pointermove', 0.5 + 0.5 * Math.sin(i / 40)),
    stand: () => {},
  };
  slider.setPointerCapture = () => {};
  slider.hasPointerCapture = () => true;
  if (what === 'scrub') point('pointerdown', 0.5);
  /* What is long of the loading is not of this. */
  await new Promise((next) => requestIdleCallback(next));
  await new Promise((next) => setTimeout(next, 500));
  seen.longest = 0;
  seen.frames = [];
  seen.counts = true;
  const end = performance.now() + seconds * 1000;
  for (let i = 0; performance.now() < end; i++) {
    steps[what](i);
    await new Promise((next) => requestAnimationFrame(next));
  }
  seen.counts = false;
  if (what === 'scrub') point('pointerup', 0.5);
  const sorted = seen.frames.slice(1).sort((a, b) => a - b);
  return { rate: 1000 / (sorted.reduce((a, b) => a + b, 0) / sorted.length), slow: sorted[Math.floor(sorted.length * 0.95)], longest: seen.longest };
}

/** When what came with the last rows is reckoned too. */
async function settled() {
  await new Promise((next) => setTimeout(next, 1500));
  return window.seen;
}

async function begin(...args) {
  const server = spawn(join(build, 'flightstrip'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = { server };
  for await (const line of createInterface({ input: server.stderr })) {
    said.link ??= line.match(/page is at (\S+)/)?.[1];
    said.proxy ??= line.match(/proxy is to be .*:(\d+)/)?.[1];
    if (said.link && (args[0] === 'open' || said.proxy)) return said;
  }
  throw new Error(`flightstrip ${args[0]} did not begin`);
}

async function visit(browser, link, wanted) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.addInitScript(watch);
  await page.addInitScript(`window.seen.wanted = ${wanted}`);
  await page.goto(link);
  return page;
}

async function heapMb(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
  return (usedSize + backingStorageSize) / 1e6;
}

async function recording(browser) {
  const file = join(folder, 'large.flight');
  execFileSync(join(build, 'bench/make_recording'), [file, String(FLOWS)]);
  const { server, link } = await begin('open', file, '--web', '127.0.0.1:0');
  const page = await visit(browser, link, FLOWS);
  await page.waitForFunction(() => window.seen.allRows, null, { timeout: 60_000 });
  const { firstRow, allRows, longest } = await page.evaluate(settled);
  say('100,000 flows, the first rows stand there after', firstRow / 1000, 's', 1);
  say('all of them are there after', allRows / 1000, 's');
  say('loading, the longest task', longest, 'ms');
  for (const [what, words] of [['scroll', 'scrolling'], ['scrub', 'scrubbing']]) {
    const { rate, slow, longest: held } = await page.evaluate(drive, { what, seconds: SECONDS });
    say(`${words}, frames a second`, rate, '/s', 50, 'more');
    say(`${words}, 95 of 100 frames within`, slow, 'ms');
    say(`${words}, the longest task`, held, 'ms', 50);
  }
  say('memory of its scripts', await heapMb(page), 'MB', 300);
  await page.close();
  server.kill();
}

/** proxy_load, asked for a few tunnels ten times a second. */
async function feed(load, lines, proxy, origin, seconds) {
  for (let turn = 0, due = performance.now(); turn < (seconds * 1000) / TURN_MS; turn++, due += TURN_MS) {
    load.stdin.write(`connect http 127.0.0.1:${proxy} 127.0.0.1:${origin} ${(FLOWS_A_SECOND * TURN_MS) / 1000} 5\n`);
    await lines.next();
    await new Promise((next) => setTimeout(next, Math.max(0, due + TURN_MS - performance.now())));
  }
}

async function live(browser) {
  const load = spawn(join(build, 'bench/proxy_load'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: load.stdout })[Symbol.asyncIterator]();
  const origin = (await lines.next()).value.split(' ').at(-1);
  const { server, link, proxy } = await begin('record', '-o', join(folder, 'live.flight'), '--proxy', '127.0.0.1:0',
    '--web', '127.0.0.1:0', '--connect-to', `::127.0.0.1:${origin}`, '--ports', 'any');
  const page = await visit(browser, link, 0);
  const fed = feed(load, lines, proxy, origin, LIVE_SECONDS);
  const { rate, longest } = await page.evaluate(drive, { what: 'stand', seconds: LIVE_SECONDS });
  await fed;
  /* The load comes from several addresses, and a page looks at one device. */
  const ended = performance.now();
  const { devices } = await (await fetch(`${link}api/v1/recordings/1/devices`)).json();
  await page.waitForFunction((n) => Number(document.querySelector('[role=grid]').getAttribute('aria-rowcount')) > n,
    devices[0].flow_count, { timeout: 60_000 });
  say('live at 2,000 flows/s, frames a second', rate, '/s');
  say('live, the longest task', longest, 'ms', 50);
  say('live, all rows are there after the last flow within', (performance.now() - ended) / 1000, 's', 1);
  await page.close();
  server.kill();
  load.stdin.end();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  await recording(browser);
  await live(browser);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
