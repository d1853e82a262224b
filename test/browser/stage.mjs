// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * stage: the program, and a browser that looks at its page.
 *
 * A test begins flightstrip with `begin`, which waits for the link that it prints, and looks at the page with
 * `visit`. Both end with the test. Whoever visits keeps a list of what must never happen: a dialog, an error in a
 * script, something that the page's policy refused, a request to anybody but the server; `visit` looks at it at the
 * end. Every wait is for a condition, and fails after SECONDS.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = new URL('../..', import.meta.url).pathname;
const require = createRequire(join(root, 'web/package.json'));
const { chromium } = require('playwright-core');

export const axeSource = require('axe-core').source;
export const { FLIGHTSTRIP: program, MAKE_RECORDING: makeRecording, CHROMIUM: chromiumPath } = process.env;

const SECONDS = Number(process.env.SECONDS ?? 60);

const run = promisify(execFile);

/** Somewhere to write to, gone at the end. */
export const folder = mkdtempSync(join(tmpdir(), 'flightstrip-page-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** One after the other, whether or not one fails. */
async function inTurn(acts) {
  const done = [];
  for (const act of acts) done.push(...(await Promise.allSettled([Promise.resolve().then(act)])));
  return done;
}

/* A page ends before its server does: what is begun last ends first. */
const endings = new WeakMap();

export function atEnd(t, end) {
  if (!endings.has(t)) {
    endings.set(t, []);
    t.after(async () => {
      const ended = await inTurn(endings.get(t).reverse());
      for (const { status, reason } of ended) if (status === 'rejected') throw reason;
    });
  }
  endings.get(t).push(end);
}

let files = 0;
export const newFile = (ending = 'flight') => join(folder, `${++files}.${ending}`);

export async function flightstrip(...args) {
  return (await run(program, args, { maxBuffer: 1 << 28 })).stdout;
}

/** Rehearsed as fast as this machine can: a run of twenty minutes, as a recording. */
export async function rehearsed(scenario = 'user-driven-2019') {
  const file = newFile();
  await flightstrip('rehearse', '--speed', 'max', '-o', file, scenario);
  return file;
}

/** A recording of any size. */
export async function made(flows, devices = 1) {
  const file = newFile();
  await run(makeRecording, [file, String(flows), String(devices)]);
  return file;
}

/** A promise that also fails when it takes too long, with what was hoped for. */
function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${SECONDS} s have passed, and ${what()}`)), SECONDS * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Until the function gives something true, which is handed on. */
export async function until(asked, says = 'it is not so', everyMs = 20) {
  const end = Date.now() + SECONDS * 1000;
  for (;;) {
    const got = await asked();
    if (got) return got;
    if (Date.now() > end) throw new Error(`${SECONDS} s have passed, and ${typeof says === 'string' ? says : says()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** flightstrip, while it serves its page: the link is the one that it prints first, which allows everything. */
export class Server {
  said = '';

  constructor(command, args) {
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.gone = new Promise((resolve) => this.process.on('exit', resolve));
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (data) => (this.said += data));
  }

  /** What it says, as soon as it does. */
  async hears(pattern) {
    let has;
    const heard = new Promise((resolve, reject) => {
      has = () => pattern.test(this.said) && resolve(this.said.match(pattern));
      for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', has);
      this.gone.then(() => reject(new Error(`it ended and said: ${this.said}`)));
      has();
    });
    return within(heard, () => `no ${pattern} in: ${this.said}`);
  }

  async linked() {
    this.link = (await this.hears(/page is at ([^\s,]+)/))[1];
    return this;
  }

  get origin() {
    return new URL(this.link).origin;
  }

  get port() {
    return new URL(this.link).port;
  }

  async api(path, options) {
    const answer = await fetch(`${this.origin}/api/v1${path}`, options);
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  async end(signal = 'SIGTERM') {
    this.process.kill(signal);
    await this.gone;
  }
}

/** Begins flightstrip with a page on a port of the kernel's, unless another is named, and ends it after the test. */
export async function begin(t, args, web = '127.0.0.1:0') {
  const server = new Server(program, [...args, '--web', web]);
  atEnd(t, () => server.end('SIGKILL'));
  return server.linked();
}

/** One that shows a file to every test of a program, for tests that change nothing in it: node does not wait for it. */
export async function opened(file) {
  const server = await new Server(program, ['open', file, '--web', '127.0.0.1:0']).linked();

  for (const handle of [server.process, server.process.stdout, server.process.stderr]) handle.unref();
  process.on('exit', () => server.process.kill('SIGKILL'));
  return server;
}

/** The same, as if somebody sat at a terminal before it. */
export async function beginAtTerminal(t, args) {
  const command = [program, ...args, '--web', '127.0.0.1:0'].map((word) => `'${word}'`).join(' ');
  const server = new Server('script', ['--quiet', '--return', '--command', `exec ${command}`, '/dev/null']);
  atEnd(t, () => server.end('SIGTERM'));
  return server.linked();
}

/** All of a list that comes in pages. */
export async function allOf(server, path, name) {
  const all = [];
  for (let after = 0; after !== null; ) {
    const page = await server.api(`${path}?limit=10000&after=${after}`);
    all.push(...page[name]);
    after = page.next;
  }
  return all;
}

/** Its flows, as objects by the columns' names. */
export async function flowsOf(server, recording = '1') {
  const { columns } = await server.api(`/recordings/${recording}/flows?limit=1`);
  const rows = await allOf(server, `/recordings/${recording}/flows`, 'rows');
  return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
}

export const observationsOf = (server, recording = '1') => allOf(server, `/recordings/${recording}/observations`, 'observations');

let browser;

export async function theBrowser() {
  browser ??= await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  });
  return browser;
}

export async function endBrowser() {
  await browser?.close();
}

/** What must not happen on a page, as it happens. `isExpected` says which errors the test provokes itself. */
function watch(page, origin, isExpected) {
  const faults = [];
  const add = (fault) => isExpected(fault) || faults.push(fault);

  page.on('console', (message) => message.type() === 'error' && add(`console: ${message.text()}`));
  page.on('pageerror', (error) => add(`script: ${error.message}`));
  page.on('dialog', (dialog) => {
    add(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== origin) add(`request: ${request.url()}`);
  });
  return faults;
}

/**
 * The page, as somebody sees it who came by the link. Options: hash, what stands behind the #; isExpected, of errors;
 * the rest is of the browser.
 */
export async function visit(t, server, { hash = '', isExpected = () => false, context, ...options } = {}) {
  const own = context ?? (await (await theBrowser()).newContext({ viewport: { width: 1600, height: 900 }, ...options }));
  const page = await own.newPage();
  const faults = watch(page, server.origin, isExpected);

  page.setDefaultTimeout(SECONDS * 1000);
  atEnd(t, async () => {
    await own.close();
    assert.deepEqual(faults, []);
  });
  await page.goto(server.link + hash);
  return page;
}
