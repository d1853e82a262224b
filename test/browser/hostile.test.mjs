// SPDX-License-Identifier: GPL-3.0-or-later
/** What a device or a server says is text on the page, whatever it says: nothing of it runs or hides something else. */
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { begin, endBrowser, flightstrip, folder, newFile, rehearsed, until, visit } from './stage.mjs';
import { counters, detail, filterField, grid, moments, readTable, rowCount, untilRows } from './view.mjs';

after(endBrowser);

const RUN = 'window.ran=1';
const hosts = [
  `<script>${RUN}</script>.test`,
  `<img src=x onerror=${RUN}>`,
  `"><svg/onload=${RUN}>`,
  `javascript:${RUN}`,
  '{{constructor.constructor("window.ran=1")()}}',
  '\u202egro.live\u202c.test',
  'مثال.إختبار',
  'a\u0000b\u001b[31mred\u0007\r\n.test',
  'é'.repeat(2000),
  '%3Cscript%3E',
  '\u2066\u2067\u2068\u202a\u202b\u202d',
];

const MEGABYTE = 'x'.repeat(1 << 20);

/** Observations of a flow to each of these hosts, with all that may have text in it. */
function hostileLines() {
  const lines = [{ flightstrip: 1, recording: { began: '2026-11-23T18:39:00Z' } }];
  let seq = 0;
  const add = (at_us, kind, more) => lines.push({ seq: ++seq, at_us, kind, source: 'proxy', device: 1, ...more });

  add(0, 'device-seen', { client: '192.0.2.7', name: `<b onclick=${RUN}>vm</b>` });
  hosts.forEach((host, i) => {
    const flow = i + 1;
    const at = i * 1e6;
    add(at, 'flow-opened', { flow, host, port: 80, how: 'absolute-form', client: '192.0.2.7:5000' });
    add(at + 1000, 'http-request', { flow, method: '<i>GET', url: `http://${host}/<img src=x onerror=${RUN}>`, host, user_agent: `<script>${RUN}</script>` });
    add(at + 2000, 'http-response', { flow, status: 200, content_type: `text/<img src=x onerror=${RUN}>`, by: 'server' });
    add(at + 3000, 'flow-closed', { flow, why: 'finished', bytes_up: 1, bytes_down: 2 });
  });
  return { lines, add };
}

function written({ lines }, ending = 'ndjson') {
  const file = newFile(ending);
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n') + '\n');
  return file;
}

async function nothingRan(page) {
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('img, iframe, object, embed, script:not([src])').count(), 0, 'something is not text');
}

test('script in names, bidirectional text and control characters are text', async (t) => {
  const file = written(hostileLines());
  const server = await begin(t, ['open', file]);
  const page = await visit(t, server);

  await untilRows(page, hosts.length);
  const rows = await readTable(page);
  for (const i of [0, 1, 2, 3, 4, 9]) assert.equal(rows[i].Host, hosts[i]);
  for (const row of await grid(page).getByRole('row').all()) {
    const index = Number(await row.getAttribute('aria-rowindex'));
    if (index < 2) continue;
    await row.click();
    await detail(page).waitFor();
    await until(async () => (await detail(page).getByRole('listitem').count()) >= 4, 'the observations are not there');
    await nothingRan(page);
  }
});

test('text that runs from right to left turns round nothing beside it', async (t) => {
  const server = await begin(t, ['open', written(hostileLines())]);
  const page = await visit(t, server);

  await untilRows(page, hosts.length);
  const isolated = await grid(page).getByRole('row').nth(6).evaluate((row) => {
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); )
      if (/[\u202a-\u202e\u2066-\u2069]/.test(node.data)) {
        const style = getComputedStyle(node.parentElement);
        if (!/isolate|plaintext/.test(style.unicodeBidi)) return node.parentElement.outerHTML;
      }
    return '';
  });
  assert.equal(isolated, '', 'this is not kept apart');
});

