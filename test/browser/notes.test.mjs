// SPDX-License-Identifier: GPL-3.0-or-later
/** Notes: written, changed and removed, in a recording and while one is made, by this page and by others. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, test } from 'node:test';

import { begin, endBrowser, flightstrip, newFile, rehearsed, until, visit } from './stage.mjs';
import { Recorder } from './recorder.mjs';
import { goTo, moments, noteEditor, untilLoaded, untilRows } from './view.mjs';

after(endBrowser);

const words = (page) => noteEditor(page).getByRole('textbox', { name: 'Words' });
const listed = (page, text) => moments(page).getByRole('button', { name: text });
const notesOf = async (server) => (await server.api('/recordings/1/notes')).notes;

async function write(page, text) {
  await page.keyboard.press('n');
  await noteEditor(page).waitFor();
  await words(page).fill(text);
  await page.keyboard.press('Enter');
  await noteEditor(page).waitFor({ state: 'hidden' });
}

test('a note is written at the clock, changed and removed', async (t) => {
  const file = await rehearsed();
  const server = await begin(t, ['open', file]);
  const page = await visit(t, server);
  await untilLoaded(page, (await server.api('/recordings')).recordings[0].flow_count);

  await goTo(page, '#t=02:16');
  await write(page, 'the screen is blue');
  await listed(page, 'the screen is blue').waitFor();
  assert.deepEqual((await notesOf(server)).map(({ at_us, text }) => [at_us, text]), [[136e6, 'the screen is blue']]);
  assert.ok(/02:16 {2}Note.*\n +the screen is blue/.test(await flightstrip('explain', file)), 'the report does not have it');

  await listed(page, 'the screen is blue').click();
  await page.getByRole('article', { name: 'Note' }).getByRole('button', { name: 'Edit' }).click();
  assert.equal(await words(page).inputValue(), 'the screen is blue');
  await words(page).fill('the screen was blue,');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('and is not any more');
  await noteEditor(page).getByRole('button', { name: 'Keep' }).click();
  await noteEditor(page).waitFor({ state: 'hidden' });
  assert.deepEqual((await notesOf(server)).map(({ text }) => text), ['the screen was blue,\nand is not any more']);

  await page.getByRole('article', { name: 'Note' }).getByRole('button', { name: 'Edit' }).click();
  await noteEditor(page).getByRole('button', { name: 'Remove' }).click();
  await noteEditor(page).waitFor({ state: 'hidden' });
  assert.deepEqual(await notesOf(server), []);
  await page.keyboard.press('Escape');
  await moments(page).waitFor();
  assert.equal(await moments(page).getByText('the screen was blue').count(), 0);
});

test('a note that is not kept leaves nothing', async (t) => {
  const server = await begin(t, ['open', await rehearsed()]);
  const page = await visit(t, server);
  await moments(page).waitFor();

  for (const leave of [() => page.keyboard.press('Escape'), () => noteEditor(page).getByRole('button', { name: 'Cancel' }).click()]) {
    await page.keyboard.press('n');
    await noteEditor(page).waitFor();
    assert.equal(await words(page).inputValue(), '');
    assert.ok(await noteEditor(page).getByRole('button', { name: 'Keep' }).isDisabled());
    await words(page).fill('no');
    await leave();
    await noteEditor(page).waitFor({ state: 'hidden' });
  }
  assert.deepEqual(await notesOf(server), []);
});

test('notes are written while the recording is made, on two pages and by another program', async (t) => {
  const recorder = await Recorder.begin(t, newFile());
  const [one, other] = [await visit(t, recorder.server), await visit(t, recorder.server)];

  await recorder.ask('a.test', 3);
  await Promise.all([one, other].map((page) => untilRows(page, 3)));
  await write(one, 'first words');
  await Promise.all([one, other].map((page) => listed(page, 'first words').waitFor()));
  await flightstrip('note', recorder.file, 'words from elsewhere');
  await Promise.all([one, other].map((page) => listed(page, 'words from elsewhere').waitFor()));
  assert.deepEqual((await notesOf(recorder.server)).map(({ text }) => text), ['first words', 'words from elsewhere']);

  await listed(other, 'first words').click();
  await other.getByRole('article', { name: 'Note' }).getByRole('button', { name: 'Edit' }).click();
  await noteEditor(other).getByRole('button', { name: 'Remove' }).click();
  await noteEditor(other).waitFor({ state: 'hidden' });
  await listed(one, 'first words').waitFor({ state: 'hidden' });
});

test('what was imported takes no notes, and the page says why', async (t) => {
  const file = newFile('log');
  writeFileSync(file, '1795594335.891    120 192.0.2.7 TCP_MISS/200 940 GET http://www.msftconnecttest.com/connecttest.txt - HIER_DIRECT/192.0.2.9 text/plain\n');
  const server = await begin(t, ['open', file]);
  const page = await visit(t, server);

  await untilRows(page, 1);
  await page.keyboard.press('n');
  await noteEditor(page).getByRole('alert').getByText(/imported/).waitFor();
  assert.ok(await words(page).isDisabled());
  assert.ok(await noteEditor(page).getByRole('button', { name: 'Keep' }).isDisabled());
  await page.keyboard.press('Escape');
  await noteEditor(page).waitFor({ state: 'hidden' });
  await until(async () => (await page.getByRole('button', { name: 'Note' }).getAttribute('aria-disabled')) === 'true');
});
