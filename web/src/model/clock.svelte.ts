// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The one clock that everything on the page follows: table, strip, counters and screen show the recording as it was at
 * `t`. Live it stands at the edge, and moves on between two words of the server, so that time does not jump. In replay
 * it stands, plays, or is led by a hand. `now` is the edge: as far as is known.
 */
export const speeds = [1, 2, 5, 10, 30, 60, 120] as const;

/** Longer than this the edge does not run ahead of what the server said last. */
const AHEAD_MS = 1500;
const NEVER = -Infinity;

export class Clock {
  t = $state(0);
  now = $state(0);
  /** The recording still grows. */
  live = $state(false);
  /** The clock stands at the edge, and goes with it. */
  follows = $state(true);
  playing = $state(false);
  speed = $state<number>(1);

  private saidAt = NEVER;
  private saidNow = 0;
  private rate = 1;
  private frame = 0;
  private lastFrame = 0;

  /** What the server says of the edge. */
  say(nowUs: number, live: boolean): void {
    const at = performance.now();
    const passed = at - this.saidAt;

    /* A rehearsal's time goes faster than ours: how fast is learnt from what it says. */
    if (live && this.saidAt !== NEVER && passed > 200) this.rate = Math.max(0, (nowUs - this.saidNow) / (passed * 1000));
    if (passed > 200 || !live) {
      this.saidAt = at;
      this.saidNow = nowUs;
    }
    this.live = live;
    this.now = Math.max(this.now, nowUs);
    if (this.follows) this.t = this.now;
    this.run();
  }

  /** Led to a time by hand, or by a link. */
  seek(us: number): void {
    this.t = Math.min(Math.max(0, us), this.now);
    this.follows = false;
  }

  follow(): void {
    this.follows = true;
    this.playing = false;
    this.t = this.now;
    this.run();
  }

  play(): void {
    if (this.t >= this.now && !this.live) this.t = 0;
    this.follows = false;
    this.playing = true;
    this.run();
  }

  pause(): void {
    this.playing = false;
    this.follows = false;
  }

  toggle(): void {
    if (this.playing || (this.follows && this.live)) this.pause();
    else this.play();
  }

  faster(step: 1 | -1): void {
    const i = speeds.findIndex((speed) => speed >= this.speed);
    this.speed = speeds[Math.min(Math.max(0, i + step), speeds.length - 1)]!;
  }

  /** As another window's stands. */
  take(other: { follows: boolean; playing: boolean; speed: number; t: number }): void {
    this.speed = other.speed;
    this.follows = other.follows;
    this.playing = other.playing;
    this.t = other.follows ? this.now : other.t;
    this.run();
  }

  forget(): void {
    this.t = this.now = this.saidNow = 0;
    this.saidAt = NEVER;
    this.rate = 1;
    this.live = this.playing = false;
    this.follows = true;
  }

  private run(): void {
    if (this.frame || !(this.playing || (this.live && this.follows))) return;
    this.lastFrame = performance.now();
    this.frame = requestAnimationFrame((at) => this.step(at));
  }

  private step(at: number): void {
    this.frame = 0;
    if (this.live) {
      const passed = Math.min(at - this.saidAt, AHEAD_MS);
      this.now = Math.max(this.now, this.saidNow + passed * 1000 * this.rate);
    }
    if (this.playing) this.advance((at - this.lastFrame) * 1000 * this.speed);
    else if (this.follows) this.t = this.now;
    this.lastFrame = at;
    if (this.playing || (this.live && this.follows)) this.frame = requestAnimationFrame((next) => this.step(next));
  }

  private advance(us: number): void {
    this.t = Math.min(this.t + us, this.now);
    if (this.t < this.now) return;
    this.playing = false;
    this.follows = this.live;
  }
}
