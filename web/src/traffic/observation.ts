// SPDX-License-Identifier: GPL-3.0-or-later
/** An observation as a sentence; what came from the wire is a piece of its own, so that it can be set apart. */
import { type Observation, hows, kinds, whys } from '../api/generated';
import { bytes } from '../model/format';

export interface Piece {
  text: string;
  wire?: boolean;
}

/** Words between which values stand: say`reached ${o.address} in ${ms}`. Empty values take their words with them. */
function say(words: TemplateStringsArray, ...values: (string | number | undefined)[]): Piece[] {
  const pieces: Piece[] = [{ text: words[0]! }];

  values.forEach((value, i) => {
    pieces.push({ text: String(value ?? '–'), wire: true }, { text: words[i + 1]! });
  });
  return pieces.filter((piece) => piece.text);
}

const list = (text = '') => text.split(',').filter(Boolean).join(', ');
const ms = (o: Observation): Piece[] => (o.ms === undefined ? [] : [{ text: ` in ${o.ms} ms` }]);
const place = (o: Observation) => (o.port ? `${o.address}:${o.port}` : o.address);

const sayings: Partial<Record<Observation['kind'], (o: Observation) => Piece[]>> = {
  'flow-opened': (o) => [
    ...say`Asked for ${o.host ? `${o.host}:${o.port ?? ''}` : 'nothing'} from ${o.client}`,
    { text: o.how ? `: ${hows[o.how]}` : '' },
  ],
  'name-resolved': (o) => [...say`Its name led to ${o.addresses}`, ...ms(o)],
  'name-failed': (o) => say`Its name could not be resolved: ${o.error}`,
  connected: (o) => [...say`Reached the server ${place(o)}`, ...ms(o)],
  'connect-failed': (o) => say`Could not reach ${place(o)}: ${o.error}`,
  'tls-hello': (o) => [
    ...say`ClientHello for ${o.sni ?? 'no name'}, offering ${list(o.tls_versions)}`,
    ...(o.alpn ? say` and ${list(o.alpn)}` : []),
    ...(o.ja4 ? say`; JA4 ${o.ja4}` : []),
    { text: o.ech ? '; with encrypted ClientHello' : '' },
  ],
  'tls-answer': (o) => say`The server chose ${[list(o.tls_versions), o.cipher, o.alpn].filter(Boolean).join(', ')}`,
  'tls-alert': (o) => say`The ${o.by} refused with alert ${o.alert}: ${o.error}`,
  'tls-certificate': (o) => say`Certificate for ${o.subject}, issued by ${o.issuer}`,
  'http-request': (o) => [
    ...say`${o.method} ${o.url}`,
    ...(o.user_agent ? say`, as ${o.user_agent}` : []),
    { text: o.length ? `, with ${bytes(o.length)}` : '' },
  ],
  'http-response': (o) => [
    ...say`Answered ${o.status}`,
    { text: o.by && o.by !== 'server' ? ` by the ${o.by}` : '' },
    ...(o.content_type ? say`, ${o.content_type}` : []),
    { text: o.length ? `, ${bytes(o.length)}` : '' },
    ...ms(o),
  ],
  'flow-progress': (o) => [{ text: `${bytes(o.bytes_up ?? 0)} up, ${bytes(o.bytes_down ?? 0)} down so far` }],
  'flow-closed': (o) => [
    { text: `Ended with ${bytes(o.bytes_up ?? 0)} up, ${bytes(o.bytes_down ?? 0)} down` },
    { text: o.why ? `: ${whys[o.why]}` : '' },
  ],
  'rule-applied': (o) => say`flightstrip was told to: ${o.text}`,
};

/** What is not a kind that is known here is told by its members. */
function plainly(o: Observation): Piece[] {
  const { seq, at_us, kind, source, device, flow, ...said } = o;
  const known = kinds[kind]?.says ?? kind;

  return [
    { text: known },
    ...Object.entries(said).flatMap(([name, value]) => [{ text: `; ${name} ` }, { text: String(value), wire: true }]),
  ];
}

export function saysOf(o: Observation): Piece[] {
  return (sayings[o.kind] ?? plainly)(o).filter((piece) => piece.text);
}

export interface Line {
  o: Observation;
  /** So many of the same kind stand before this one and are not told. */
  folded: number;
}

/** That bytes moved is told by its first and its last, unless everything is asked for. */
export function linesOf(observations: readonly Observation[], everything: boolean): Line[] {
  const lines: Line[] = [];
  const isProgress = (o?: Observation) => o?.kind === 'flow-progress';
  let folded = 0;

  observations.forEach((o, i) => {
    const isWithin = isProgress(observations[i - 1]) && isProgress(o) && isProgress(observations[i + 1]);
    if (isWithin && !everything) folded++;
    else {
      lines.push({ o, folded });
      folded = 0;
    }
  });
  return lines;
}
