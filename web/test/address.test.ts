// SPDX-License-Identifier: GPL-3.0-or-later
import { expect, test } from 'vitest';

import { nowhere, type Place, readPlace, writePlace } from '../src/model/address';

test.each<[Partial<Place>, string]>([
  [{}, '#'],
  [{ t: 414e6 }, '#t=06:54'],
  [{ t: 1.5e6 }, '#t=00:01.5'],
  [{ t: 3_723_050_000 }, '#t=1:02:03.05'],
  [{ recording: '2', device: 'device-3', pane: 'traffic' }, '#r=2&d=device-3&pane=traffic'],
  [{ filter: '!ocsp bytes>1MB "a&b=c#d"' }, '#q=%21ocsp+bytes%3E1MB+%22a%26b%3Dc%23d%22'],
  [{ from: 6e6, to: 8e6, zoom: { from: 0, to: 60e6 } }, '#from=00:06&to=00:08&zoom=00:00-01:00'],
  [{ flow: 17, moment: 'profile-download@12000', view: 'devices' }, '#view=devices&flow=17&moment=profile-download@12000'],
])('%o is written, and read as the same', (part, hash) => {
  const place = { ...nowhere, ...part };

  expect(writePlace(place)).toBe(hash);
  expect(readPlace(hash)).toEqual(place);
});

test.each(['', '#', '#t=never&flow=-3&from=x&zoom=5&view=nothing&pane=strip', '#flow=1e999&zoom=00:09-00:05'])(
  'what %s does not say is nowhere',
  (hash) => {
    expect(readPlace(hash)).toEqual(nowhere);
  },
);
