// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The live stream of a recording, for as long as it lasts. A connection that is lost is made again, from the seq up
 * to which everything is known; that the server is away is told, since nothing on the page would show it.
 */
import { type Device, pathOf, type Row } from './client';

export interface LiveListener {
  flows(rows: Row[], nowUs: number): void;
  devices(devices: Device[], nowUs: number): void;
  notes(): void;
  clock(nowUs: number): void;
  /** Everything is to be asked for anew; nothing more comes from this stream. */
  reset(): void;
  /** The recording has ended, and so has this stream. */
  end(nowUs: number): void;
  connected(is: boolean): void;
  /** The server is there, and gives no stream; it is asked again all the same. */
  refused(): void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
/** The server tells the time once a second: when it has not for so long, the connection is dead. */
const SILENT_MS = 10_000;

const events = ['flows', 'devices', 'notes', 'clock', 'reset', 'end'] as const;
type Name = (typeof events)[number];

export class Live {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waitMs = FIRST_WAIT_MS;
  private seq: number;
  private readonly recording: string;
  private readonly listener: LiveListener;

  constructor(recording: string, after: number, listener: LiveListener) {
    this.recording = recording;
    this.seq = after;
    this.listener = listener;
    this.connect();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private connect(): void {
    const source = new EventSource(`${pathOf(this.recording)}/live?after=${this.seq}`);

    this.source = source;
    this.watch();
    source.onopen = () => {
      this.waitMs = FIRST_WAIT_MS;
      this.listener.connected(true);
    };
    source.onerror = () => this.lost(source.readyState === EventSource.CLOSED);
    for (const name of events)
      source.addEventListener(name, (event) => {
        if (this.source !== source) return;
        this.watch();
        this.tell(name, JSON.parse(event.data));
        if (event.lastEventId) this.seq = Number(event.lastEventId);
      });
  }

  /** Until the next word. */
  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(false), SILENT_MS);
  }

  /** The browser's own way to reconnect gives up on some errors: so it is done here. */
  private lost(isRefused: boolean): void {
    this.stop();
    this.listener.connected(false);
    this.timer = setTimeout(() => this.connect(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
    if (isRefused) this.listener.refused();
  }

  private tell(name: Name, data: { now_us: number; rows: Row[]; devices: Device[] }): void {
    const to = this.listener;

    switch (name) {
      case 'flows':
        to.flows(data.rows, data.now_us);
        break;
      case 'devices':
        to.devices(data.devices, data.now_us);
        break;
      case 'notes':
        to.notes();
        break;
      case 'clock':
        to.clock(data.now_us);
        break;
      case 'reset':
        this.stop();
        to.reset();
        break;
      case 'end':
        this.stop();
        to.end(data.now_us);
        break;
    }
  }
}
