// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The strip's pictures. Three canvases: the head (ruler, phases, moments, findings), the body (a lane for each
 * service), and over both what moves with clock and pointer. The first two are drawn when what they show has changed,
 * the third with every frame.
 */
import type { Finding, Moment, Note, Phase, Strip } from '../api/client';
import type { Silence } from '../model/activity';
import type { Lane, LaneBins } from './lanes';
import { heightOf } from './lanes';
import { placeLabels } from './labels';
import { type Palette, phaseColour, phaseEdge } from './palette';
import { type Scale, ticks } from './scale';

export const RULER = 20;
export const PHASES = 24;
export const QUIET = 10;
export const MOMENT_ROW = 17;
export const MOMENT_ROWS = 3;
/** Above the labels: the signs of moments for which there is no room to be named. */
export const MOMENT_SIGNS = 13;
export const FINDINGS = 18;
export const SCREEN = 15;
export const LANE = 15;

/** Where the head's lanes begin. */
export const headTops = (() => {
  const phases = RULER;
  const quiet = phases + PHASES + 3;
  const moments = quiet + QUIET + 3;
  const findings = moments + MOMENT_SIGNS + MOMENT_ROWS * MOMENT_ROW + 3;
  const screen = findings + FINDINGS;
  return { phases, quiet, moments, findings, screen, end: screen + SCREEN };
})();

/** A thing on the strip that a pointer can meet. */
export interface Mark {
  x: number;
  y: number;
  right: number;
  height: number;
  key: string;
  title: string;
  at: number;
}

export interface HeadOf {
  strip: Strip;
  notes: readonly Note[];
  silences: readonly Silence[];
  selected: string;
}

export function momentKey(m: { id: string; at_ms: number }): string {
  return `${m.id}@${m.at_ms}`;
}

/** A canvas whose units are the page's pixels, sharp on any screen. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.round(width * ratio);
  const high = Math.round(height * ratio);
  const context = canvas.getContext('2d')!;

  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function cut(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let n = Math.floor((text.length * room) / context.measureText(text).width);

  while (n > 0 && context.measureText(`${text.slice(0, n)}…`).width > room) n--;
  return n > 1 ? `${text.slice(0, n).trimEnd()}…` : '';
}

function hatch(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, colour: string): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (let i = x - height - ((x - height) % 6); i < x + width; i += 6) {
    context.moveTo(i, y + height);
    context.lineTo(i + height, y);
  }
  context.stroke();
  context.restore();
}

function drawRuler(context: CanvasRenderingContext2D, scale: Scale, palette: Palette, height: number): void {
  context.font = `11px ${palette.font}`;
  context.textBaseline = 'middle';
  for (const { at, label } of ticks(scale)) {
    const x = Math.round(scale.x(at)) + 0.5;
    context.strokeStyle = palette.faintLine;
    context.beginPath();
    context.moveTo(x, RULER - 5);
    context.lineTo(x, height);
    context.stroke();
    context.fillStyle = palette.faint;
    context.fillText(label, x + 4, RULER / 2);
  }
}

function drawPhase(context: CanvasRenderingContext2D, phase: Phase, scale: Scale, palette: Palette): void {
  const x = Math.max(scale.x(phase.start_ms * 1000), -2);
  const right = Math.min(scale.x(phase.end_ms * 1000), scale.width + 2);
  const width = Math.max(right - x, 2);
  const y = headTops.phases;

  if (right < 0 || x > scale.width) return;
  context.fillStyle = phaseColour(phase.id, palette);
  context.fillRect(x, y, width, PHASES);
  context.fillStyle = phaseEdge(phase.id, palette);
  context.fillRect(x, y + PHASES - 3, width, 3);
  /* What is only inferred has a broken line beneath. */
  if (phase.confidence !== 'seen') {
    context.fillStyle = palette.ground;
    for (let dash = x + 5; dash < x + width; dash += 8) context.fillRect(dash, y + PHASES - 3, 3, 3);
  }
  context.fillStyle = palette.ground;
  context.fillRect(x + width - 1, y, 1, PHASES);
  context.fillStyle = palette.text;
  context.font = `600 12px ${palette.font}`;
  const from = Math.max(x, 0);
  const text = cut(context, phase.title, right - from - 12);
  if (text) context.fillText(text, from + 6, y + PHASES / 2 - 1);
}

