// SPDX-License-Identifier: GPL-3.0-or-later
/** Several pages at once, the traffic in a window of its own, and a server that goes and comes back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Recorder } from './recorder.mjs';
import { begin, endBrowser, flowsOf, newFile, rehearsed, until, visit } from './stage.mjs';
import { counters, filterField, flowsShown, goTo, grid, readTable, rowCount, slider, untilLoaded, untilRows } from './view.mjs';

after(endBrowser);

const isLost = (fault) => /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED_ENCODING/.test(fault);

async function showsAll(page, server) {
  const flows = await flowsOf(server);
  await untilRows(page, flows.length);
  assert.deepEqual((await flowsShown(page)).sort((a, b) => a - b), flows.map((flow) => flow.flow));
}

test('two pages show the same recording, each for itself', async (t) => {
  const recorder = await Recorder.begin(t, newFile());
  const [one, other] = [await visit(t, recorder.server), await visit(t, recorder.server)];

  await recorder.ask('a.test', 4);
  await recorder.ask('b.test', 3);
  await Promise.all([one, other].map((page) => untilRows(page, 7)));
  await filterField(one).fill('host:a.test');
  await untilRows(one, 4);
  assert.equal(await rowCount(other), 7);
  await recorder.ask('a.test', 2);
  await untilRows(one, 6);
  await untilRows(other, 9);
  await until(async () => (await counters(one)).flows === '9' && (await counters(other)).flows === '9', 'the counters differ');
});

test('a page sees the server go and come back, and misses nothing', async (t) => {
  const recorder = await Recorder.begin(t, newFile());
  const page = await visit(t, recorder.server, { isExpected: isLost });
  const { port } = recorder.server;
  const lost = page.getByRole('alert').getByText(/trying again/);

  await recorder.ask('before.test', 5);
  await untilRows(page, 5);
  for (const round of [1, 2]) {
    await recorder.server.end('SIGKILL');
    await lost.waitFor();
    assert.ok((await rowCount(page)) >= 5, 'what was known is gone');
    await recorder.start(t, `127.0.0.1:${port}`);
    await recorder.ask(`round-${round}.test`, 4);
    await lost.waitFor({ state: 'hidden' });
    await showsAll(page, recorder.server);
    const rows = await readTable(page);
    assert.equal(rows.filter((row) => row.Host === `round-${round}.test`).length, 4);
  }
});

test('a page that was opened before a server that ends orderly shows the end', async (t) => {
  const recorder = await Recorder.begin(t, newFile());
  const page = await visit(t, recorder.server, { isExpected: isLost });

  await recorder.ask('a.test', 3);
  await untilRows(page, 3);
  await page.getByRole('banner').getByText('live', { exact: true }).waitFor();
  await recorder.server.end('SIGTERM');
  await page.getByRole('banner').getByText('live', { exact: true }).waitFor({ state: 'hidden' });
  assert.equal(await rowCount(page), 3);
});

test('another recording at the same address is shown as what it is', async (t) => {
  const recorder = await Recorder.begin(t, newFile());
  const page = await visit(t, recorder.server, { isExpected: isLost });
  const { port } = recorder.server;

  await recorder.ask('a.test', 6);
  await untilRows(page, 6);
  await recorder.server.end('SIGKILL');
  const file = await rehearsed();
  const server = await begin(t, ['open', file], `127.0.0.1:${port}`);
  await until(async () => (await rowCount(page)) === (await server.api('/recordings')).recordings[0].flow_count, 'the page shows something else');
  await showsAll(page, server);
});

test('the traffic in a window of its own goes with the page', async (t) => {
  const server = await begin(t, ['open', await rehearsed()]);
  const page = await visit(t, server);
  const count = (await server.api('/recordings')).recordings[0].flow_count;
  await untilLoaded(page, count);

  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByRole('button', { name: 'Traffic in a window of its own' }).click(),
  ]);
  await untilRows(popup, count);
  assert.equal(await slider(popup).count(), 0);
  await goTo(page, '#t=05:00');
  const early = await rowCount(page);
  assert.ok(early < count);
  await untilRows(popup, early);
  await filterField(popup).fill('ocsp');
  await until(async () => (await filterField(page).inputValue()) === 'ocsp', 'the filter is not the same');
  await untilRows(page, await rowCount(popup));
  await grid(popup).getByRole('row').nth(2).click();
  await page.getByRole('region', { name: /^Flow \d+/ }).waitFor();
});
