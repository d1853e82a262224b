// SPDX-License-Identifier: GPL-3.0-or-later
/** Numbers as people read them. Times are microseconds since the recording began. */

const SECOND = 1e6;

/** "06:54", "1:02:03"; with tenths where the eye is close. */
export function clockTime(us: number, tenths = false): string {
  const whole = Math.max(0, tenths ? Math.floor(us / (SECOND / 10)) / 10 : Math.floor(us / SECOND));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const seconds = whole % 60;
  const tail = tenths ? seconds.toFixed(1).padStart(4, '0') : String(seconds).padStart(2, '0');

  return `${hours ? `${hours}:` : ''}${String(minutes).padStart(2, '0')}:${tail}`;
}

/** "06:54" and what else people write: "6:54", "1:02:03", "414.5" seconds. NaN when it is none of them. */
export function parseClockTime(text: string): number {
  const parts = text.trim().split(':');

  if (!parts.length || parts.length > 3 || parts.some((part) => !/^\d+(\.\d+)?$/.test(part))) return NaN;
  return parts.reduce((sum, part) => sum * 60 + Number(part), 0) * SECOND;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** "840 B", "4.1 kB", "218 MB": three figures are enough to compare. */
export function bytes(n: number): string {
  let unit = 0;

  while (n >= 999.5 && unit < BYTE_UNITS.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit && n < 9.95 ? n.toFixed(1) : Math.round(n)} ${BYTE_UNITS[unit]}`;
}

/** "0 ms", "340 ms", "3.2 s", "18 min 55 s". */
export function duration(us: number): string {
  const seconds = us / SECOND;

  if (seconds < 0.9995) return `${Math.round(us / 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  return `${Math.floor(whole / 3600)} h${whole % 3600 >= 60 ? ` ${Math.floor((whole % 3600) / 60)} min` : ''}`;
}

const grouped = new Intl.NumberFormat('en-US');

export function count(n: number): string {
  return grouped.format(n);
}

/** "1 flow", "3 flows". */
export function counted(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? '' : 's'}`;
}

/** An id as words. */
export function words(id: string): string {
  return id.replaceAll('-', ' ');
}