/** Time of the device that no phase covers. */
function drawUnattributed(context: CanvasRenderingContext2D, strip: Strip, scale: Scale, palette: Palette): void {
  let from = strip.start_ms;

  const gap = (to: number) => {
    const x = scale.x(from * 1000);
    const width = scale.x(to * 1000) - x;
    if (width >= 1) hatch(context, x, headTops.phases, width, PHASES, palette.wait);
  };
  for (const phase of strip.phases) {
    gap(phase.start_ms);
    from = Math.max(from, phase.end_ms);
  }
  gap(strip.end_ms);
}

function drawGaps(context: CanvasRenderingContext2D, strip: Strip, scale: Scale, palette: Palette): void {
  for (const { gap, start_ms, end_ms } of strip.coverage) {
    if (!gap) continue;
    const x = scale.x(start_ms * 1000);
    const width = Math.max(scale.x(end_ms * 1000) - x, 2);
    context.fillStyle = palette.sunken;
    context.fillRect(x, headTops.phases, width, headTops.end - headTops.phases);
    hatch(context, x, headTops.phases, width, headTops.end - headTops.phases, palette.warn);
  }
}

function drawSilences(context: CanvasRenderingContext2D, silences: readonly Silence[], scale: Scale, palette: Palette): void {
  const y = headTops.quiet;

  for (const { from, to } of silences) {
    const x = scale.x(from);
    const width = scale.x(to) - x;
    if (width < 2) continue;
    context.strokeStyle = palette.faint;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(x, y + QUIET / 2);
    context.lineTo(x + width, y + QUIET / 2);
    context.stroke();
    context.setLineDash([]);
  }
}

/** Filled where the evidence is direct, hollow where it follows from other traffic; a restart has its own sign. */
function drawSign(context: CanvasRenderingContext2D, x: number, y: number, m: Moment, palette: Palette): void {
  const size = 4.5;

  context.strokeStyle = context.fillStyle = m.phase ? phaseEdge(m.phase, palette) : palette.soft;
  context.lineWidth = 1.5;
  context.beginPath();
  if (m.id === 'reboot') {
    context.strokeStyle = palette.warn;
    context.arc(x, y, size, -0.4 * Math.PI, 1.3 * Math.PI);
  } else {
    context.moveTo(x, y - size);
    context.lineTo(x + size, y);
    context.lineTo(x, y + size);
    context.lineTo(x - size, y);
    context.closePath();
    if (m.confidence === 'seen') context.fill();
  }
  context.stroke();
  context.lineWidth = 1;
}

function drawMoments(context: CanvasRenderingContext2D, of: HeadOf, scale: Scale, palette: Palette): Mark[] {
  const inSight = of.strip.moments.filter((m) => m.at_ms * 1000 >= scale.from && m.at_ms * 1000 <= scale.to);
  const marks: Mark[] = [];

  context.font = `12px ${palette.font}`;
  const widthOf = (m: Moment) => context.measureText(m.title).width + 16;
  for (const { item, x, row, room } of placeLabels(inSight, (m) => scale.x(m.at_ms * 1000), widthOf, MOMENT_ROWS, scale.width)) {
    const y = room
      ? headTops.moments + MOMENT_SIGNS + row * MOMENT_ROW + MOMENT_ROW / 2
      : headTops.moments + MOMENT_SIGNS / 2;
    const key = momentKey(item);

    if (of.selected === key) {
      context.fillStyle = palette.accent;
      context.globalAlpha = 0.25;
      context.fillRect(x - 7, y - MOMENT_ROW / 2, Math.max(room, 14) + 2, MOMENT_ROW);
      context.globalAlpha = 1;
    }
    drawSign(context, x, y, item, palette);
    context.fillStyle = item.confidence === 'seen' ? palette.text : palette.soft;
    const text = room ? cut(context, item.title, room - 12) : '';
    if (text) context.fillText(text, x + 9, y + 0.5);
    marks.push({
      x: x - 7,
      y: y - MOMENT_ROW / 2,
      right: x + Math.max(text ? room : 0, 7),
      height: MOMENT_ROW,
      key,
      title: item.title,
      at: item.at_ms * 1000,
    });
  }
  return marks;
}

