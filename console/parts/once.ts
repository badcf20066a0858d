// A text that a node shows and saves as a file, too, is one output to people. Pure.

import type { OutputView } from './output.tsx';

/** Without what a file of the same node has: the same text, or the JSON that was made of it. */
export function once(outputs: readonly OutputView[]): OutputView[] {
  return outputs.filter((one, at) => {
    if (one.content_type !== 'text/plain') return true;
    const isSaved = ({ node, kind, content_type: type, sha256 }: OutputView, index: number) =>
      node === one.node &&
      kind === 'text' &&
      ((sha256 !== null && sha256 === one.sha256 && index > at) || type === 'application/json');
    return !outputs.some((other, index) => other !== one && isSaved(other, index));
  });
}
