// Owns the proof that the simulation is true: every recording's requests again, and every answer compared.
// The recordings of the first server depend on each other (numbers, caches, counters): they run in order.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type SimulatedComfyUI,
  startSimulatedComfyUI,
} from '../../functions/local/simulated-comfyui/server.ts';
import { ask, askUntil, type Event, isFrame, Listener, type Message } from './simulated-comfyui-client.ts';
import { differences } from './simulated-comfyui-compare.ts';
import {
  recordedCalls,
  recordedObjectInfo,
  recordedRefusals,
  recordedRun,
  type RecordedPrompt,
  type RecordedRun,
} from './simulated-comfyui-traces.ts';

let comfyui: SimulatedComfyUI;
const photo = Buffer.concat([
  Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ', 'base64'),
  Buffer.alloc(36),
]);

async function start(options: object): Promise<void> {
  comfyui = await startSimulatedComfyUI({ stepMs: 4, ...options });
  for (const file of ['example.png', 'photo.png']) await writeFile(join(comfyui.inputDirectory, file), photo);
  await writeFile(join(comfyui.inputDirectory, 'broken.png'), 'no image');
}

const submit = (prompt: object) => ask(comfyui.url, 'POST', '/prompt', prompt);
const queueIsEmpty = (body: unknown) =>
  differences({ queue_running: [], queue_pending: [] }, body).length === 0;
const isProgress = (value: number) => (event: Event) =>
  event.type === 'progress' && (event.data['value'] as number) >= value;

/** Uses up numbers as the recorded server's earlier life did: a refused prompt takes one too. */
async function countTo(number: number): Promise<void> {
  for (let at = 0; at < number; at++) await submit({});
}

/** Files of earlier runs: they set where the counters go on. */
async function leaveFiles(...names: string[]): Promise<void> {
  await mkdir(comfyui.outputDirectory, { recursive: true });
  for (const name of names) await writeFile(join(comfyui.outputDirectory, name), '');
}

interface Replayed {
  answer: [number, unknown];
  events: Message[];
  history: unknown;
  queue_after: unknown;
}

async function replay(
  { request: { 'POST /prompt': prompt } }: RecordedRun,
  meanwhile: (listener: Listener) => Promise<void> = () => Promise.resolve(),
  hello?: object,
): Promise<Replayed> {
  const listener = new Listener(comfyui.url, prompt.client_id);
  await listener.greeted();
  if (hello !== undefined) {
    listener.socket.send(JSON.stringify({ type: 'feature_flags', data: hello }));
    await listener.until(({ type }) => type === 'feature_flags');
  }
  const answer = await submit(prompt);
  if (answer[0] === 200) {
    await meanwhile(listener);
    await listener.ended(prompt.prompt_id);
  }
  const [, history] = await ask(comfyui.url, 'GET', `/history/${prompt.prompt_id}`);
  const [, queue_after] = await ask(comfyui.url, 'GET', '/queue');
  listener.close();
  return { answer, events: listener.messages, history, queue_after };
}

/** What is not as recorded, of the answer, the messages in their order, the history and the queue. */
function notAsRecorded(
  recorded: RecordedRun,
  replayed: Replayed,
  events = (list: unknown[]) => list,
): string[] {
  const heard = replayed.events.map((message) =>
    isFrame(message) ? { first_16_bytes_hex: message.binary.subarray(0, 16).toString('hex') } : message,
  );
  const told = recorded.events.map(([, event]) =>
    'binary_bytes' in event ? { first_16_bytes_hex: event.first_16_bytes_hex } : event,
  );
  return [
    ...differences(recorded.answer, replayed.answer),
    ...differences(events(told), events(heard)),
    ...differences(recorded.history, replayed.history),
    ...differences(recorded.queue_after, replayed.queue_after),
  ];
}