const severitySigns: Record<Finding['severity'], string> = { error: '▲', warning: '▲', info: '●' };

function drawFindings(context: CanvasRenderingContext2D, of: HeadOf, scale: Scale, palette: Palette): Mark[] {
  const y = headTops.findings + FINDINGS / 2;
  const inOrder = [...of.strip.findings].sort((a, b) => a.at_ms - b.at_ms);
  const widthOf = (f: Finding) => context.measureText(f.title).width + 20;
  const colours = { error: palette.bad, warning: palette.warn, info: palette.soft };
  const marks: Mark[] = [];

  context.font = `12px ${palette.font}`;
  for (const { item, x, room } of placeLabels(inOrder, (f) => scale.x(f.at_ms * 1000), widthOf, 1, scale.width)) {
    if (x < -4 || x > scale.width + 4) continue;
    context.fillStyle = colours[item.severity];
    context.fillText(severitySigns[item.severity], x - 5, y);
    const text = room ? cut(context, item.title, room - 14) : '';
    if (text) context.fillText(text, x + 9, y);
    marks.push({
      x: x - 7,
      y: headTops.findings,
      right: x + Math.max(text ? room : 0, 8),
      height: FINDINGS,
      key: momentKey(item),
      title: item.title,
      at: item.at_ms * 1000,
    });
  }
  return marks;
}

function drawNotes(context: CanvasRenderingContext2D, of: HeadOf, scale: Scale, palette: Palette): Mark[] {
  return of.notes.flatMap((note) => {
    const x = scale.x(note.at_us);
    if (x < -4 || x > scale.width + 4) return [];
    context.fillStyle = palette.good;
    context.beginPath();
    context.moveTo(x - 5, 3);
    context.lineTo(x + 5, 3);
    context.lineTo(x + 5, 11);
    context.lineTo(x, 16);
    context.lineTo(x - 5, 11);
    context.closePath();
    context.fill();
    return [{ x: x - 6, y: 0, right: x + 6, height: RULER, key: `note@${note.id}`, title: note.text, at: note.at_us }];
  });
}

/** Returns what can be met with the pointer. */
export function drawHead(context: CanvasRenderingContext2D, of: HeadOf, scale: Scale, palette: Palette): Mark[] {
  context.textBaseline = 'middle';
  drawRuler(context, scale, palette, headTops.end);
  drawUnattributed(context, of.strip, scale, palette);
  for (const phase of of.strip.phases) drawPhase(context, phase, scale, palette);
  drawSilences(context, of.silences, scale, palette);
  drawGaps(context, of.strip, scale, palette);
  context.fillStyle = palette.faint;
  context.font = `11px ${palette.font}`;
  context.fillText('no screen is recorded', 6, headTops.screen + SCREEN / 2);
  return [
    ...drawNotes(context, of, scale, palette),
    ...drawMoments(context, of, scale, palette),
    ...drawFindings(context, of, scale, palette),
  ];
}

