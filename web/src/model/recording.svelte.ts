// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * One recording as the page knows it: devices, the strip of the device that is looked at, flows, notes; loaded in
 * portions, and kept up to date while it is live.
 */
import * as api from '../api/client';
import { Live } from '../api/live';
import { Activity, type Totals } from './activity';
import type { Clock } from './clock.svelte';
import { FlowStore } from './flows';

const FIRST_FLOWS = 500;
const PAGE_FLOWS = 5000;
const STRIP_EVERY_MS = 1000;
const ACTIVITY_EVERY_MS = 1000;
const SETTLED_EVERY_MS = 250;
const AGAIN_MS = 1000;

/** What the stream is a reason to ask for: when the server has gone meanwhile, the stream tells, and does so again. */
async function asFarAsAnswered(asked: Promise<void>): Promise<void> {
  await asked.catch((error: unknown) => {
    if (!(error instanceof api.Unreachable)) throw error;
  });
}

export class RecordingModel {
  info = $state.raw<api.Recording | null>(null);
  devices = $state.raw<api.Device[]>([]);
  strip = $state.raw<api.Strip | null>(null);
  notes = $state.raw<api.Note[]>([]);
  /** Changes when flows have: whoever shows rows reads it. */
  flowsVersion = $state(0);
  /** The same, a few times a second: for what is not cheap to make anew. */
  settledVersion = $state(0);
  /** Flows are still being read; so many of so many. */
  loaded = $state(0);
  isLoaded = $state(false);
  connected = $state(true);
  problem = $state('');
  activity = $state.raw<Activity>(new Activity(new FlowStore()));
  /** What the flows go to. */
  knowledge = $state.raw<api.Knowledge>({ endpoints: [], services: [] });

  flows = new FlowStore();

  private live: Live | null = null;
  private deviceId = $state('');
  /** Which device's strip is shown is decided. */
  isOpen = $state(false);
  private stripTimer = 0;
  private activityTimer = 0;
  private settledTimer = 0;
  private againTimer = 0;
  /** Grows when what is asked for is another: answers that come late are dropped. */
  private turn = 0;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async open(id: string, deviceId: string): Promise<void> {
    this.close();
    const turn = ++this.turn;
    const all = await api.recordings();
    const info = all.find((recording) => recording.id === id) ?? all[0];

    if (turn !== this.turn) return;
    if (!info) throw new Error('there is no recording here');
    this.info = info;
    this.clock.say(info.now_us, info.live);
    await Promise.all([this.loadFlows(info, turn), this.loadRest(info, deviceId, turn)]);
  }

  private async loadRest(info: api.Recording, deviceId: string, turn: number): Promise<void> {
    const [knowledge, devices, notes] = await Promise.all([
      api.knowledge(),
      api.devices(info.id),
      api.notes(info.id),
    ]);
    if (turn !== this.turn) return;
    this.knowledge = knowledge;
    this.notes = notes;
    this.takeDevices(devices);
    const chosen = this.chooseDevice(deviceId);
    this.isOpen = true;
    await chosen;
  }

  close(): void {
    this.turn++;
    this.live?.stop();
    this.live = null;
    for (const timer of [this.stripTimer, this.activityTimer, this.settledTimer, this.againTimer]) clearTimeout(timer);
    this.stripTimer = this.activityTimer = this.settledTimer = this.againTimer = 0;
    this.flows = new FlowStore();
    this.activity = new Activity(this.flows);
    this.devices = [];
    this.strip = null;
    this.notes = [];
    this.loaded = 0;
    this.isLoaded = this.isOpen = false;
    this.connected = true;
    this.problem = '';
    this.flowsVersion++;
    this.settledVersion++;
  }

  /** All of it once more: as soon as the server can be asked. */
  private async openAgain(): Promise<void> {
    const recording = this.info?.id ?? '';
    const device = this.deviceId;

    try {
      await this.open(recording, device);
    } catch (error) {
      this.connected = false;
      this.problem = (error as Error).message;
      this.againTimer = window.setTimeout(() => void this.openAgain(), AGAIN_MS);
    }
  }

