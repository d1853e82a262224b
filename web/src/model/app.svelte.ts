// SPDX-License-Identifier: GPL-3.0-or-later
/** What is looked at, and by which eyes: the one object that every part of the page shares. */
import { untrack } from 'svelte';

import * as api from '../api/client';
import { type Place, nowhere, readPlace, writePlace } from './address';
import { Clock } from './clock.svelte';
import { type Filter, type FilterWorld, parseFilter } from './filter';
import { RecordingModel } from './recording.svelte';
import { Settings } from './settings.svelte';
import { type Channel, channelOfThis, joinWindows, type Look, type Together } from './together';

/** Until a server that does not answer is asked again. */
const AGAIN_MS = 1000;

export interface Range {
  from: number;
  to: number;
}

export class App {
  readonly clock = new Clock();
  readonly recording = new RecordingModel(this.clock);
  readonly settings = new Settings();

  about = $state.raw<api.About | null>(null);
  recordings = $state.raw<api.Recording[]>([]);
  problem = $state('');

  view = $state<Place['view']>('recording');
  pane = $state<Place['pane']>('');
  filterText = $state('');
  range = $state.raw<Range | null>(null);
  /** The part of time that the strip shows; null: all of it. */
  window = $state.raw<Range | null>(null);
  flow = $state<number | null>(null);
  /** A moment or finding, as the address has it. */
  moment = $state('');

  helps = $state(false);
  /** The note that is being written; null: none is. */
  noteAt = $state<number | null>(null);

  private readonly world: FilterWorld = {
    flows: this.recording.flows,
    serviceOf: (endpoint) => this.recording.knowledge.endpoints[endpoint]?.service ?? '',
    whatOf: (endpoint) => this.whatOf(endpoint),
    deviceOf: (number) => this.deviceText(number),
    phaseAt: (number, us) => this.phaseAt(number, us),
  };

  filter: Filter = $derived.by(() => {
    void this.recording.knowledge;
    return parseFilter(this.filterText, { ...this.world, flows: this.recording.flows });
  });

  private whatOf(endpoint: number): string {
    const is = this.recording.knowledge.endpoints[endpoint];
    return is ? `${is.service} ${this.recording.serviceTitle(is.service)} ${is.role}` : '';
  }

  private deviceText(number: number): string {
    const device = this.recording.devices.find((d) => d.device === number);
    return device ? `${device.id} ${device.name} ${device.address}` : '';
  }

  private phaseAt(number: number, us: number): string {
    const ms = us / 1000;
    const phases = this.recording.devices.find((d) => d.device === number)?.phases ?? [];
    return phases.find((p) => ms >= p.start_ms && (ms < p.end_ms || p.open))?.id ?? '';
  }

  /** The other windows of this page; null: there are none. */
  private together = $state.raw<Together | null>(null);
  /** What another window looks at is being opened here. */
  private isTaking = $state(false);
  private takes = 0;

  /** From now on this window and the others of the channel show the same. */
  join(channel: Channel | null): void {
    this.together?.stop();
    this.together = channel && joinWindows(channel, (look) => void this.takeLook(look));
  }

  /** Tells the other windows, when there are any, what is looked at. */
  tellOthers(): void {
    if (!this.together || !this.recording.isOpen || this.isTaking) return;
    this.together.tell(this.look());
  }

  /** Opens what the address says, and follows it from then on. */
  async start(): Promise<void> {
    const place = readPlace(location.hash);

    window.addEventListener('hashchange', () => void this.go(readPlace(location.hash)));
    this.take(place);
    this.join(channelOfThis());
    await this.begin(place);
  }

  /** A server that is away for a moment is asked again; what it refuses, it would refuse again. */
  private async begin(place: Place): Promise<void> {
    try {
      [this.about, this.recordings] = await Promise.all([api.about(), api.recordings()]);
      this.setClock(place);
      await this.recording.open(place.recording, place.device);
      this.problem = '';
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      if (error instanceof api.Unreachable) setTimeout(() => void this.begin(place), AGAIN_MS);
    }
  }

