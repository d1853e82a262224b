// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The filter over flows: words that all have to hold.
 *
 *     intune                 somewhere in host, URL, service or role
 *     host:.microsoft.com    service:office-cdn   method:POST   phase:esp-device   device:vm-01   why:server-reset
 *     bytes>1MB   up>10kB   down>=1GB   took>2s   status>=400   port:80
 *     failed   open   told   http   !ocsp   !host:login.live.com   "two words"
 *
 * What cannot be understood is told, and nothing is left out because of it.
 */
import type { FlowStore } from './flows';

/** What a filter may ask of the rest of the recording. */
export interface FilterWorld {
  flows: FlowStore;
  /** Id and title of the service, and the role: "" where a host is not known. */
  serviceOf(endpoint: number): string;
  whatOf(endpoint: number): string;
  deviceOf(device: number): string;
  /** In which phase of its device that time lies. */
  phaseAt(device: number, us: number): string;
}

export type Test = (row: number, t: number) => boolean;

export interface Filter {
  test: Test;
  /** Whether a flow passes may change while it lasts. */
  changes: boolean;
  /** Every flow passes. */
  isEmpty: boolean;
  /** What could not be understood, each a sentence. */
  problems: string[];
}

interface Word {
  not: boolean;
  key: string;
  operator: string;
  value: string;
  /** It stood in quotes: a text, whatever it says. */
  quoted: boolean;
}

/* What looks like the scheme of a URL is no key. `status:>=400` says the same as `status>=400`. */
const WORD = /(!?)(?:([a-z]+)(:?(?:>=|<=|>|<)|=|:(?!\/\/)))?("(?:[^"\\]|\\.)*"?|\S*)/giy;

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1).replace(/"$/, '').replace(/\\(.)/g, '$1') : text;
}

export function wordsOf(text: string): Word[] {
  const found: Word[] = [];

  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.length) {
    if (/\s/.test(text[WORD.lastIndex]!)) {
      WORD.lastIndex++;
      continue;
    }
    const match = WORD.exec(text);
    if (!match || !match[0]) break;
    const value = match[4] ?? '';
    found.push({
      not: match[1] === '!',
      key: (match[2] ?? '').toLowerCase(),
      operator: (match[3] ?? '').replace(/^:(?=.)/, ''),
      value: unquoted(value),
      quoted: value.startsWith('"'),
    });
  }
  return found;
}

const BYTES: Record<string, number> = { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };
const TIMES: Record<string, number> = { '': 1e6, us: 1, ms: 1e3, s: 1e6, min: 6e7, m: 6e7, h: 3.6e9 };

function quantity(value: string, units: Record<string, number>): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value);
  const unit = match && match[2]!.toLowerCase();

  return match && unit !== null && Object.hasOwn(units, unit) ? Number(match[1]) * units[unit]! : NaN;
}

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  ':': (a, b) => a === b,
  '=': (a, b) => a === b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

type NumberOf = (world: FilterWorld, row: number, t: number) => number;

const numbers: Record<string, { of: NumberOf; units: Record<string, number>; such: string }> = {
  bytes: { of: ({ flows }, row, t) => flows.upAt(row, t) + flows.downAt(row, t), units: BYTES, such: 'bytes>1MB' },
  up: { of: ({ flows }, row, t) => flows.upAt(row, t), units: BYTES, such: 'up>10kB' },
  down: { of: ({ flows }, row, t) => flows.downAt(row, t), units: BYTES, such: 'down>10kB' },
  took: { of: ({ flows }, row, t) => flows.tookAt(row, t), units: TIMES, such: 'took>2s' },
  status: { of: ({ flows }, row, t) => flows.statusAt(row, t), units: { '': 1 }, such: 'status>=400' },
  port: { of: ({ flows }, row) => flows.port[row]!, units: { '': 1 }, such: 'port:80' },
};

type TextOf = (world: FilterWorld, row: number) => string;

/** Taken when the text begins with, or for hosts and URLs has in it, what was asked for. */
const texts: Record<string, { of: TextOf; whole: boolean }> = {
  host: { of: ({ flows }, row) => flows.text(flows.host, row), whole: false },
  url: { of: ({ flows }, row) => flows.url(row), whole: false },
  service: { of: ({ flows, serviceOf }, row) => serviceOf(flows.endpoint[row]!), whole: true },
  method: { of: ({ flows }, row) => flows.text(flows.method, row) || flows.text(flows.how, row), whole: true },
  how: { of: ({ flows }, row) => flows.text(flows.how, row), whole: true },
  why: { of: ({ flows }, row) => flows.text(flows.why, row), whole: true },
  failure: { of: ({ flows }, row) => flows.text(flows.failure, row), whole: true },
  type: { of: ({ flows }, row) => flows.text(flows.contentType, row), whole: false },
  device: { of: ({ flows, deviceOf }, row) => deviceOf(flows.device[row]!), whole: true },
  phase: { of: ({ flows, phaseAt }, row) => phaseAt(flows.device[row]!, flows.opened[row]!), whole: true },
};

