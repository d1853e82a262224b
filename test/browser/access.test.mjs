// SPDX-License-Identifier: GPL-3.0-or-later
/** Who may see the page, and what the page may do. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, test } from 'node:test';

import { begin, endBrowser, rehearsed, theBrowser, visit } from './stage.mjs';
import { detail, grid, help, moments, noteEditor, rowCount, untilLoaded } from './view.mjs';

after(endBrowser);

const file = await rehearsed();
const address = Object.values(networkInterfaces()).flat().find((one) => one.family === 'IPv4' && !one.internal)?.address;

/* A browser says so of any server that speaks plain HTTP and is not on its own machine. */
const isExpected = (fault) => /Cross-Origin-Opener-Policy header has been ignored/.test(fault);

test('on an address that others reach, the page is for who has the link', { skip: address ? false : 'this machine has no address but those of loopback' }, async (t) => {
  const server = await begin(t, ['open', file], `${address}:0`);
  const token = new URL(server.link).searchParams.get('token');
  assert.ok(token, `${server.link} has no token`);
  const { flow_count: count } = (await server.api('/recordings', { headers: { Authorization: `Bearer ${token}` } })).recordings[0];

  const page = await visit(t, server, { isExpected });
  await untilLoaded(page, count);
  assert.ok(!page.url().includes(token), 'the token is still in the address bar');
  const again = await page.context().newPage();
  await again.goto(server.origin);
  await untilLoaded(again, count);
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);

  for (const link of [server.origin, `${server.origin}/?token=${token.replace(/./, (c) => (c === 'a' ? 'b' : 'a'))}`]) {
    const context = await (await theBrowser()).newContext();
    const stranger = await context.newPage();
    const answer = await stranger.goto(link);
    assert.equal(answer.status(), 401);
    assert.equal(await grid(stranger).count(), 0);
    await context.close();
  }
  assert.equal((await fetch(`${server.origin}/api/v1/recordings`)).status, 401);
});

test('the second link is for reading alone, and the page says so', { skip: address ? false : 'this machine has no address but those of loopback' }, async (t) => {
  const server = await begin(t, ['open', file], `${address}:0`);
  server.link = (await server.hears(/read alone at (\S+)/))[1];
  const page = await visit(t, server, { isExpected });

  await moments(page).getByRole('button').first().waitFor();
  await page.keyboard.press('n');
  await noteEditor(page).getByRole('alert').getByText('Your link lets you read, and not write.').waitFor();
  assert.ok(await noteEditor(page).getByRole('button', { name: 'Keep' }).isDisabled());
});

test('on loopback no token is asked for, and another name of this machine is refused', async (t) => {
  const server = await begin(t, ['open', file]);
  const page = await visit(t, server);

  await untilLoaded(page, (await server.api('/recordings')).recordings[0].flow_count);
  const context = await (await theBrowser()).newContext();
  const elsewhere = await context.newPage();
  const answer = await elsewhere.goto(`http://rebound.localhost:${server.port}/`);
  assert.equal(answer.status(), 421);
  await context.close();
});

test('another page can neither read the recording nor write into it', async (t) => {
  const server = await begin(t, ['open', file]);
  const other = await begin(t, ['open', file]);
  const page = await visit(t, other, { isExpected: (fault) => /CORS|ERR_FAILED|violates|Content Security Policy|status of 403|request:/.test(fault) });
  await untilLoaded(page, (await other.api('/recordings')).recordings[0].flow_count);

  const context = await (await theBrowser()).newContext({ bypassCSP: true });
  const evil = await context.newPage();
  await evil.goto(other.origin);
  const got = await evil.evaluate(async (target) => {
    const tries = [
      fetch(`${target}/api/v1/recordings`),
      fetch(`${target}/api/v1/recordings/1/notes`, { method: 'POST', mode: 'no-cors', body: '{"at_us":1,"text":"x"}' }),
    ];
    return (await Promise.allSettled(tries)).map((one) => (one.status === 'fulfilled' ? one.value.type : 'refused'));
  }, server.origin);
  assert.equal(got[0], 'refused');
  assert.deepEqual((await server.api('/recordings/1/notes')).notes, []);
  await context.close();
});

test('the policy of the page lets nothing in but its own files', async (t) => {
  const server = await begin(t, ['open', file]);
  const policy = (await fetch(server.link)).headers.get('content-security-policy');
  const rules = Object.fromEntries(policy.split(';').map((rule) => rule.trim().split(/\s+(.*)/s)).map(([name, rest]) => [name, rest]));

  assert.equal(rules['default-src'], "'none'");
  for (const name of ['script-src', 'connect-src', 'style-src']) assert.equal(rules[name], "'self'", name);
  assert.equal(rules['frame-ancestors'], "'none'");
  assert.ok(!policy.includes('unsafe'), policy);
});

test('everything that is asked for is of this server', async (t) => {
  const server = await begin(t, ['open', file]);
  const page = await visit(t, server);
  const requested = [];

  page.on('request', (request) => requested.push(request.url()));
  await page.reload();
  await untilLoaded(page, (await server.api('/recordings')).recordings[0].flow_count);
  await grid(page).getByRole('row').nth(3).click();
  await detail(page).waitFor();
  await page.keyboard.press('?');
  await help(page).waitFor();
  assert.ok(requested.length > 5);
  assert.deepEqual(requested.filter((url) => new URL(url).origin !== server.origin), []);
  assert.ok(await rowCount(page));
});