  /** Before anything is read, so that what is shown first is what was asked for. */
  private setClock(place: Place): void {
    const info = this.recordings.find(({ id }) => id === place.recording) ?? this.recordings[0];

    if (info) this.clock.say(info.now_us, info.live);
    if (place.t !== null) this.clock.seek(place.t);
  }

  private take(place: Place): void {
    this.view = place.view;
    this.pane = place.pane;
    this.filterText = place.filter;
    this.range = place.from !== null && place.to !== null ? { from: place.from, to: place.to } : null;
    this.window = place.zoom;
    this.flow = place.flow;
    this.moment = place.moment;
    if (place.t !== null) this.clock.seek(place.t);
    else if (!this.clock.playing) this.clock.follow();
  }

  /** To a place that the address bar names: by a link, or by going back. */
  private async go(place: Place): Promise<void> {
    if (writePlace(place) === writePlace(this.place())) return;
    const { info, device } = this.recording;
    const isElsewhere = place.recording && place.recording !== info?.id;

    if (isElsewhere) this.clock.forget();
    this.take(place);
    if (isElsewhere) this.setClock(place);
    if (isElsewhere) await this.recording.open(place.recording, place.device);
    else if (place.device && place.device !== device?.id) await this.recording.chooseDevice(place.device);
  }

  /** Where one is: the clock's time counts only where it stands by hand. */
  place(): Place {
    const several = this.recordings.length > 1;

    return {
      ...nowhere,
      view: this.view,
      pane: this.pane,
      recording: several ? (this.recording.info?.id ?? '') : '',
      device: this.recording.devices.length > 1 ? (this.recording.device?.id ?? '') : '',
      t: this.clock.follows || this.clock.playing ? null : this.clock.t,
      filter: this.filterText,
      from: this.range?.from ?? null,
      to: this.range?.to ?? null,
      zoom: this.window,
      flow: this.flow,
      moment: this.moment,
    };
  }

  /** What other windows are told: all but what is a window's own. */
  look(): Look {
    const { clock, recording } = this;

    return {
      recording: recording.info?.id ?? '',
      device: recording.device?.id ?? '',
      filter: this.filterText,
      range: this.range,
      window: this.window,
      flow: this.flow,
      moment: this.moment,
      follows: clock.follows,
      playing: clock.playing,
      speed: clock.speed,
      t: clock.follows || clock.playing ? untrack(() => clock.t) : clock.t,
    };
  }

  private async takeLook(look: Look): Promise<void> {
    const { info, device } = this.recording;
    const turn = ++this.takes;

    this.isTaking = true;
    this.filterText = look.filter;
    this.clock.take(look);
    const isElsewhere = look.recording !== info?.id;
    const opened = isElsewhere ? this.openRecording(look.recording, look.device) : null;
    this.range = look.range;
    this.window = look.window;
    this.flow = look.flow;
    this.moment = look.moment;
    if (opened) await opened.catch(() => {});
    else if (look.device !== device?.id) await this.recording.chooseDevice(look.device).catch(() => {});
    if (turn !== this.takes) return;
    if (isElsewhere) this.clock.take(look);
    this.isTaking = false;
  }

  async openRecording(id: string, device = ''): Promise<void> {
    this.clock.forget();
    this.flow = this.range = this.window = null;
    this.moment = '';
    await this.recording.open(id, device);
  }

  async openDevice(id: string): Promise<void> {
    this.view = 'recording';
    this.moment = '';
    await this.recording.chooseDevice(id);
  }

  get shown(): Range {
    return this.window ?? { from: 0, to: Math.max(this.clock.now, 1e6) };
  }

  /** Why no note can be written here; empty: it can. */
  get noNotes(): string {
    if (!this.about?.may_write) return 'Your link lets you read, and not write.';
    if (!this.recording.info?.takes_notes) return 'This is an imported file, which has no place for notes.';
    return '';
  }
}

export const app = new App();
