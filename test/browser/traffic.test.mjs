// SPDX-License-Identifier: GPL-3.0-or-later
/** The table of flows: all of them, and of what is not in sight nothing; filters; a flow and the strip. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { passing, words, worldOf } from './reference.mjs';
import { begin, endBrowser, made, rehearsed, until, visit } from './stage.mjs';
import {
  detail, drawn, filterField, flowsShown, goTo, grid, place, readTable, rowCount, rowOf, selectedRow, strip, timeOf, untilLoaded,
  untilPlace, untilRows,
} from './view.mjs';

after(endBrowser);

async function opened(t, file, options) {
  const server = await begin(t, ['open', file]);
  const world = await worldOf(server);
  const page = await visit(t, server, options);

  await untilLoaded(page, world.flows.length);
  return { server, world, page };
}

const small = await rehearsed();
const mixed = await made(300);

test('of 20,000 flows those in sight are in the document, and all can be reached', async (t) => {
  const { page } = await opened(t, await made(20000));
  const rows = grid(page).getByRole('row');
  const box = grid(page).getByRole('rowgroup');

  assert.equal(await grid(page).getAttribute('aria-rowcount'), '20001');
  for (const share of [0, 0.31, 0.77, 1]) {
    await box.evaluate((element, to) => (element.scrollTop = to * element.scrollHeight), share);
    await drawn(page);
    const indexes = await rows.evaluateAll((all) => all.map((row) => Number(row.getAttribute('aria-rowindex'))));
    assert.ok(indexes.length <= 100, `${indexes.length} rows are in the document`);
    const wanted = Math.round(share * 20000);
    assert.ok(indexes.some((i) => Math.abs(i - wanted) < 30), `near row ${wanted} there are ${indexes}`);
    const inSight = await box.evaluate((element) => {
      const { top, bottom, left } = element.getBoundingClientRect();
      const at = (y) => document.elementFromPoint(left + 30, y)?.closest('[role=row]');
      return [top + 15, (top + bottom) / 2, bottom - 15].every((y) => at(y));
    });
    assert.ok(inSight, `at ${share} of the table there is a gap`);
  }
});

test('rows say what the API says of the flows', async (t) => {
  const { page, world } = await opened(t, mixed);
  const rows = await readTable(page);

  assert.deepEqual(rows.map((row) => row.flow), world.flows.map((flow) => flow.flow));
  for (const [i, flow] of world.flows.entries()) {
    assert.ok(rows[i].Host.endsWith(flow.host), `${rows[i].Host} of flow ${flow.flow} is not ${flow.host}`);
    assert.equal(rows[i].Host.includes('failed'), flow.failure !== '', `failed, of flow ${flow.flow}`);
    assert.equal(rows[i].Status, flow.status ? String(flow.status) : '');
    assert.equal(rows[i].Ended === 'open', flow.ended_us === null, `open, of flow ${flow.flow}`);
  }
});

for (const [name, file] of [['a rehearsal', small], ['flows of every sort', mixed]])
  test(`each word of the filter shows the flows that it means: ${name}`, async (t) => {
    const { page, world } = await opened(t, file);
    const asked = [
      ...Object.keys(words).map((word) => [word]),
      ['intune', 'took>2s'],
      ['http', '!ocsp', 'port:80'],
      ['!failed', 'down<4KiB', 'host:.microsoft.com'],
    ];

    for (const these of asked) {
      const wanted = passing(world, these);
      await filterField(page).fill(these.join(' '));
      await drawn(page);
      await untilRows(page, wanted.length).catch((error) => assert.fail(`${these.join(' ')}: ${error.message}`));
      assert.deepEqual(await flowsShown(page), wanted, these.join(' '));
    }
  });

test('what a filter cannot understand is said, and hides nothing', async (t) => {
  const { page, world } = await opened(t, small);

  for (const [text, says] of [['bytes>many', /expected such as bytes>1MB/], ['colour:red', /no such key/], ['host>3', /only host:/], ['!', /wants a word/]]) {
    await filterField(page).fill(text);
    await page.getByRole('status').getByText(says).or(page.getByText(says)).first().waitFor();
    assert.equal(await rowCount(page), world.flows.length);
    assert.equal(await filterField(page).getAttribute('aria-invalid'), 'true');
  }
});

test('a filter is in the address, and a link shows the same', async (t) => {
  const { page, server, world } = await opened(t, mixed);

  await filterField(page).fill('host:.microsoft.com !failed');
  await untilPlace(page, 'q', 'host:.microsoft.com !failed');
  const wanted = passing(world, ['host:.microsoft.com', '!failed']);
  const other = await visit(t, server, { hash: new URL(page.url()).hash });
  await untilRows(other, wanted.length);
  assert.equal(await filterField(other).inputValue(), 'host:.microsoft.com !failed');
  await goTo(page, '#q=port:80');
  await untilRows(page, passing(world, ['port:80']).length);
  await page.goBack();
  await untilRows(page, wanted.length);
  assert.equal(await filterField(page).inputValue(), 'host:.microsoft.com !failed');
});

test('filters that are offered as buttons say whether they are on', async (t) => {
  const { page, world } = await opened(t, mixed);
  const chip = page.getByRole('button', { name: 'failed', exact: true });

  await chip.click();
  await untilRows(page, passing(world, ['failed']).length);
  assert.equal(await chip.getAttribute('aria-pressed'), 'true');
  assert.equal(await filterField(page).inputValue(), 'failed');
  await page.getByRole('button', { name: 'http', exact: true }).click();
  await untilRows(page, passing(world, ['failed', 'http']).length);
  await chip.click();
  await untilRows(page, passing(world, ['http']).length);
  assert.equal(await chip.getAttribute('aria-pressed'), 'false');
});

test('a row opens all that was observed of its flow', async (t) => {
  const { page, world, server } = await opened(t, small);
  const flow = world.flows.find((one) => one.host === 'login.live.com');

  await filterField(page).fill('host:login.live.com');
  await untilRows(page, world.flows.filter((one) => one.host.includes('login.live.com')).length);
  await rowOf(page, flow.flow).click();
  await detail(page).waitFor();
  const { observations } = await server.api(`/recordings/1/flows/${flow.flow}`);
  const items = detail(page).getByRole('list', { name: 'What was observed' }).getByRole('listitem');
  await until(async () => (await items.count()) === observations.length, 'the observations are not all there');
  await detail(page).getByText('login.live.com').first().waitFor();
  await untilPlace(page, 'flow', String(flow.flow));
  await detail(page).getByRole('button', { name: 'Clock to its start' }).click();
  await until(async () => (await items.count()) < observations.length || observations.every((o) => o.at_us <= flow.opened_us));
  await detail(page).getByRole('button', { name: 'Close' }).click();
  await detail(page).waitFor({ state: 'hidden' });
});

/** The part of the strip that can be pointed at. */
async function plotOf(page) {
  const canvases = strip(page).locator('canvas');
  await canvases.first().waitFor();
  return canvases.first().boundingBox();
}

