// The beginning of a long text: as a title or a name it stays short enough to be heard.

const MOST = 100;

/** Cut between what a reader sees as characters: no half of an emoji stays. */
export function short(text: string): string {
  if (text.length <= MOST) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (kept.length + segment.length > MOST) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}
