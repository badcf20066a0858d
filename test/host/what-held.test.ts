// What held when the product was attacked, kept as tests: odd but whole pictures, and a ComfyUI that is busy with others.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { imageType, inspectImage } from '../../functions/images/sniff.ts';
import { encodeBlockyJpeg } from '../../simulated-comfyui/jpeg.ts';
import { Painting } from '../../simulated-comfyui/painting.ts';
import { type RigBetween, startBetween } from '../support/between.ts';
import { QUICK } from '../support/quick.ts';

describe('a picture', () => {
  const jpeg = encodeBlockyJpeg(new Painting({ key: 'a', words: 'fox' }, 64, 48));
  /** A turn by a quarter, as a camera says it. */
  const exif = Buffer.from('/+EAIkV4aWYAAE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA', 'base64');

  test.each([
    [
      'of four inks',
      '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlwZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDu65quxr0Cv//Z',
    ],
    [
      'of 16 bits a sample',
      'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIEAAAAACx9D0UAAAADElEQVR4nGNgGBwAAACIAAFKRerLAAAAAElFTkSuQmCC',
    ],
    [
      'that a camera has turned',
      Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]).toString('base64'),
    ],
  ])('%s is whole', async (_, base64) => {
    const bytes = Buffer.from(base64, 'base64');
    expect(await inspectImage(bytes, 16_000_000)).toMatchObject(imageType(bytes)!);
  });
});

describe('a ComfyUI', () => {
  let rig: RigBetween;
  afterEach(() => rig.close());

  test('with 60 MB of other people’s prompts in its queue makes our job', async () => {
    rig = await startBetween();
    // Python's own graphs are as large as their pictures in base64.
    const heavy = { 1: { class_type: 'LoadBase64', inputs: { image: 'x'.repeat(1_000_000) } } };
    const others = Array.from({ length: 60 }, (_, at) =>
      JSON.stringify([at, `of-another-${at}`, heavy, {}, ['1']]),
    ).join();
    let asked = 0;
    rig.between.answer = (request, response) => {
      if (request.url !== '/queue' || request.method !== 'GET') return false;
      asked += 1;
      void fetch(`${rig.simulated.url}/queue`)
        .then((answer) => answer.json() as Promise<Record<'queue_running' | 'queue_pending', unknown[]>>)
        .then(({ queue_running: running, queue_pending: pending }) => {
          const waiting = [...pending.map((one) => JSON.stringify(one)), others].join();
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(`{"queue_running":${JSON.stringify(running)},"queue_pending":[${waiting}]}`);
        });
      return true;
    };
    await rig.addHost({ comfyui: rig.between.comfyui });
    const job = await rig.generate({ workflow: 'slow', ms: 300 });
    expect(await rig.until(job, ['completed', 'failed'], 60_000)).toMatchObject({
      status: 'completed',
      attempts: 1,
    });
    expect(asked).toBeGreaterThan(0);
  }, 90_000);

  test.each([
    ['a node', false],
    ['the first node, so that nobody hears of the start,', true],
  ])(
    'whose interpreter is held by %s answers nobody for a while: the job ends, in its first attempt',
    async (_node, fromTheStart) => {
      const timings = { ...QUICK, comfyuiAnswersWithin: 2000, comfyuiHeldAfter: 24_000 };
      rig = await startBetween(timings);
      // A call that is not answered begins the silence, after which what has not started goes elsewhere.
      const { comfyuiAnswersWithin: within, comfyuiSilentAfter: silence } = timings;
      const SILENT_FOR = fromTheStart ? 2 * within + silence : 1.5 * within;
      let silentUntil = 0;
      rig.between.answer = (request, response) => {
        if (fromTheStart && request.method === 'POST' && request.url === '/prompt') {
          silentUntil = Date.now() + SILENT_FOR;
          return false;
        }
        const left = silentUntil - Date.now();
        if (left <= 0) return false;
        void sleep(left).then(() => response.socket?.destroy());
        return true;
      };
      await rig.addHost({ comfyui: rig.between.comfyui });
      const { deadline_seconds: _, ...patient } = rig.templates.get('slow')!;
      rig.templates.set('patient', { ...patient, name: 'patient' });
      rig.simulated.faults.socketSilent = fromTheStart;
      const job = await rig.generate({ workflow: 'patient', ms: 600 });
      if (!fromTheStart) {
        await rig.until(job, ['processing'], 20_000);
        silentUntil = Date.now() + SILENT_FOR;
      }
      expect(await rig.until(job, ['completed', 'failed'], 60_000)).toMatchObject({
        status: 'completed',
        attempts: 1,
      });
    },
    90_000,
  );
});