  /** The server is there and gives no stream: what it serves may be another recording by now. */
  private async refused(): Promise<void> {
    try {
      const all = await api.recordings();
      this.problem = '';
      if (!all.some((recording) => recording.id === this.info?.id)) await this.openAgain();
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  /** The strip of another device. Without one there is none yet, and the first to come is taken. */
  async chooseDevice(id: string): Promise<void> {
    const device = this.devices.find((d) => d.id === id) ?? this.devices[0];

    this.deviceId = device?.id ?? '';
    if (device) await this.loadStrip();
    else this.strip = null;
    this.reckon();
  }

  get device(): api.Device | undefined {
    return this.devices.find((d) => d.id === this.deviceId);
  }

  totalsAt(t: number): Totals {
    return this.activity.at(t);
  }

  async loadNotes(): Promise<void> {
    if (this.info) this.notes = await api.notes(this.info.id);
  }

  serviceTitle(id: string): string {
    return this.titles.get(id) ?? id;
  }

  private titles = $derived(new Map(this.knowledge.services.map((s) => [s.id, s.title])));

  private async loadStrip(): Promise<void> {
    const id = this.deviceId;
    const recording = this.info;

    if (!recording || !id) return;
    const strip = await api.strip(recording.id, id);
    if (this.deviceId === id && this.info === recording) this.strip = strip;
  }

  /**
   * The first flows come alone, so that there is something to see; the rest in larger portions, between which the
   * page stays usable. What changes meanwhile is told by the live stream from the first portion's seq on.
   */
  private async loadFlows(info: api.Recording, turn: number): Promise<void> {
    let after: number | null = info.flows_from - 1;
    let seq: number | null = null;

    while (after !== null) {
      const page: api.FlowPage | null = await this.pageAfter(info.id, after, seq === null ? FIRST_FLOWS : PAGE_FLOWS, turn);
      if (!page) return;
      seq ??= page.seq;
      after = page.next;
      this.flows.put(page.rows);
      this.loaded = this.flows.count;
      this.changed();
    }
    this.isLoaded = true;
    this.reckon();
    this.listen(info, seq ?? 0);
  }

  /** Asked for until it comes, or nobody wants it any more (null). */
  private async pageAfter(id: string, after: number, limit: number, turn: number): Promise<api.FlowPage | null> {
    while (turn === this.turn)
      try {
        const page = await api.flowPage(id, after, limit);
        if (turn !== this.turn) return null;
        this.connected = true;
        return page;
      } catch (error) {
        if (!(error instanceof api.Unreachable)) throw error;
        if (turn === this.turn) this.connected = false;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    return null;
  }

  private changed(): void {
    this.flowsVersion++;
    this.settledTimer ||= window.setTimeout(() => {
      this.settledTimer = 0;
      this.settledVersion++;
    }, SETTLED_EVERY_MS);
  }

  private listen(info: api.Recording, seq: number): void {
    this.live = new Live(info.id, seq, {
      flows: (rows, nowUs) => {
        this.flows.put(rows);
        this.changed();
        this.clock.say(nowUs, true);
        this.reckonSoon();
      },
      devices: (devices, nowUs) => {
        this.takeDevices(devices);
        this.clock.say(nowUs, true);
        this.stripSoon();
      },
      notes: () => void asFarAsAnswered(this.loadNotes()),
      clock: (nowUs) => this.clock.say(nowUs, true),
      reset: () => void this.openAgain(),
      refused: () => void this.refused(),
      end: (nowUs) => void this.ended(nowUs),
      connected: (is) => {
        this.connected = is;
        if (is) this.problem = '';
      },
    });
  }

  private async ended(nowUs: number): Promise<void> {
    this.clock.say(nowUs, false);
    if (this.info) this.info = { ...this.info, live: false, now_us: nowUs };
    await asFarAsAnswered(this.loadStrip());
    this.reckon();
  }

  private takeDevices(changed: api.Device[]): void {
    const byId = new Map(this.devices.map((d) => [d.id, d]));

    for (const device of changed) byId.set(device.id, device);
    this.devices = [...byId.values()].sort((a, b) => a.device - b.device);
    if (!this.deviceId && this.devices[0]) void asFarAsAnswered(this.chooseDevice(this.devices[0].id));
  }

  private stripSoon(): void {
    this.stripTimer ||= window.setTimeout(() => {
      this.stripTimer = 0;
      void asFarAsAnswered(this.loadStrip());
    }, STRIP_EVERY_MS);
  }

  private reckonSoon(): void {
    this.activityTimer ||= window.setTimeout(() => {
      this.activityTimer = 0;
      this.reckon();
    }, ACTIVITY_EVERY_MS);
  }

  private reckon(): void {
    this.activity = new Activity(this.flows, this.device?.device ?? 0, this.activity);
  }
}
