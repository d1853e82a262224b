// SPDX-License-Identifier: GPL-3.0-or-later
/** A rehearsal while it goes on: what is shown grows, and is at the end what the recording says. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { beginAtTerminal, endBrowser, flightstrip, flowsOf, newFile, until, visit } from './stage.mjs';
import { counters, filterField, grid, moments, readTable, rowCount, slider, timeOf, untilLoaded } from './view.mjs';

after(endBrowser);

const banner = (page) => page.getByRole('banner');

async function momentsShown(page) {
  const texts = await moments(page).getByRole('button').allTextContents();
  return texts.map((text) => text.replace(/\s+/g, ' ').trim());
}

const clockTime = (ms) => {
  const s = Math.floor(ms / 1000);
  return `${String(Math.floor(s / 60)).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}`;
};

test('the strip, the table and the counters of a rehearsal grow, and end as the recording has it', async (t) => {
  const file = newFile();
  const server = await beginAtTerminal(t, ['rehearse', 'user-driven-2019', '--speed', '120', '-o', file]);
  const page = await visit(t, server);

  await banner(page).getByText('live', { exact: true }).waitFor();
  const first = await until(() => rowCount(page));
  const firstMoments = await until(async () => (await momentsShown(page)).length);
  const early = await counters(page);
  await until(async () => (await rowCount(page)) > first + 20, 'no more rows came');
  await until(async () => (await momentsShown(page)).length > firstMoments, 'no more moments came');
  await until(async () => Number((await counters(page)).flows) > Number(early.flows), `there are ${early.flows} flows still`);

  await server.hears(/the rehearsal is over/);
  await banner(page).getByText('live', { exact: true }).waitFor({ state: 'hidden' });
  const [device] = JSON.parse(await flightstrip('explain', '--format', 'json', file)).devices;
  const flows = await flowsOf(server);
  await untilLoaded(page, flows.length);
  const wanted = [
    ...device.moments.map((m) => ({ at: m.at_ms, title: m.title })),
    ...device.findings.map((f) => ({ at: f.at_ms, title: f.title })),
  ];
  await until(async () => (await momentsShown(page)).length === wanted.length, `there are not ${wanted.length} moments`);
  const shown = await moments(page).getByRole('button').evaluateAll((buttons) =>
    buttons.map((button) => `${button.querySelector('time').textContent} ${button.querySelector('bdi').textContent}`),
  );
  assert.deepEqual([...shown].sort(), wanted.map((w) => `${clockTime(w.at)} ${w.title}`).sort());

  const rows = await readTable(page);
  assert.deepEqual(rows.map((row) => row.flow).sort((a, b) => a - b), flows.map((flow) => flow.flow));
  await until(async () => (await counters(page)).flows === String(flows.length), 'the counters do not have all flows');
  assert.equal((await counters(page)).open, '0');
});

test('who scrolls away is told of new flows and stays where he is', async (t) => {
  const server = await beginAtTerminal(t, ['rehearse', 'user-driven-2019', '--speed', '60', '-o', newFile()]);
  const page = await visit(t, server, { viewport: { width: 1280, height: 720 } });
  const box = grid(page).getByRole('rowgroup');

  await until(async () => (await rowCount(page)) > 60, 'there are no 60 rows');
  await box.hover();
  await until(async () => {
    await page.mouse.wheel(0, -2000);
    return box.evaluate((rows) => rows.scrollTop === 0);
  }, 'the table cannot be scrolled to its beginning');
  const button = grid(page).getByRole('button', { name: /\d+ new flows? / });
  await button.waitFor();
  assert.equal(await box.evaluate((rows) => rows.scrollTop), 0);
  await button.click();
  await until(() => box.evaluate((rows) => rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 50), 'the table is not at its end');
});

test('a live recording can be looked back in, and is live again with a key', async (t) => {
  const server = await beginAtTerminal(t, ['rehearse', 'user-driven-2019', '--speed', '60', '-o', newFile()]);
  const page = await visit(t, server);

  await until(async () => (await rowCount(page)) > 10);
  await page.keyboard.press('Home');
  assert.equal(await rowCount(page), 0);
  await page.getByRole('button', { name: /^Live: .* ahead$/ }).waitFor();
  const behind = await slider(page).getAttribute('aria-valuenow');
  assert.equal(behind, '0');
  await page.keyboard.press('l');
  await until(async () => (await rowCount(page)) > 10);
  await page.getByRole('button', { name: /^Live: .* ahead$/ }).waitFor({ state: 'hidden' });
  assert.equal(await filterField(page).inputValue(), '');
  assert.ok(timeOf(await page.getByLabel('Clock', { exact: true }).first().textContent()) > 0);
});
