// A text of a job, as text whatever it says: its beginning, where it is long.

import { receive } from '../api/call.ts';
import { useRead } from '../state/read.ts';
import { bytesOf, t } from '../text/index.ts';
import { Failed } from './failed.tsx';

/** The whole is a download. */
const SHOWN_BYTES = 20_000;

export function TextFile({ filename, size }: { filename: string; size: number }) {
  // Of nothing there is no range.
  const { found, failure, again } = useRead(
    (signal) => (size === 0 ? Promise.resolve('') : beginningOf(filename, signal)),
    [filename, size],
  );
  if (failure !== undefined) return <Failed error={failure} again={again} />;
  return (
    <>
      <pre class="text-file" tabIndex={0} aria-label={filename}>
        {found}
      </pre>
      {size > SHOWN_BYTES && <p class="field-about">{t().output.beginning(bytesOf(SHOWN_BYTES))}</p>}
    </>
  );
}

async function beginningOf(filename: string, signal: AbortSignal): Promise<string> {
  const headers = { Range: `bytes=0-${SHOWN_BYTES - 1}` };
  const asked = { path: { filename }, headers, signal };
  const bytes = new Uint8Array(
    await receive('GET /api/image/{filename}', asked, (answer) => answer.arrayBuffer()),
  );
  return decoded(bytes.subarray(0, SHOWN_BYTES), bytes.length >= SHOWN_BYTES);
}

/** @param isCut its last letter may lack bytes, and is left out then */
const decoded = (bytes: Uint8Array<ArrayBuffer>, isCut: boolean): string =>
  new TextDecoder().decode(bytes, { stream: isCut });