export function drawBody(
  context: CanvasRenderingContext2D,
  lanes: readonly Lane[],
  bins: LaneBins,
  strip: Strip,
  scale: Scale,
  palette: Palette,
): void {
  const { columns, bytes, open } = bins;
  const hueAt = phaseAtColumn(strip, scale, columns, palette);

  drawGrid(context, scale, palette, lanes.length * LANE);
  lanes.forEach((_, lane) => {
    const base = (lane + 1) * LANE - 2;

    context.fillStyle = palette.faintLine;
    context.fillRect(0, base + 1, scale.width, 1);
    for (let column = 0; column < columns; column++) {
      const i = lane * columns + column;
      if (open[i]! > 0) {
        context.fillStyle = palette.wait;
        context.fillRect(column, base - 2, 1, 2);
      }
      const height = heightOf(bytes[i]!) * (LANE - 4);
      if (height) {
        context.fillStyle = hueAt[column]!;
        context.fillRect(column, base - height, 1.4, height);
      }
    }
  });
}

function drawGrid(context: CanvasRenderingContext2D, scale: Scale, palette: Palette, height: number): void {
  context.fillStyle = palette.faintLine;
  for (const { at } of ticks(scale)) context.fillRect(Math.round(scale.x(at)), 0, 1, height);
}

/** Activity has its phase's colour, so that the eye finds the phase's lanes. */
function phaseAtColumn(strip: Strip, scale: Scale, columns: number, palette: Palette): string[] {
  const colours = new Array<string>(columns).fill(palette.accent);

  for (const phase of strip.phases) {
    const from = Math.max(0, Math.floor(scale.x(phase.start_ms * 1000)));
    const to = Math.min(columns, Math.ceil(scale.x(phase.end_ms * 1000)));
    if (from < to) colours.fill(phaseEdge(phase.id, palette), from, to);
  }
  return colours;
}

export interface OverlayOf {
  t: number;
  follows: boolean;
  range: { from: number; to: number } | null;
  flow: { from: number; to: number; lane: number } | null;
  hoverX: number | null;
  /** How far the body is scrolled, and where it begins. */
  scrolled: number;
}

export function drawOverlay(context: CanvasRenderingContext2D, of: OverlayOf, scale: Scale, palette: Palette, height: number): void {
  const x = scale.x(of.t);

  if (!of.follows && x < scale.width) {
    context.fillStyle = palette.ground;
    context.globalAlpha = 0.72;
    context.fillRect(Math.max(0, x), RULER, scale.width - Math.max(0, x), height - RULER);
    context.globalAlpha = 1;
  }
  if (of.range) drawRange(context, scale.x(of.range.from), scale.x(of.range.to), palette, height);
  if (of.flow) drawFlow(context, of.flow, scale, palette, of.scrolled, height);
  if (of.hoverX !== null) {
    context.fillStyle = palette.faint;
    context.fillRect(Math.round(of.hoverX), 0, 1, height);
  }
  context.fillStyle = palette.accent;
  context.fillRect(Math.round(x) - 1, 0, 2, height);
  context.beginPath();
  context.moveTo(x - 6, 0);
  context.lineTo(x + 6, 0);
  context.lineTo(x, 8);
  context.fill();
}

function drawRange(context: CanvasRenderingContext2D, from: number, to: number, palette: Palette, height: number): void {
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.14;
  context.fillRect(from, 0, to - from, height);
  context.globalAlpha = 1;
  context.fillRect(from, 0, 1, height);
  context.fillRect(to, 0, 1, height);
}

/** The selected row's time, across all lanes, and strong in its own. */
function drawFlow(
  context: CanvasRenderingContext2D,
  flow: { from: number; to: number; lane: number },
  scale: Scale,
  palette: Palette,
  scrolled: number,
  height: number,
): void {
  const x = scale.x(flow.from);
  const width = Math.max(scale.x(Math.min(flow.to, scale.to)) - x, 2);

  context.fillStyle = palette.warn;
  context.globalAlpha = 0.16;
  context.fillRect(x, RULER, width, height - RULER);
  context.globalAlpha = 1;
  const y = headTops.end + flow.lane * LANE - scrolled;
  if (flow.lane < 0 || y < headTops.end) return;
  context.strokeStyle = palette.warn;
  context.strokeRect(x - 1.5, y + 0.5, width + 3, LANE - 2);
}
