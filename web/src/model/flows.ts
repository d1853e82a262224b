// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * All flows of a recording, as columns: numbers in typed arrays, texts that come again kept once. A row is an index
 * and stays the same; `order` has the rows by the time at which they were opened.
 *
 * A flow is shown as it was at a time: it is there from its opening on, and what is known of it later is not known
 * yet. The functions that end in At say that, and the same data serves live, replay and both directions.
 */
import { type Column, columns, type Flow } from '../api/generated';
import type { Row } from '../api/client';
import { Texts } from './texts';

/** Not seen, or not yet: later than any time. */
const NEVER = Infinity;

const at = Object.fromEntries(columns.map((name, i) => [name, i])) as Record<Column, number>;

type Numbers = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export class FlowStore {
  count = 0;
  /** One more with every change: what is derived from the rows compares it. */
  version = 0;

  readonly texts = new Texts();

  flow = new Float64Array(1024);
  opened = new Float64Array(1024);
  connected = new Float64Array(1024);
  hello = new Float64Array(1024);
  answered = new Float64Array(1024);
  ended = new Float64Array(1024);
  up = new Float64Array(1024);
  down = new Float64Array(1024);
  resolveMs = new Float64Array(1024);
  connectMs = new Float64Array(1024);
  device = new Uint32Array(1024);
  port = new Uint32Array(1024);
  status = new Uint32Array(1024);
  endpoint = new Int32Array(1024);
  host = new Uint32Array(1024);
  how = new Uint32Array(1024);
  method = new Uint32Array(1024);
  why = new Uint32Array(1024);
  failure = new Uint32Array(1024);
  error = new Uint32Array(1024);
  rules = new Uint32Array(1024);
  contentType = new Uint32Array(1024);
  sni = new Uint32Array(1024);
  /** Rows by when they were opened; the first `count` are set. */
  order = new Uint32Array(1024);

  private readonly urls: string[] = [];
  private readonly growth: number[][] = [];
  private readonly rows = new Map<number, number>();

  rowOf(flow: number): number | undefined {
    return this.rows.get(flow);
  }

  url(row: number): string {
    return this.urls[row] ?? '';
  }

  /** at_us, bytes_up, bytes_down, and so on. */
  moved(row: number): readonly number[] {
    return this.growth[row] ?? [];
  }

  text(column: Uint32Array, row: number): string {
    return this.texts.at(column[row]!);
  }

  /** New and changed ones. */
  put(rows: readonly Row[]): void {
    if (!rows.length) return;
    const before = this.count;

    for (const row of rows) this.putOne(row);
    this.sortFrom(before);
    this.version++;
  }

  private putOne(from: Row): void {
    const number = from[at.flow] as number;
    let row = this.rows.get(number);

    if (row === undefined) {
      row = this.count++;
      this.makeRoom();
      this.rows.set(number, row);
      this.order[row] = row;
      this.flow[row] = number;
      this.setOnce(row, from);
    }
    this.set(row, from);
  }

  /** What does not change any more once it is said. */
  private setOnce(row: number, from: Row): void {
    this.opened[row] = from[at.opened_us] as number;
    this.device[row] = from[at.device] as number;
    this.port[row] = from[at.port] as number;
    this.how[row] = this.texts.numberOf(from[at.how] as string);
  }

  private set(row: number, from: Row): void {
    const time = (column: Column) => (from[at[column]] as number | null) ?? NEVER;
    const text = (column: Column) => this.texts.numberOf(from[at[column]] as string);

    this.connected[row] = time('connected_us');
    this.hello[row] = time('hello_us');
    this.answered[row] = time('answered_us');
    this.ended[row] = time('ended_us');
    this.resolveMs[row] = (from[at.resolve_ms] as number | null) ?? -1;
    this.connectMs[row] = (from[at.connect_ms] as number | null) ?? -1;
    this.up[row] = from[at.bytes_up] as number;
    this.down[row] = from[at.bytes_down] as number;
    this.status[row] = from[at.status] as number;
    this.endpoint[row] = (from[at.endpoint] as number | null) ?? -1;
    this.host[row] = text('host');
    this.method[row] = text('method');
    this.why[row] = text('why');
    this.failure[row] = text('failure');
    this.error[row] = text('error');
    this.rules[row] = text('rules');
    this.contentType[row] = text('content_type');
    this.sni[row] = text('sni');
    this.urls[row] = from[at.url] as string;
    this.growth[row] = from[at.moved] as number[];
  }

  private makeRoom(): void {
    if (this.count <= this.flow.length) return;
    const room = this.flow.length * 2;

    for (const [name, column] of Object.entries(this)) {
      if (!(ArrayBuffer.isView(column) && !(column instanceof DataView))) continue;
      const old = column as Numbers;
      const grown = new (old.constructor as new (n: number) => Numbers)(room);
      grown.set(old);
      (this as unknown as Record<string, Numbers>)[name] = grown;
    }
  }

  /**
   * Puts the new rows where they belong. They nearly are in order; a server's threads may tell of one a few late,
   * so each moves a few places at most.
   */
  private sortFrom(from: number): void {
    for (let i = Math.max(from, 1); i < this.count; i++) {
      const row = this.order[i]!;
      const opened = this.opened[row]!;
      let j = i;

      while (j > 0 && this.opened[this.order[j - 1]!]! > opened) j--;
      if (j < i) {
        this.order.copyWithin(j + 1, j, i);
        this.order[j] = row;
      }
    }
  }

  /** How many had been opened at t: their places in `order` are those before it. */
  openedBy(t: number): number {
    let low = 0;
    let high = this.count;

    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.opened[this.order[middle]!]! <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  isOpenAt(row: number, t: number): boolean {
    return this.ended[row]! > t;
  }

  /** Whether it had failed by then: that is known at its end at the latest. */
  failedAt(row: number, t: number): boolean {
    return this.failure[row] !== 0 && !this.isOpenAt(row, t);
  }

  statusAt(row: number, t: number): number {
    return this.answered[row]! <= t ? this.status[row]! : 0;
  }

  /** How long it has lasted. */
  tookAt(row: number, t: number): number {
    return Math.min(this.ended[row]!, t) - this.opened[row]!;
  }

  upAt(row: number, t: number): number {
    return this.bytesAt(row, t, 1, this.up[row]!);
  }

  downAt(row: number, t: number): number {
    return this.bytesAt(row, t, 2, this.down[row]!);
  }

  private bytesAt(row: number, t: number, offset: 1 | 2, all: number): number {
    if (this.ended[row]! <= t) return all;
    const moved = this.growth[row]!;

    if (!moved.length) return all;
    for (let i = moved.length - 3; i >= 0; i -= 3) if (moved[i]! <= t) return moved[i + offset]!;
    return 0;
  }

  /** As the API has it, for what wants to see one whole. */
  get(row: number): Pick<Flow, 'flow' | 'host' | 'port' | 'url' | 'method'> {
    return {
      flow: this.flow[row]!,
      host: this.text(this.host, row),
      port: this.port[row]!,
      url: this.url(row),
      method: this.text(this.method, row),
    };
  }
}
