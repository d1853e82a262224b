// SPDX-License-Identifier: GPL-3.0-or-later
/** Texts that come again and again, each kept once and called by a number. 0 is the empty text. */
export class Texts {
  private readonly numbers = new Map<string, number>([['', 0]]);
  private readonly texts: string[] = [''];

  numberOf(text: string): number {
    let n = this.numbers.get(text);

    if (n === undefined) {
      n = this.texts.length;
      this.texts.push(text);
      this.numbers.set(text, n);
    }
    return n;
  }

  at(n: number): string {
    return this.texts[n] ?? '';
  }

  get count(): number {
    return this.texts.length;
  }
}
