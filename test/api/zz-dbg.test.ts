import { afterAll, beforeAll, test } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { putJob } from './support.ts';
let rig: Rig;
beforeAll(async () => { rig = await startRig(); });
test('x', async () => {
  const large = Buffer.alloc(8 * 1024 * 1024, 'pixels');
  const jobId = await putJob(rig, { status: 'completed', images: 1 });
  const filename = String((await rig.status(jobId))['output_image']);
  await rig.images.put(keys.image(jobId, 1, filename), large, { contentType: 'image/png' });
  const url = `${rig.url}/api/image/${filename}`;
  for (let i = 0; i < 140; i++) {
      const away = new AbortController();
      const answer = await fetch(url, { signal: away.signal });
      away.abort();
      await answer.arrayBuffer().catch(() => undefined);
  }
  await new Promise((r) => setTimeout(r, 1500));
  const hs = (process as any)._getActiveHandles();
  const port = new URL(rig.url).port;
  const socks = hs.filter((h: any) => h.remotePort || h.localPort);
  const byLocal: Record<string, number> = {};
  for (const s of socks) { const k = `${s.localPort == port ? 'API-server-side' : s.remotePort == port ? 'api-client-side' : s.localPort < 1 ? '' : 'other'} destroyed=${s.destroyed} w=${s.writableLength} ended=${s.writableEnded} readEnded=${s.readableEnded}`; byLocal[k] = (byLocal[k] ?? 0) + 1; }
  console.log(byLocal);
  for (const s of socks) console.log({l: s.localPort, r: s.remotePort, port, bw: s.bytesWritten, br: s.bytesRead, paused: s.isPaused(), msg: s._httpMessage && {fin: s._httpMessage.finished, ended: s._httpMessage.writableEnded, hs: s._httpMessage.headersSent, p: s._httpMessage.req?.url, o: s._httpMessage.outputSize, need: s._httpMessage.writableNeedDrain, wl: s._httpMessage.writableLength, hd: s._httpMessage._header?.slice(0,20)}});
});