test('a URL of a megabyte is cut, and the page stays usable', async (t) => {
  const story = hostileLines();
  story.add(20e6, 'flow-opened', { flow: 90, host: 'long.test', port: 80, how: 'absolute-form', client: '192.0.2.7:5000' });
  story.add(20.1e6, 'http-request', { flow: 90, method: 'GET', url: `http://long.test/${MEGABYTE}`, host: 'long.test' });
  story.add(20.2e6, 'flow-closed', { flow: 90, why: 'finished', bytes_up: 1 << 20, bytes_down: 3 });
  const server = await begin(t, ['open', written(story)]);
  const page = await visit(t, server);

  await untilRows(page, hosts.length + 1);
  await filterField(page).fill('host:long.test');
  await untilRows(page, 1);
  const row = grid(page).getByRole('row').nth(1);
  assert.ok((await row.textContent()).length < 4000);
  const { width } = await row.boundingBox();
  assert.ok(width <= 1600, `the row is ${width} pixels wide`);
  await row.click();
  await detail(page).getByRole('listitem').first().waitFor();
  const wide = await detail(page).evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.ok(wide <= 1, `the flow is ${wide} pixels wider than its place`);
  await page.keyboard.press('Escape');
  await filterField(page).fill('');
  await untilRows(page, hosts.length + 1);
  await nothingRan(page);
});

test('numbers as large as can be are told, and break nothing', async (t) => {
  const story = hostileLines();
  const most = Number.MAX_SAFE_INTEGER;
  story.add(20e6, 'flow-opened', { flow: 4294967296, host: 'large.test', port: 65535, how: 'connect', client: '192.0.2.7:5000' });
  story.add(21e6, 'flow-progress', { flow: 4294967296, bytes_up: most - 1, bytes_down: most - 1 });
  story.add(100 * 3600e6, 'flow-closed', { flow: 4294967296, why: 'finished', bytes_up: most, bytes_down: most });
  const server = await begin(t, ['open', written(story)]);
  const page = await visit(t, server);

  await untilRows(page, hosts.length + 1);
  const row = (await readTable(page)).at(-1);
  assert.equal(row.Host, 'large.test');
  assert.match(row.Bytes, /^\d+ TB$/);
  assert.match(row.Took, /^99 h|^100 h/);
  assert.match((await counters(page)).down, /TB$/);
  await grid(page).getByRole('row').last().click();
  await detail(page).getByRole('listitem').first().waitFor();
});

test('words of a person, a file and an address are text too', async (t) => {
  const name = `<img src=x onerror=${RUN}>.flight`;
  const file = join(folder, name);
  copyFileSync(await rehearsed(), file);
  await flightstrip('note', file, `<script>${RUN}</script> \u202egnol`);
  const server = await begin(t, ['open', file]);
  const hash = `#q=${encodeURIComponent(`"<img src=x onerror=${RUN}>"`)}&moment=${encodeURIComponent(`<svg onload=${RUN}>`)}&t=javascript:${RUN}&d=<script>`;
  const page = await visit(t, server, { hash });

  await untilRows(page, 0);
  await page.getByRole('banner').getByText(name).waitFor();
  await page.keyboard.press('Escape');
  await moments(page).getByRole('button', { name: `<script>${RUN}</script>` }).click();
  await page.getByRole('article', { name: 'Note' }).getByText(`<script>${RUN}</script>`).waitFor();
  await nothingRan(page);
  await filterField(page).fill('__proto__:x constructor>3 hasOwnProperty');
  await page.getByText(/there is no such key/).first().waitFor();
  assert.ok((await rowCount(page)) >= 0);
});

test('what came through the real proxy is shown as it was asked for', async (t) => {
  const { Recorder } = await import('./recorder.mjs');
  const recorder = await Recorder.begin(t, newFile());
  const page = await visit(t, recorder.server);

  await recorder.ask('a.test', 1);
  await recorder.askRaw(`GET http://b.test/<img%20src=x%20onerror=${RUN}>?"'<script>${RUN}</script> HTTP/1.1\r\nHost: b.test\r\nUser-Agent: <script>${RUN}</script>\r\nConnection: close\r\n\r\n`);
  await recorder.askRaw(`CONNECT <script>${RUN}</script>:443 HTTP/1.1\r\nHost: x\r\n\r\n`);
  await recorder.askRaw(`GET http://c.test/${'y'.repeat(30000)} HTTP/1.1\r\nHost: c.test\r\nConnection: close\r\n\r\n`);
  await untilRows(page, (await recorder.server.api('/recordings')).recordings[0].flow_count);
  assert.ok((await rowCount(page)) >= 3);
  for (const row of (await grid(page).getByRole('row').all()).slice(1)) {
    await row.click();
    await detail(page).getByRole('listitem').first().waitFor();
  }
  await nothingRan(page);
});
