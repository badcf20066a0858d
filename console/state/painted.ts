// What masks were painted on: painted again, one starts from what was painted before, on the whole picture.

import { onKeyChange } from '../api/key.ts';
import type { Stroke } from '../parts/strokes.ts';
import { storedOfOwner } from './private.ts';

const KEPT = 20;

const bases = storedOfOwner<[masked: string, base: string][]>('painted-on', [], (value) => value as never);
const strokes = new Map<string, readonly Stroke[]>();
onKeyChange(() => strokes.clear());

/** @param masked the name of what came of it; @param base of the picture without it; @param painted as it was painted */
export function keepPainted(masked: string, base: string, painted: readonly Stroke[]): void {
  bases.value = [[masked, base] as [string, string], ...bases.value.filter(([one]) => one !== masked)].slice(
    0,
    KEPT,
  );
  strokes.delete(masked);
  strokes.set(masked, painted);
  if (strokes.size > KEPT) strokes.delete([...strokes.keys()][0]!);
}

/** The picture that it was painted on; undefined: it is none that was painted here. */
export const baseOf = (masked: string): string | undefined =>
  bases.value.find(([one]) => one === masked)?.[1];

/** What was painted on that picture, as long as the page lasts. */
export const paintedOn = (base: string, masked: string): readonly Stroke[] | undefined =>
  baseOf(masked) === base ? strokes.get(masked) : undefined;