describe('on one server, in the order of the recording', () => {
  beforeAll(async () => {
    await start({});
    await leaveFiles(
      'Flux2_Turbo_0001_00002_.png',
      'Flux2_Turbo_0002_00004_.png',
      'Q_00007_.png',
      'p_00002_.png',
    );
  });
  afterAll(() => comfyui.close());

  test('a first run executes every node that the prompt before it did not', async () => {
    const recorded = recordedRun('success');
    const before = structuredClone(recorded.request['POST /prompt']);
    before.prompt['4']!.inputs['text'] = 'something else';
    before.prompt['11']!.inputs['filename_prefix'] = 'before';
    await countTo(48);
    await replay({ ...recorded, request: { 'POST /prompt': { ...before, prompt_id: 'before' } } });
    expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
  });

  test('another seed and a batch of two take loaders and encoders from the cache', async () => {
    const recorded = recordedRun('success-batch');
    expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
  });

  test('the identical graph executes nothing and names the old files', async () => {
    const recorded = recordedRun('success-cached');
    expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
  });

  test('an interrupt by prompt id stops the sampler', async () => {
    const recorded = recordedRun('interrupted');
    const { prompt_id } = recorded.request['POST /prompt'];
    const polls = (recorded as unknown as { polls: [number, Record<string, unknown>][] }).polls;
    const [running, history, interrupt, empty] = polls.map(([, poll]) => Object.values(poll)[0]);
    const replayed = await replay(recorded, async (listener) => {
      await listener.until(isProgress(3));
      expect(differences([200, running], await ask(comfyui.url, 'GET', '/queue'))).toEqual([]);
      expect(await ask(comfyui.url, 'GET', `/history/${prompt_id}`)).toEqual([200, history]);
      expect(await ask(comfyui.url, 'POST', '/interrupt', { prompt_id })).toEqual(interrupt);
    });
    expect(await ask(comfyui.url, 'GET', '/queue')).toEqual([200, empty]);
    // How far the sampler came is the one thing that timing decides.
    const untilThird = (events: unknown[]) =>
      (events as Event[]).filter(({ type, data }) => {
        const node =
          type === 'progress_state'
            ? (data as { nodes: Record<string, { value: number }> }).nodes['8']
            : undefined;
        return (type === 'progress' ? (data['value'] as number) : (node?.value ?? 0)) <= 3;
      });
    expect(notAsRecorded(recorded, replayed, untilThird)).toEqual([]);
  });

  test('a link of the wrong type is refused', async () => {
    const recorded = recordedRun('refused-type');
    expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
  });

  describe('what is refused, and how', () => {
    const cases = recordedRefusals();
    test.each(cases.slice(0, -1).map((one) => [one.case, one] as const))('%s', async (_, one) => {
      const [status, body] = await submit((one.sent ?? one.request) as object);
      expect(status).toBe(one.status);
      expect(differences(one.body, body)).toEqual([]);
    });

    test('a prompt id that is no UUID is taken; a node that raises waits for it and fails', async () => {
      const slow: RecordedPrompt['prompt'] = {
        1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 1 } },
        2: { class_type: 'LabSlowImage', inputs: { image: ['1', 0], ms: 100, seed: 1 } },
        3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'p' } },
      };
      const last = cases.at(-1)!;
      const answer = await submit({ prompt: slow, prompt_id: 'NOT-a-uuid', client_id: 'x' });
      expect(answer).toEqual([last.status, last.body]);
      const recorded = recordedRun('node-error', comfyui.inputDirectory);
      expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
    });
  });

  test('one bad output of two: 200 with node_errors, and the other runs', async () => {
    const recorded = recordedRun('partly-refused');
    expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
  });

  test('a node that reports its own progress', async () => {
    const recorded = recordedRun('slow-node');
    expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
  });

  test('a queue that is looked at, shortened, interrupted and cleared; and the jobs', async () => {
    const calls = recordedCalls('queue', comfyui.inputDirectory);
    const [, history] = await ask(comfyui.url, 'GET', '/history');
    const known = new Set(Object.keys(history as object).filter((id) => id !== 'before'));
    for (const [method, path, body, status, answer] of calls) {
      if (path === '/queue' && (body as { clear?: true } | null)?.clear)
        await askUntil(comfyui.url, '/api/jobs?status=in_progress', (jobs) =>
          JSON.stringify(jobs).includes('d2e1541e'),
        );
      if (path === '/interrupt' && Object.keys(body as object).length === 0)
        await askUntil(comfyui.url, '/queue', queueIsEmpty);
      const [replayedStatus, replayed] = await ask(comfyui.url, method, path, body ?? undefined);
      expect([path, replayedStatus]).toEqual([path, status]);
      const id = (body as { prompt_id?: string } | null)?.prompt_id;
      if (path === '/prompt' && id !== undefined) known.add(id);
      const [a, b] = [onlyKnown(answer, known), onlyKnown(replayed, known)];
      expect([path, ...differences(a, b)]).toEqual([path]);
      // The jobs are listed by the millisecond they came in.
      for (const now = Date.now(); Date.now() === now;) await new Promise(setImmediate);
    }
  });
});

