// A text of a job, as text whatever it says: its beginning, where it is long.

import { useEffect, useState } from 'preact/hooks';
import { send } from '../api/call.ts';
import { bytesOf, t } from '../text/index.ts';
import { notifyFailure } from './notices.tsx';

/** The whole is a download. */
const SHOWN_BYTES = 20_000;

export function TextFile({ filename, size }: { filename: string; size: number }) {
  const [text, setText] = useState('');
  useEffect(() => {
    setText('');
    // Of nothing there is no range.
    if (size === 0) return undefined;
    const ending = new AbortController();
    beginningOf(filename, ending.signal)
      .then(setText)
      .catch((error: unknown) => {
        if (!ending.signal.aborted) notifyFailure(error);
      });
    return () => ending.abort();
  }, [filename, size]);
  return (
    <>
      <pre class="text-file" tabIndex={0} aria-label={filename}>
        {text}
      </pre>
      {size > SHOWN_BYTES && <p class="field-about">{t().output.beginning(bytesOf(SHOWN_BYTES))}</p>}
    </>
  );
}

async function beginningOf(filename: string, signal: AbortSignal): Promise<string> {
  const headers = { Range: `bytes=0-${SHOWN_BYTES - 1}` };
  const answer = await send('GET /api/image/{filename}', { path: { filename }, headers, signal });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return decoded(bytes.subarray(0, SHOWN_BYTES), bytes.length >= SHOWN_BYTES);
}

/** @param isCut its last letter may lack bytes, and is left out then */
const decoded = (bytes: Uint8Array<ArrayBuffer>, isCut: boolean): string =>
  new TextDecoder().decode(bytes, { stream: isCut });
