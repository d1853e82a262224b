// SPDX-License-Identifier: GPL-3.0-or-later
/** Devices: ten that stay readable, a thousand that stay usable. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { worldOf } from './reference.mjs';
import { begin, endBrowser, made, until, visit } from './stage.mjs';
import { counters, drawn, flowsShown, grid, place, rowCount, untilPlace, untilRows } from './view.mjs';

after(endBrowser);

const few = await made(500, 10);
const many = await made(4000, 1000);

const region = (page) => page.getByRole('region', { name: 'Devices' });
const cards = (page) => region(page).getByRole('listitem').getByRole('button');
const search = (page) => region(page).getByRole('searchbox', { name: 'Which devices' });
const order = (page) => region(page).getByRole('combobox', { name: 'Order' });

async function opened(t, file, count) {
  const server = await begin(t, ['open', file]);
  const world = await worldOf(server);
  const page = await visit(t, server, { viewport: { width: 1280, height: 720 } });

  await page.getByRole('button', { name: `${count.toLocaleString('en-US')} devices` }).click();
  await region(page).getByRole('heading', { name: `${count.toLocaleString('en-US')} devices` }).waitFor();
  await untilPlace(page, 'view', 'devices');
  return { page, world };
}

/** All cards, as somebody sees them who scrolls through. */
async function readCards(page) {
  return region(page).evaluate(async (element) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
    const box = [...element.querySelectorAll('*')].find((one) => one.scrollHeight > one.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(one).overflowY)) ?? element;
    const found = new Map();
    let most = 0;
    for (let top = 0; ; top += Math.max(100, box.clientHeight / 2)) {
      box.scrollTop = top;
      await frame();
      const seen = [...element.querySelectorAll('li button')];
      most = Math.max(most, seen.length);
      for (const card of seen) found.set(Number(card.dataset.place), card.querySelector('bdi').textContent);
      if (top + box.clientHeight >= box.scrollHeight) break;
    }
    box.scrollTop = 0;
    await frame();
    return { most, names: [...found].sort(([a], [b]) => a - b).map(([, name]) => name) };
  });
}

const nameOf = (device) => device.name || device.address;

test('ten devices have a card each, with name, phase, outcome and traffic', async (t) => {
  const { page, world } = await opened(t, few, 10);

  await until(async () => (await cards(page).count()) === 10);
  for (const device of world.devices) {
    const card = cards(page).filter({ hasText: nameOf(device) }).first();
    const text = await card.textContent();
    assert.ok(text.includes(`${device.flow_count} flow`), `${text} has no ${device.flow_count} flows`);
    assert.ok(text.includes(device.outcome.state.replaceAll('-', ' ')), text);
  }
});

test('of a thousand those in sight are in the document, and all can be reached', async (t) => {
  const { page, world } = await opened(t, many, 1000);
  const { most, names } = await readCards(page);

  assert.ok(most <= 120, `${most} cards are in the document`);
  assert.equal(names.length, 1000);
  assert.deepEqual([...names].sort(), world.devices.map(nameOf).sort());
});

test('they are put in order, and looked for', async (t) => {
  const { page, world } = await opened(t, many, 1000);
  const orders = await order(page).getByRole('option').allTextContents();
  const seen = new Set();

  assert.ok(orders.length >= 3, orders.join(', '));
  for (const one of orders) {
    await order(page).selectOption(one);
    await drawn(page);
    const { names } = await readCards(page);
    assert.equal(new Set(names).size, 1000, one);
    seen.add(names.slice(0, 50).join());
  }
  assert.ok(seen.size >= 2, 'every order is the same');

  const wanted = world.devices[616];
  await search(page).fill(nameOf(wanted));
  await until(async () => (await cards(page).count()) < 100, 'as many devices as before');
  assert.ok((await cards(page).allTextContents()).every((text) => text.includes(nameOf(wanted))));
  await search(page).fill('there is no such device');
  await region(page).getByText('No device is such.').waitFor();
});

test('one that is chosen is the only one whose traffic is shown', async (t) => {
  const { page, world } = await opened(t, many, 1000);
  const device = world.devices[403];
  const own = world.flows.filter((flow) => flow.device === device.device).map((flow) => flow.flow);

  await search(page).fill(nameOf(device));
  await cards(page).filter({ hasText: nameOf(device) }).first().click();
  await untilRows(page, own.length);
  assert.deepEqual(await flowsShown(page), own);
  await untilPlace(page, 'd', device.id);
  await page.getByRole('banner').getByText(nameOf(device), { exact: true }).waitFor();
  await until(async () => (await counters(page)).flows === String(own.length), 'the counters are of something else');

  await page.goBack();
  await region(page).waitFor();
  await page.goForward();
  await grid(page).waitFor();
  assert.equal((await place(page)).get('d'), device.id);
  assert.equal(await rowCount(page), own.length);
});

test('arrows lead from card to card, and Enter opens one', async (t) => {
  const { page } = await opened(t, few, 10);
  const focused = () => page.evaluate(() => Number(document.activeElement.dataset.place));

  await cards(page).first().focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 1);
  await page.keyboard.press('ArrowDown');
  assert.ok((await focused()) > 1);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await focused(), 0);
  await page.keyboard.press('Enter');
  await grid(page).waitFor();
});