/** What of a flow is another as time goes by. */
const changing = new Set(['bytes', 'up', 'down', 'took', 'status', 'failed', 'open']);

const flags: Record<string, (world: FilterWorld) => Test> = {
  failed: ({ flows }) => (row, t) => flows.failedAt(row, t),
  open: ({ flows }) => (row, t) => flows.isOpenAt(row, t),
  told: ({ flows }) => (row) => flows.rules[row] !== 0,
  http: ({ flows }) => (row) => flows.url(row) !== '',
};

function isFlag(word: Word): boolean {
  return !word.key && !word.quoted && Object.hasOwn(flags, word.value.toLowerCase());
}

/** Everything that words without a key are looked for in. */
function anywhere(world: FilterWorld, value: string): Test {
  const { flows } = world;
  const wanted = value.toLowerCase();
  /* Hosts and endpoints are few, URLs are long: what was found out of one is kept. */
  const hosts = new Map<number, boolean>();
  const endpoints = new Map<number, boolean>();
  const urls = new Map<number, boolean>();
  const known = (map: Map<number, boolean>, key: number, text: () => string) => {
    let is = map.get(key);
    if (is === undefined) map.set(key, (is = text().toLowerCase().includes(wanted)));
    return is;
  };

  return (row) =>
    known(hosts, flows.host[row]!, () => flows.text(flows.host, row)) ||
    known(endpoints, flows.endpoint[row]!, () => world.whatOf(flows.endpoint[row]!)) ||
    (flows.url(row) !== '' && known(urls, row, () => flows.url(row)));
}

function numberTest(world: FilterWorld, word: Word): Test | string {
  const { of, units, such } = numbers[word.key]!;
  const wanted = quantity(word.value, units);
  const holds = COMPARE[word.operator]!;

  if (Number.isNaN(wanted)) return `${word.key}${word.operator}${word.value}: expected such as ${such}`;
  return (row, t) => holds(of(world, row, t), wanted);
}

function textTest(world: FilterWorld, word: Word): Test | string {
  const { of, whole } = texts[word.key]!;
  const wanted = word.value.toLowerCase();

  if (word.operator !== ':' && word.operator !== '=') return `${word.key}${word.operator}…: of text only ${word.key}:… can be asked`;
  if (!wanted) return `${word.key}: what should it be?`;
  return whole && word.key !== 'device'
    ? (row) => of(world, row).toLowerCase() === wanted
    : (row) => of(world, row).toLowerCase().includes(wanted);
}

function testOf(world: FilterWorld, word: Word): Test | string {
  if (Object.hasOwn(numbers, word.key)) return numberTest(world, word);
  if (Object.hasOwn(texts, word.key)) return textTest(world, word);
  if (word.key) return `${word.key}: there is no such key; there are ${[...Object.keys(texts), ...Object.keys(numbers)].join(', ')}`;
  if (!word.value) return word.not ? '“!” wants a word behind it' : '“” finds nothing: write a word between the quotes';
  const flag = isFlag(word) && flags[word.value.toLowerCase()];
  return flag ? flag(world) : anywhere(world, word.value);
}

export function parseFilter(text: string, world: FilterWorld): Filter {
  const words = wordsOf(text);
  const tests: Test[] = [];
  const problems: string[] = [];

  for (const word of words) {
    const test = testOf(world, word);

    if (typeof test === 'string') problems.push(test);
    else tests.push(word.not ? (row, t) => !test(row, t) : test);
  }
  return {
    test: (row, t) => tests.every((test) => test(row, t)),
    changes: words.some((word) => changing.has(word.key || (isFlag(word) ? word.value.toLowerCase() : ''))),
    isEmpty: !tests.length,
    problems,
  };
}

/** The filter's words as they were written: what stands in quotes is one. */
function written(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"?|[^\s"])+/g) ?? [];
}

/** The filter with one word more, or without it when it is there. */
export function toggleWord(text: string, word: string): string {
  const rest = written(text);
  const i = rest.indexOf(word);

  if (i >= 0) rest.splice(i, 1);
  else rest.push(word);
  return rest.join(' ');
}

export function hasWord(text: string, word: string): boolean {
  return written(text).includes(word);
}
