// SPDX-License-Identifier: GPL-3.0-or-later
/** The recording as it was at any time: in both directions, at every speed, by links and from moment to moment. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { bytesText, foldTo, worldOf } from './reference.mjs';
import { begin, endBrowser, made, rehearsed, until, visit } from './stage.mjs';
import {
  clockWhen, counters, detail, flowsShown, goTo, moments, place, readTable, rowCount, slider, timeText, untilClock, untilLoaded,
  untilRows,
} from './view.mjs';

after(endBrowser);

const rehearsal = await rehearsed();

async function opened(t, file = rehearsal, options) {
  const server = await begin(t, ['open', file]);
  const world = await worldOf(server);
  const page = await visit(t, server, options);

  world.strip = (await server.api('/recordings/1/devices/device-1')).strip;
  await untilLoaded(page, world.flows.length);
  return { server, world, page };
}

/** The same numbers each time, which look like chance. */
function* chance(seed) {
  for (;;) {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    yield seed / 2 ** 31;
  }
}

/**
 * A flow's bytes at t. Of one that grew very often the API has some points alone: then those count, and may be behind
 * what was observed but never before it.
 */
function movedAt(world, seen, t) {
  const { moved, ended_us: ended } = world.byFlow.get(seen.flow);
  const points = world.observations.filter((o) => o.flow === seen.flow && /^flow-(progress|closed)$/.test(o.kind)).length;
  if (points <= 30 || (ended !== null && ended <= t)) return { up: seen.up, down: seen.down };
  let at = { up: 0, down: 0 };
  for (let i = 0; i < moved.length && moved[i] <= t; i += 3) at = { up: moved[i + 1], down: moved[i + 2] };
  assert.ok(at.up <= seen.up && at.down <= seen.down, `flow ${seen.flow} is ahead of what was observed`);
  return at;
}

async function isAsItWas(page, world, t) {
  const seen = foldTo(world, t);
  const wanted = world.flows.filter((flow) => seen.has(flow.flow)).map((flow) => seen.get(flow.flow));
  const says = `at ${timeText(t)}`;
  let [up, down, failed] = [0, 0, 0];

  await untilRows(page, wanted.length).catch((error) => assert.fail(`${says}: ${error.message}`));
  const rows = await readTable(page);
  assert.deepEqual(rows.map((row) => row.flow), wanted.map((flow) => flow.flow), says);
  for (const [i, flow] of wanted.entries()) {
    const moved = movedAt(world, flow, t);
    [up, down, failed] = [up + moved.up, down + moved.down, failed + (flow.failed ? 1 : 0)];
    assert.equal(rows[i].Bytes, bytesText(moved.up + moved.down), `bytes of flow ${flow.flow} ${says}`);
    assert.equal(rows[i].Status, flow.status ? String(flow.status) : '', `status of flow ${flow.flow} ${says}`);
    assert.equal(rows[i].Ended === 'open', flow.open, `whether flow ${flow.flow} is open ${says}`);
    assert.equal(rows[i].Host.includes('failed'), flow.failed ?? false, `whether flow ${flow.flow} has failed ${says}`);
  }
  const open = wanted.filter((flow) => flow.open).length;
  assert.deepEqual(
    await counters(page),
    { flows: String(wanted.length), open: String(open), failed: String(failed), up: bytesText(up), down: bytesText(down) },
    says,
  );
}

for (const [name, file, seed] of [['a rehearsal', rehearsal, 7], ['flows of every sort', await made(250), 8]])
  test(`at any time rows, statuses, bytes and counters are as they were: ${name}`, async (t) => {
    const { page, world } = await opened(t, file);
    const random = chance(seed);
    const end = Math.floor(world.info.now_us / 1000);
    const times = Array.from({ length: 8 }, () => Math.floor(random.next().value * end) * 1000);

    for (const at of [...times, ...times.slice(0, 4).sort((a, b) => b - a), 0]) {
      await goTo(page, `#t=${timeText(at)}`);
      await isAsItWas(page, world, at);
    }
  });

test('a hand on the slider leads all of it, to and fro', async (t) => {
  const { page, world } = await opened(t);
  const box = await slider(page).boundingBox();
  const y = box.y + box.height / 2;
  const shown = [];

  await page.mouse.move(box.x + 1, y);
  await page.mouse.down();
  for (const share of [0.1, 0.5, 0.9, 0.6, 0.2]) {
    await page.mouse.move(box.x + box.width * share, y, { steps: 5 });
    const at = await clockWhen(page, (us) => Math.abs(us / world.info.now_us - share) < 0.01, `at ${share} of the whole`);
    shown.push(await rowCount(page));
    const [least, most] = [at, at + 1000].map((us) => foldTo(world, us).size);
    assert.ok(shown.at(-1) >= least && shown.at(-1) <= most, `${shown.at(-1)} rows, not ${least}`);
  }
  await page.mouse.up();
  assert.ok(shown[0] < shown[1] && shown[1] < shown[2] && shown[3] < shown[2] && shown[4] < shown[3], shown.join(' '));
});

