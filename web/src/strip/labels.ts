// SPDX-License-Identifier: GPL-3.0-or-later
/** Labels beside marks, in rows, none over another: where none fits the mark stands alone. */
export interface Placed<T> {
  item: T;
  x: number;
  row: number;
  /** Room for the label from x on; 0: none is shown. */
  room: number;
}

/** Items come in order of x. A label needs `least` pixels to say anything; it is as wide as widthOf says at most. */
export function placeLabels<T>(
  items: readonly T[],
  xOf: (item: T) => number,
  widthOf: (item: T) => number,
  rows: number,
  right: number,
  least = 44,
): Placed<T>[] {
  const endOf = new Array<number>(rows).fill(-Infinity);
  const placed: Placed<T>[] = [];
  const lastIn = new Array<Placed<T> | undefined>(rows).fill(undefined);

  for (const item of items) {
    const x = xOf(item);
    const row = bestRow(endOf, lastIn, x, least);
    if (row < 0) {
      placed.push({ item, x, row: 0, room: 0 });
      continue;
    }
    const before = lastIn[row];
    if (before && before.x + before.room > x - 6) before.room = x - 6 - before.x;
    const room = Math.min(widthOf(item), right - x);
    const one = { item, x, row, room: room >= least || room >= widthOf(item) ? room : 0 };
    placed.push(one);
    lastIn[row] = one;
    endOf[row] = x + one.room;
  }
  return placed;
}

/** One that is free; else one whose last label can be cut and still say something. */
function bestRow<T>(endOf: number[], lastIn: (Placed<T> | undefined)[], x: number, least: number): number {
  const free = endOf.findIndex((end) => end + 6 <= x);

  if (free >= 0) return free;
  return lastIn.findIndex((last) => last !== undefined && x - 6 - last.x >= least * 2);
}
