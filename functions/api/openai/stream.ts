// A call that is answered as a stream: unfinished images as ComfyUI shows them while the job runs, at most as many as were asked
// for, then each image as it is there. Where no previews come, none are sent.

import type { Context } from 'hono';
import { stringifyJson } from '../../core/json.ts';
import { base64Of as previewInBase64 } from '../../core/live.ts';
import type { Job, JobState } from '../../core/job.ts';
import { previewsOf, listening } from '../caches/previews.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { endOf } from '../facade/held.ts';
import { bodyOf, EVENT_STREAM, STILL_HERE } from '../http/event-stream.ts';
import type { Slot } from '../http/open-connections.ts';
import type { Asked } from './asked.ts';
import { answerOf } from './errors.ts';
import { fileOf } from './formats.ts';
import { base64Of, described, imagesIn, usageOf } from './images.ts';

/** ms. Proxies end what is silent for longer. */
const SPEAKS_EVERY = 15_000;

export interface Streamed {
  jobs: readonly Job[];
  asked: Asked;
  kind: 'image_generation' | 'image_edit';
  /** Undefined: all of them have ended. */
  slot: Slot | undefined;
  /** ms */
  longest: number;
  /** @throws where the job has made no image */
  refuse(state: JobState): void;
  /** Called when the stream has been taken, or its reader is gone. */
  sent(isWhole: boolean): void;
}

export function streamedAnswer(deps: FacadeDeps, c: Context<ApiEnv>, streamed: Streamed): Response {
  const { jobs, asked, kind, slot, longest, refuse, sent } = streamed;
  const signal = slot?.signal ?? c.req.raw.signal;
  const texts: string[] = [];
  let unfinished = jobs.length;
  let wake: () => void = () => undefined;
  const created = () => Math.floor(deps.now() / 1000);
  const say = (event: string, data: object) => {
    texts.push(`event: ${event}\ndata: ${stringifyJson(data)}\n\n`);
    wake();
  };

  const previews = previewsOf(deps);
  const following = jobs.map((job) => ({ job, ...partialsOf(job.state.jobId, asked.partialImages ?? 0) }));

  /** So many of a job's previews, evenly over its progress (0 to 1) as far as it is known; then none is listened to. */
  function partialsOf(jobId: string, wanted: number) {
    let said = 0;
    let progress = 0;
    const shown = listening(previews, jobId, ({ type, image }) => {
      if (progress < said / (wanted + 1)) return;
      say(`${kind}.partial_image`, {
        type: `${kind}.partial_image`,
        b64_json: previewInBase64({ image }),
        created_at: created(),
        partial_image_index: said,
        background: 'opaque',
        output_format: type.slice('image/'.length),
        quality: asked.quality ?? 'auto',
        size: asked.size,
      });
      said += 1;
      if (said === wanted) shown.end();
    });
    if (wanted === 0) shown.end();
    return {
      hear(state: JobState) {
        ({ progress } = state);
        shown.hear(state);
      },
      end: () => shown.end(),
    };
  }

  async function follow({ job: { state: known }, hear, end }: (typeof following)[number]): Promise<void> {
    hear(known);
    try {
      const state = (await endOf(deps, known, signal, longest, hear)) ?? known;
      refuse(state);
      for (const found of imagesIn([state])) {
        const file = await fileOf(deps, found, asked.format);
        say(`${kind}.completed`, {
          type: `${kind}.completed`,
          b64_json: await base64Of(deps, file),
          created_at: created(),
          ...described(found.image, file, asked.quality ?? 'auto'),
          usage: usageOf([state]),
        });
      }
    } catch (error) {
      say('error', answerOf(error as Error, c, deps.log).body);
    }
    end();
    unfinished -= 1;
    wake();
  }

  let isWhole = false;
  async function* events(): AsyncGenerator<string, void> {
    // The head goes at once.
    yield STILL_HERE;
    for (;;) {
      const text = texts.shift();
      if (text !== undefined) yield text;
      else if (unfinished === 0) break;
      else if (await isSilent()) yield STILL_HERE;
    }
    isWhole = !signal.aborted;
  }

  function isSilent(): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, SPEAKS_EVERY, true);
      wake = () => {
        clearTimeout(late);
        resolve(false);
      };
    });
  }

  for (const one of following) void follow(one);
  const close = () => {
    for (const one of following) one.end();
    slot?.free();
    sent(isWhole);
  };
  return c.body(bodyOf(events(), close), 200, EVENT_STREAM);
}