/** The recorded list of jobs holds a longer life than the replay has. */
function onlyKnown(answer: unknown, ids: Set<string>): unknown {
  if (typeof answer !== 'object' || answer === null || !('jobs' in answer)) return answer;
  const list = answer as { jobs: { id: string }[]; pagination: { total: number } };
  const jobs = list.jobs.filter(({ id }) => ids.has(id));
  return { jobs, pagination: { ...list.pagination, total: 'left out' } };
}

describe('plain questions', () => {
  beforeAll(() => start({}));
  afterAll(() => comfyui.close());

  test('object_info is the recorded one, with the files of the input folder', async () => {
    expect(await ask(comfyui.url, 'GET', '/api/object_info')).toMatchObject([200, recordedObjectInfo()]);
  });

  const [stats, ...others] = recordedCalls('queries');
  const [plain, uploads] = [others.slice(0, 9), others.slice(9)];
  test.each(plain.map((call) => [call[1], call] as const))(
    'GET %s',
    async (_, [method, path, , status, answer]) => {
      for (const prefix of ['', '/api'])
        expect(await ask(comfyui.url, method, prefix + path)).toEqual([status, answer]);
    },
  );

  test('system_stats have the recorded shape and say that they are simulated', async () => {
    const [status, body] = await ask(comfyui.url, 'GET', '/system_stats');
    const types = (value: unknown): unknown => {
      if (Array.isArray(value)) return types(value[0]);
      if (typeof value !== 'object' || value === null) return typeof value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, types(inner)]));
    };
    expect([status, types(body)]).toEqual([stats![3], types(stats![4])]);
    expect(body).toMatchObject({ devices: [{ name: 'simulated' }] });
  });

  test('uploads and views answer as recorded', async () => {
    const sent: Record<string, string>[] = [{}, {}, { subfolder: 'a/b', overwrite: 'true' }];
    for (const [index, fields] of sent.entries()) {
      const form = new FormData();
      form.set('image', new File([photo], 'photo.png'));
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      const answer = await fetch(`${comfyui.url}/upload/image`, { method: 'POST', body: form });
      expect([answer.status, await answer.json()]).toEqual([uploads[index]![3], uploads[index]![4]]);
    }
    const [whole, part] = uploads.slice(3);
    for (const [call, headers] of [
      [whole, {}],
      [part, { range: 'bytes=0-7' }],
    ] as const) {
      const answer = await fetch(comfyui.url + call![1], { headers });
      const recorded = (call![4] as { headers: Record<string, string> }).headers;
      const stable = Object.entries(recorded).filter(([name]) => !['Etag', 'Last-Modified'].includes(name));
      expect(answer.status).toBe(call![3]);
      expect(stable.map(([name]) => [name, answer.headers.get(name)])).toEqual(stable);
      expect(answer.headers.get('etag')).toMatch(/^"[0-9a-f]+-45"$/);
      expect(Number.isNaN(Date.parse(answer.headers.get('last-modified') ?? ''))).toBe(false);
      await answer.arrayBuffer();
    }
  });
});

describe('with previews', () => {
  beforeAll(() => start({ previews: true }));
  afterAll(() => comfyui.close());

  test('a client that announced preview metadata gets frames of type 4', async () => {
    const recorded = recordedRun('previews');
    expect(
      notAsRecorded(recorded, await replay(recorded, undefined, { supports_preview_metadata: true })),
    ).toEqual([]);
  });

  test('a client that announced nothing gets frames of type 1', async () => {
    const recorded = recordedRun('previews-plain');
    expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
  });
});
