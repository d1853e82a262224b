// SPDX-License-Identifier: GPL-3.0-or-later
/** What axe-core finds on each view, dark and light; and that the page fits where it is shown. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { axeSource, endBrowser, flightstrip, made, opened, rehearsed, visit } from './stage.mjs';
import { detail, drawn, filterField, goTo, grid, help, moments, noteEditor, untilRows } from './view.mjs';

after(endBrowser);

const file = await rehearsed();
await flightstrip('note', '--at', '02:16', file, 'the screen is blue');
const rehearsal = await opened(file);
const many = await opened(await made(400, 12));

/** What is serious, as sentences. */
async function findings(page) {
  await drawn(page);
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, impact, help: says, nodes }) => ({ impact, says: `${id}: ${says}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} (${node.failureSummary.slice(0, 200)})`).join(' | ')}` }));
  });
  return found.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ says }) => says);
}

const views = {
  'a recording': async () => {},
  'a flow and its observations': async (page) => {
    await grid(page).getByRole('row').nth(4).click();
    await detail(page).getByRole('listitem').first().waitFor();
  },
  'a time in replay': (page) => goTo(page, '#t=05:00&from=04:00&to=06:00&zoom=02:00-10:00'),
  'a moment': async (page) => {
    await moments(page).getByRole('button', { name: 'Enrolment in Intune' }).click();
    await page.getByRole('article').getByRole('listitem').first().waitFor();
  },
  'a filter that cannot be understood': async (page) => {
    await filterField(page).fill('bytes>many failed');
    await page.getByText(/expected such as/).first().waitFor();
  },
  'no flow at all': async (page) => {
    await filterField(page).fill('host:there-is-none.test');
    await untilRows(page, 0);
  },
  help: async (page) => {
    await page.keyboard.press('?');
    await help(page).waitFor();
  },
  'the note editor': async (page) => {
    await page.keyboard.press('n');
    await noteEditor(page).waitFor();
  },
};

for (const colorScheme of ['dark', 'light']) {
  for (const [name, lead] of Object.entries(views))
    test(`nothing serious: ${name}, ${colorScheme}`, async (t) => {
      const page = await visit(t, rehearsal, { colorScheme });
      await moments(page).getByRole('button').first().waitFor();
      await lead(page);
      assert.equal((await findings(page)).join('\n'), '');
    });

  test(`nothing serious: devices, ${colorScheme}`, async (t) => {
    const page = await visit(t, many, { colorScheme, hash: '#view=devices' });
    await page.getByRole('heading', { name: '12 devices' }).waitFor();
    assert.equal((await findings(page)).join('\n'), '');
  });
}

test('the colours are those of the system, and another choice is kept', async (t) => {
  const page = await visit(t, rehearsal, { colorScheme: 'dark' });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0));
  await moments(page).waitFor();

  assert.ok((await background()) < 200, 'it is not dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await drawn(page);
  assert.ok((await background()) > 600, 'it is not light');
  await page.keyboard.press('t');
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  assert.ok((await background()) < 200, 'it is not dark');
  await page.reload();
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  assert.ok((await background()) < 200, 'it is not dark any more');
});

for (const [width, height] of [[1280, 720], [1366, 768], [3840, 1080]])
  test(`at ${width}x${height} nothing is beyond the window's edge`, async (t) => {
    const page = await visit(t, rehearsal, { viewport: { width, height } });
    await moments(page).getByRole('button').first().waitFor();
    await grid(page).getByRole('row').nth(2).click();
    await detail(page).waitFor();

    const [wide, high] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
    assert.deepEqual([wide, high], [width, height]);
    for (const part of [grid(page), page.getByRole('region', { name: 'Strip' }), page.getByRole('button', { name: 'Keys' }), page.getByRole('button', { name: 'Note' }).first()]) {
      const box = await part.boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1, `${part} is at ${JSON.stringify(box)}`);
    }
  });

test('printed, it is more than an empty page', async (t) => {
  const page = await visit(t, rehearsal);
  await moments(page).getByRole('button').first().waitFor();
  const pdf = await page.pdf({ format: 'A4', landscape: true });
  assert.ok(pdf.length > 20_000, `${pdf.length} bytes`);
});
