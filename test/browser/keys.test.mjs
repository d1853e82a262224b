// SPDX-License-Identifier: GPL-3.0-or-later
/** Everything by keyboard: each key that the help lists, and the dialogs, which keep the focus and give it back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { passing, worldOf } from './reference.mjs';
import { endBrowser, made, opened, rehearsed, until, visit } from './stage.mjs';
import {
  clockWhen, detail, filterField, goTo, grid, help, moments, noteEditor, place, selectedRow, slider, timeOf, untilLoaded,
  untilClock, untilPlace, untilRows,
} from './view.mjs';

after(endBrowser);

async function shown(file) {
  const server = await opened(file);
  const world = await worldOf(server);

  world.strip = (await server.api('/recordings/1/devices/device-1')).strip;
  return { server, world };
}

const rehearsal = await shown(await rehearsed());

async function looked(t, { server, world } = rehearsal) {
  const page = await visit(t, server);

  await untilLoaded(page, world.flows.filter((flow) => world.devices.length === 1 || flow.device === 1).length);
  return { page, world };
}

const speed = (page) => page.getByRole('combobox', { name: 'Speed' });
const atEnd = async (page) => !(await place(page)).has('t');

/** The strip's window, as soon as it is what is hoped for; all of the recording where the address has none. */
async function windowWhen(page, world, isIt) {
  let is;
  await until(
    async () => {
      const zoom = (await place(page)).get('zoom');
      const [from, to] = zoom ? zoom.split('-').map(timeOf) : [0, world.info.now_us];
      is = { from, to, width: to - from };
      return isIt(is);
    },
    () => `the strip shows ${is.from} to ${is.to}`,
  );
  return is;
}

async function isFocused(locator) {
  return locator.evaluate((element) => element === document.activeElement);
}

/** What each key of the help does, by the name that stands there. */
const effects = {
  Space: async (page) => {
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    assert.ok(await slider(page).getAttribute('aria-valuenow'));
  },
  ',': async (page, { strip }) => {
    await page.keyboard.press(',');
    const last = strip.moments.findLast((m) => m.at_ms * 1000 < strip.end_ms * 1000 - 50_000);
    assert.ok(last);
    await clockWhen(page, (at) => strip.moments.some((m) => m.at_ms * 1000 === at), "at a moment's time");
  },
  '.': async (page, { strip }) => {
    await goTo(page, '#t=0');
    await page.keyboard.press('.');
    await untilClock(page, strip.moments.find((m) => m.at_ms > 50).at_ms * 1000);
  },
  '←': async (page) => {
    await goTo(page, '#t=02:00');
    await page.keyboard.press('ArrowLeft');
    await untilClock(page, 115e6);
  },
  '→': async (page) => {
    await goTo(page, '#t=02:00');
    await page.keyboard.press('ArrowRight');
    await untilClock(page, 125e6);
  },
  '>': async (page) => {
    await page.keyboard.press('>');
    assert.equal(await speed(page).inputValue(), '2');
  },
  '<': async (page) => {
    await speed(page).selectOption('30×');
    await page.keyboard.press('Escape');
    await grid(page).focus();
    await page.keyboard.press('<');
    assert.equal(await speed(page).inputValue(), '10');
  },
  l: async (page) => {
    await goTo(page, '#t=02:00');
    assert.equal(await atEnd(page), false);
    await page.keyboard.press('l');
    await until(() => atEnd(page), 'the clock is not at the end');
  },
  End: async (page) => {
    await goTo(page, '#t=02:00');
    await page.keyboard.press('End');
    await until(() => atEnd(page), 'the clock is not at the end');
  },
  Home: async (page) => {
    await page.keyboard.press('Home');
    await untilClock(page, 0);
    await untilRows(page, 0);
  },
  n: async (page) => {
    await goTo(page, '#t=02:00');
    await page.keyboard.press('n');
    await noteEditor(page).getByRole('heading', { name: 'A note at 02:00.0' }).waitFor();
  },
  w: (page, world) => zooms(page, world, 'w', 's'),
  '+': (page, world) => zooms(page, world, '+', '-'),
  s: (page, world) => zooms(page, world, 'w', 's'),
  '-': (page, world) => zooms(page, world, '+', '-'),
  a: (page, world) => pans(page, world, 'a', -1),
  d: (page, world) => pans(page, world, 'd', 1),
  z: async (page, world) => {
    await goTo(page, '#from=02:00&to=03:00');
    await page.keyboard.press('z');
    await windowWhen(page, world, ({ from, to }) => from === 120e6 && to === 180e6);
    await page.keyboard.press('z');
    await windowWhen(page, world, ({ width }) => width === world.info.now_us);
  },
  '/': async (page) => {
    await page.keyboard.press('/');
    assert.ok(await isFocused(filterField(page)));
    assert.equal(await filterField(page).inputValue(), '');
  },
  f: (page, world) => failedOnly(page, world, 'f'),
  x: (page, world) => failedOnly(page, world, 'x'),
  j: async (page) => {
    await page.keyboard.press('j');
    assert.ok(await isFocused(grid(page)));
    await selectedRow(page).waitFor();
  },
  '↓': (page) => moves(page, 'ArrowDown', 1),
  '↑': (page) => moves(page, 'ArrowUp', -1),
  Enter: async (page) => {
    await page.keyboard.press('j');
    await detail(page).waitFor();
    await page.keyboard.press('Enter');
    assert.ok(await isFocused(detail(page)));
    await page.keyboard.press('Escape');
    await detail(page).waitFor({ state: 'hidden' });
    assert.ok(await isFocused(grid(page)));
  },
  D: async (page) => {
    await page.keyboard.press('D');
    await page.getByRole('heading', { name: /^\d+ devices?$/ }).waitFor();
    await page.keyboard.press('D');
    await grid(page).waitFor();
  },
  t: async (page) => {
    for (const theme of ['dark', 'light', 'system']) {
      await page.keyboard.press('t');
      await page.getByRole('button', { name: `Colours: ${theme}` }).waitFor();
    }
  },
  Esc: async (page, { flows }) => {
    await goTo(page, `#flow=${flows[3].flow}&from=00:00&to=03:00`);
    await detail(page).waitFor();
    await page.keyboard.press('Escape');
    await detail(page).waitFor({ state: 'hidden' });
    await untilPlace(page, 'to', '03:00');
    await page.keyboard.press('Escape');
    await untilPlace(page, 'to', null);
  },
  '?': async (page) => {
    await page.keyboard.press('?');
    await help(page).waitFor();
  },
};