test('at each speed so much time passes, and it stops at the end', async (t) => {
  const { page, world } = await opened(t);
  const speed = page.getByRole('combobox', { name: 'Speed' });
  const seconds = async () => Number(await slider(page).getAttribute('aria-valuenow'));

  await goTo(page, '#t=00:00');
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  for (const times of ['1', '2', '5', '10', '30', '60', '120']) {
    await speed.selectOption(times);
    await page.evaluate(() => (location.hash = '#t=00:00'));
    await until(async () => (await seconds()) === 0, 'the clock is not at the beginning');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.clock.runFor(5000);
    await page.getByRole('button', { name: 'Pause' }).click();
    const passed = await seconds();
    assert.ok(Math.abs(passed - 5 * times) <= 1 + 0.04 * times, `${passed} s have passed in 5 s at ${times}×`);
    assert.equal(await rowCount(page), foldTo(world, (passed - 1) * 1e6).size + (await newRows(world, passed, page)));
  }
  await page.getByRole('button', { name: 'Play' }).click();
  await page.clock.runFor(15_000);
  await page.getByRole('button', { name: 'Play' }).waitFor();
  assert.equal(await rowCount(page), world.flows.length);
});

/** The slider has whole seconds: of the flows that were opened in the last and the next one, so many are shown. */
async function newRows(world, second, page) {
  const before = foldTo(world, (second - 1) * 1e6).size;
  const more = (await rowCount(page)) - before;
  assert.ok(more >= 0 && more <= foldTo(world, (second + 1) * 1e6).size - before, `${more} rows more than before second ${second}`);
  return more;
}

test('from moment to moment, on and back', async (t) => {
  const { page, world } = await opened(t);
  const group = page.getByRole('group', { name: 'Replay' });
  const times = [...new Set(world.strip.moments.map((m) => m.at_ms))].filter((ms, i, all) => ms > 50 && (!i || ms - all[i - 1] > 50));

  await goTo(page, '#t=00:00');
  for (const ms of times) {
    await group.getByRole('button', { name: 'Next moment' }).click();
    await untilClock(page, ms * 1000);
  }
  for (const ms of times.slice(0, -1).reverse()) {
    await group.getByRole('button', { name: 'Previous moment' }).click();
    await untilClock(page, ms * 1000);
  }
});

test('silence is skipped to where something happens again', async (t) => {
  const { page, world } = await opened(t);
  const at = world.flows.flatMap((flow) => flow.moved.filter((_, i) => i % 3 === 0)).sort((a, b) => a - b);
  const i = at.findIndex((us, j) => j && us - at[j - 1] >= 20e6);
  assert.ok(i > 0, 'there is no silence in this recording');
  const from = at[i - 1] + 2e6;
  const moment = world.strip.moments.map((m) => m.at_ms * 1000).find((us) => us > from + 50_000);

  await goTo(page, `#t=${timeText(from)}`);
  await page.getByRole('button', { name: /^Skip .* of silence$/ }).click();
  await untilClock(page, Math.floor(Math.min(at[i], moment ?? Infinity) / 1000) * 1000);
});

test('a link leads to a time, a moment and a flow', async (t) => {
  const { server, world } = await opened(t);
  const moment = world.strip.moments.find((m) => m.evidence.length && m.phase);
  const flow = world.observations.find((o) => o.seq === moment.evidence[0]).flow;
  const hash = `#t=${timeText(moment.at_ms * 1000)}&flow=${flow}&moment=${moment.id}@${moment.at_ms}`;
  const page = await visit(t, server, { hash });

  await page.getByRole('article', { name: moment.title }).getByText(moment.says).waitFor();
  await detail(page).waitFor();
  await untilRows(page, foldTo(world, moment.at_ms * 1000).size);
  await untilClock(page, moment.at_ms * 1000);
  assert.equal((await place(page)).get('moment'), `${moment.id}@${moment.at_ms}`);
  await isAsItWas(page, world, moment.at_ms * 1000);
});

test('the list of moments follows the clock and leads it', async (t) => {
  const { page, world } = await opened(t);
  const moment = world.strip.moments.at(Math.floor(world.strip.moments.length / 2));

  await goTo(page, `#t=${timeText(moment.at_ms * 1000 + 1000)}`);
  const current = moments(page).locator('[aria-current=true]');
  const last = world.strip.moments.filter((m) => m.at_ms <= moment.at_ms + 1).at(-1);
  const atThatTime = world.strip.moments.concat(world.strip.findings).filter((m) => m.at_ms === last.at_ms).map((m) => m.title);
  const text = await current.textContent();
  assert.ok(atThatTime.some((title) => text.includes(title)), `${text} is none of ${atThatTime}`);
  await moments(page).getByRole('button', { name: world.strip.moments[1].title }).first().click();
  await untilClock(page, world.strip.moments[1].at_ms * 1000);
  assert.deepEqual(await flowsShown(page), [...foldTo(world, world.strip.moments[1].at_ms * 1000).keys()]);
});
