// What masks were painted on: painted again, one starts from what was painted before, on the whole picture.

import { onKeyChange } from '../api/key.ts';
import { storedOfOwner } from './private.ts';

/** Names are short, and pixels are not. */
const NAMES_KEPT = 20;
const PIXELS_KEPT = 8;

const bases = storedOfOwner<[masked: string, base: string][]>('painted-on', [], (value) => value as never);
const pixels = new Map<string, ImageData>();
onKeyChange(() => pixels.clear());

/** @param masked the name of what came of it; @param base of the picture without it; @param painted as it was painted */
export function keepPainted(masked: string, base: string, painted: ImageData): void {
  bases.value = [[masked, base] as [string, string], ...bases.value.filter(([one]) => one !== masked)].slice(
    0,
    NAMES_KEPT,
  );
  pixels.delete(masked);
  pixels.set(masked, painted);
  if (pixels.size > PIXELS_KEPT) pixels.delete([...pixels.keys()][0]!);
}

/** The picture that it was painted on; undefined: it is none that was painted here. */
export const baseOf = (masked: string): string | undefined =>
  bases.value.find(([one]) => one === masked)?.[1];

/** What was painted on that picture, as long as the page lasts. */
export const paintedOn = (base: string, masked: string): ImageData | undefined =>
  baseOf(masked) === base ? pixels.get(masked) : undefined;