test('a time that is selected on the strip shows the flows that were open in it', async (t) => {
  const { page, world } = await opened(t, small);
  const box = await plotOf(page);

  await page.mouse.move(box.x + box.width * 0.3, box.y + 12);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.35, box.y + 14);
  await page.mouse.move(box.x + box.width * 0.4, box.y + 12);
  await page.mouse.up();
  await until(async () => (await place(page)).get('to'), 'nothing was selected');
  const [from, to] = ['from', 'to'].map(async (key) => timeOf((await place(page)).get(key)));
  const [a, b] = [await from, await to];
  assert.ok(Math.abs(a / world.info.now_us - 0.3) < 0.01 && Math.abs(b / world.info.now_us - 0.4) < 0.01, `${a} to ${b}`);
  /* The address has milliseconds: what begins or ends within one may be there or not. */
  const sure = world.flows.filter((f) => f.opened_us <= b && (f.ended_us ?? Infinity) >= a + 1000).map((f) => f.flow);
  const possible = world.flows.filter((f) => f.opened_us <= b + 1000 && (f.ended_us ?? Infinity) >= a).map((f) => f.flow);
  const shown = await flowsShown(page);
  assert.ok(shown.length > 0 && shown.length < world.flows.length);
  assert.deepEqual(sure.filter((flow) => !shown.includes(flow)), []);
  assert.deepEqual(shown.filter((flow) => !possible.includes(flow)), []);
  await page.keyboard.press('Escape');
  await untilRows(page, world.flows.length);
});

const overlay = (page) => strip(page).locator('canvas').last().evaluate((canvas) => canvas.toDataURL());

test('a row lights its place on the strip', async (t) => {
  const { page } = await opened(t, small);
  await plotOf(page);
  await drawn(page);
  const before = await overlay(page);

  await grid(page).getByRole('row').nth(5).click();
  await detail(page).waitFor();
  await until(async () => (await overlay(page)) !== before, 'nothing on the strip has changed');
  await grid(page).getByRole('row', { selected: true }).click();
  await detail(page).waitFor({ state: 'hidden' });
  await until(async () => (await overlay(page)) === before, 'the strip is not as it was');
});

test('a moment opens with its meaning, its rule and its evidence, and a piece of evidence leads to its flow', async (t) => {
  const { page, server } = await opened(t, small);
  const { strip: is } = await server.api('/recordings/1/devices/device-1');
  const moment = is.moments.find((m) => m.evidence.length && m.id !== 'summary' && m.phase);

  await page.getByRole('navigation', { name: 'Moments' }).getByRole('button', { name: moment.title }).first().click();
  const card = page.getByRole('article', { name: moment.title });
  await card.getByText(moment.says).waitFor();
  await card.getByText(moment.confidence === 'seen' ? /^Seen/ : /^Inferred/).waitFor();
  await card.getByText(/^Rule/).waitFor();
  const evidence = card.getByRole('listitem').getByRole('button');
  await until(async () => (await evidence.count()) === moment.evidence.length, 'the evidence is not all there');
  await untilPlace(page, 'moment', `${moment.id}@${moment.at_ms}`);
  await evidence.first().click();
  await detail(page).waitFor();
  await selectedRow(page).waitFor();
});
