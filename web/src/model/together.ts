// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Windows that show the same: the page, and what was popped out of it for another monitor. Each tells the others what
 * it looks at when that has changed by a hand, and takes over what it is told. Between two words each plays by itself.
 *
 * Which windows belong together is a name in the session storage, which a window that is opened by another inherits;
 * so two tabs that somebody opened each for himself stay apart.
 */
export interface Look {
  recording: string;
  device: string;
  filter: string;
  range: { from: number; to: number } | null;
  window: { from: number; to: number } | null;
  flow: number | null;
  moment: string;
  follows: boolean;
  playing: boolean;
  speed: number;
  /** Where the clock stands; while it goes, where it was when this was said. */
  t: number;
}

/** What is said to the other windows: a look, or the question of one who comes late. */
export type Word = { look: Look } | { asks: true };

/** A BroadcastChannel, as far as it is needed. */
export interface Channel {
  postMessage(word: Word): void;
  onmessage: ((event: MessageEvent<Word>) => unknown) | null;
  close(): void;
}

export interface Together {
  /** This window looks at something else now, or was told to. */
  tell(look: Look): void;
  stop(): void;
}

/** Two looks are the same when they differ by nothing but the place of a clock that goes. */
function sameness(look: Look): string {
  return JSON.stringify(look.follows || look.playing ? { ...look, t: 0 } : look);
}

export function joinWindows(channel: Channel, take: (look: Look) => void): Together {
  let last: Look | null = null;
  let known = '';

  channel.onmessage = ({ data }) => {
    if ('asks' in data) {
      if (last) channel.postMessage({ look: last });
      return;
    }
    known = sameness(data.look);
    last = data.look;
    take(data.look);
  };
  channel.postMessage({ asks: true });

  return {
    tell(look) {
      const is = sameness(look);

      last = look;
      if (is === known) return;
      known = is;
      channel.postMessage({ look });
    },
    stop: () => channel.close(),
  };
}

const KEY = 'flightstrip-windows';

/** The channel of the windows that belong to this one; null: there is only this one. */
export function channelOfThis(): Channel | null {
  const name = sessionStorage.getItem(KEY);
  return name ? new BroadcastChannel(name) : null;
}

/** From now on what is opened by this window belongs to it. */
export function beginTogether(): Channel {
  if (!sessionStorage.getItem(KEY)) sessionStorage.setItem(KEY, `${KEY}-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`);
  return channelOfThis()!;
}