async function zooms(page, world, closer, away) {
  const all = world.info.now_us;
  await goTo(page, '#t=05:00');
  await page.keyboard.press(closer);
  await page.keyboard.press(closer);
  const near = await windowWhen(page, world, ({ width }) => width < all * 0.5);
  assert.ok(near.from < 300e6 && near.to > 300e6, 'the clock is not in sight');
  await page.keyboard.press(away);
  await windowWhen(page, world, ({ width }) => width > near.width && width < all);
}

async function pans(page, world, key, direction) {
  await goTo(page, '#zoom=05:00-10:00');
  await page.keyboard.press(key);
  await windowWhen(page, world, ({ from, to }) => from === 300e6 + direction * 60e6 && to === 600e6 + direction * 60e6);
}

async function failedOnly(page, world, key) {
  await page.keyboard.press(key);
  await untilRows(page, passing(world, ['failed']).length);
  assert.equal(await filterField(page).inputValue(), 'failed');
  await page.keyboard.press(key);
  await untilRows(page, world.flows.length);
}

async function moves(page, key, by) {
  await goTo(page, '');
  await grid(page).getByRole('row').nth(5).click();
  const before = Number(await selectedRow(page).getAttribute('aria-rowindex'));
  await grid(page).focus();
  await page.keyboard.press(key);
  await until(async () => Number(await selectedRow(page).getAttribute('aria-rowindex')) === before + by, 'it has not moved by one');
  assert.equal(await grid(page).getAttribute('aria-activedescendant'), await selectedRow(page).getAttribute('id'));
}

test('every key that the help lists is tried here', async (t) => {
  const { page } = await looked(t);

  await page.keyboard.press('?');
  const listed = await help(page).evaluate((dialog) => [...dialog.querySelectorAll('dt kbd')].map((key) => key.textContent));
  assert.deepEqual(listed.sort(), Object.keys(effects).sort());
});

for (const [key, effect] of Object.entries(effects))
  test(`the key ${key.replace('#', '')}`, async (t) => {
    const { page, world } = await looked(t);
    await effect(page, world);
  });

test('keys are letters where one writes', async (t) => {
  const { page } = await looked(t);

  await filterField(page).click();
  await page.keyboard.type('fdn?');
  assert.equal(await filterField(page).inputValue(), 'fdn?');
  assert.equal(await help(page).count(), 0);
  assert.equal(await noteEditor(page).count(), 0);
  await page.keyboard.press('Escape');
  assert.equal(await filterField(page).inputValue(), '');
});

/** Tabs through it more often than it has places; the browser's own bar is outside of the document. */
async function keepsTheFocus(page, dialog) {
  for (const key of [...Array(8).fill('Tab'), ...Array(4).fill('Shift+Tab')]) {
    await page.keyboard.press(key);
    const where = await dialog.evaluate((element) => {
      const is = document.activeElement;
      return is === document.body || element.contains(is) ? '' : is.outerHTML.slice(0, 200);
    });
    assert.equal(where, '', 'the focus is outside of the dialog');
  }
}

test('dialogs keep the focus, and give it back to where it was', async (t) => {
  const { page } = await looked(t);

  for (const [key, dialog] of [['?', help(page)], ['n', noteEditor(page)]])
    for (const place of [page.getByRole('button', { name: 'Next moment' }).first(), grid(page)]) {
      await place.focus();
      await page.keyboard.press(key);
      await dialog.waitFor();
      await keepsTheFocus(page, dialog);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      assert.ok(await isFocused(place), `after ${key} the focus is elsewhere`);
    }
});

test('what can be pointed at can be reached with Tab', async (t) => {
  const { page } = await looked(t);
  const reached = new Set();

  await page.getByRole('button', { name: 'Keys' }).focus();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()));
  }
  for (const name of ['Filter of the traffic', 'Traffic', 'Between screen and traffic', 'Between traffic and strip', 'Previous moment', 'Play', 'Next moment', 'Speed', 'Clock', 'Note'])
    assert.ok(reached.has(name), `${name} is not among ${[...reached].join(', ')}`);
});

test('panes are moved with the arrow keys', async (t) => {
  const { page } = await looked(t);
  const bar = page.getByRole('separator', { name: 'Between screen and traffic' });
  const before = (await grid(page).boundingBox()).width;

  await bar.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await until(async () => (await grid(page).boundingBox()).width < before - 20, 'the table is as wide as it was');
  await page.reload();
  await until(async () => (await grid(page).boundingBox()).width < before - 20, 'after a reload it is forgotten');
});

test('with several devices the keys are the same', async (t) => {
  const { page } = await looked(t, await shown(await made(200, 3)));

  await page.keyboard.press('D');
  await page.getByRole('heading', { name: '3 devices' }).waitFor();
  await untilPlace(page, 'view', 'devices');
  await page.keyboard.press('?');
  await help(page).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('D');
  await moments(page).waitFor();
});
