// SPDX-License-Identifier: GPL-3.0-or-later
/** view: what a person finds on the page, by its roles and names, and reads there. */
import assert from 'node:assert/strict';

import { until } from './stage.mjs';

export const grid = (page) => page.getByRole('grid', { name: 'Traffic' });
export const filterField = (page) => page.getByRole('searchbox', { name: 'Filter of the traffic' });
export const slider = (page) => page.getByRole('slider', { name: 'Clock' });
export const strip = (page) => page.getByRole('region', { name: 'Strip' });
export const moments = (page) => page.getByRole('navigation', { name: 'Moments' });
export const detail = (page) => page.getByRole('region', { name: /^Flow \d+/ });
export const noteEditor = (page) => page.getByRole('dialog', { name: /note at/i });
export const help = (page) => page.getByRole('dialog', { name: 'Keys' });
export const selectedRow = (page) => page.getByRole('row', { selected: true });

/** How many flows the table has: most of them are not in the document. */
export async function rowCount(page) {
  return Number(await grid(page).getAttribute('aria-rowcount')) - 1;
}

export async function untilRows(page, count) {
  let is;
  await until(async () => (is = await rowCount(page)) === count, () => `there are ${is} rows, not ${count}`);
}

/** Until all flows are here. */
export async function untilLoaded(page, count) {
  await untilRows(page, count);
  await page.getByText(/^reading /).waitFor({ state: 'hidden' });
}

/** The words at the top: {flows: '162', open: '3', …}. */
export function counters(page) {
  return page.getByRole('banner').evaluate((header) =>
    Object.fromEntries([...header.querySelectorAll('dt')].map((term) => [term.textContent, term.nextElementSibling.textContent])),
  );
}

/** Two frames: what was changed is drawn. */
export function drawn(page) {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));
}

/**
 * Every row of the table, as its cells by the columns' names, and the flow's number: scrolls from the beginning to the
 * end as somebody would who reads all of it. A row that never comes into the document fails.
 */
export async function readTable(page) {
  const count = await rowCount(page);
  const rows = await grid(page).evaluate(readAll);

  assert.equal(rows.length, count, 'rows that came into sight, against aria-rowcount');
  return rows;
}

async function readAll(table) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()));
  const names = [...table.querySelectorAll('[role=columnheader]')].map((head) => head.textContent);
  const box = table.querySelector('[role=rowgroup]');
  const found = new Map();
  const take = () => {
    for (const row of box.querySelectorAll('[role=row][aria-rowindex]')) {
      const cells = [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent);
      const read = { flow: Number(row.id.slice('row-'.length)), ...Object.fromEntries(names.map((name, i) => [name, cells[i]])) };
      found.set(Number(row.getAttribute('aria-rowindex')), read);
    }
  };

  for (let top = 0; ; top += box.clientHeight) {
    box.scrollTop = top;
    await frame();
    await frame();
    take();
    if (top + box.clientHeight >= box.scrollHeight) break;
  }
  return [...found].sort(([a], [b]) => a - b).map(([, row]) => row);
}

/** The flows' numbers, in the table's order. */
export const flowsShown = async (page) => (await readTable(page)).map((row) => row.flow);

/** What the address bar says behind the #. */
export async function place(page) {
  return new URLSearchParams(new URL(page.url()).hash.slice(1));
}

export async function untilPlace(page, key, value) {
  let is;
  await until(async () => (is = (await place(page)).get(key)) === value, () => `${key} in the address is ${is}, not ${value}`);
}

/** As a link leads there. */
export async function goTo(page, hash) {
  await page.evaluate((to) => (location.hash = to), hash);
  await drawn(page);
}

/** "06:54.123" of microseconds, as an address has it. */
export function timeText(us) {
  const ms = Math.floor(us / 1000);
  const two = (n) => String(n).padStart(2, '0');
  return `${two(Math.floor(ms / 3600000))}:${two(Math.floor(ms / 60000) % 60)}:${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, '0')}`;
}

/** Microseconds of "06:54.5" and "1:02:03". */
export function timeOf(text) {
  return Math.round(text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1e6);
}

/**
 * Where the clock stands, in microseconds, as soon as that is what is hoped for. The address, which says it to the
 * millisecond, is written when a hand rests.
 */
export async function clockWhen(page, isIt, wanted = 'where it should be') {
  let at;
  await until(
    async () => {
      const t = (await place(page)).get('t');
      at = t === null ? null : timeOf(t);
      return at !== null && isIt(at);
    },
    () => `the clock is at ${at}, not ${wanted}`,
  );
  return at;
}

export const untilClock = (page, us) => clockWhen(page, (at) => at === us, us);

/** The row of a flow: their order in the document is not that on the screen. */
export const rowOf = (page, flow) => grid(page).getByRole('row').and(page.locator(`#row-${flow}`));
