// Owns the proof that the simulation is true: every recording's requests again, and every answer compared.
// The recordings of the first server depend on each other (numbers, caches, counters): they run in order.
//
// `COMFYUI=http://127.0.0.1:8188 npx vitest run test/simulated-comfyui/traces.test.ts` runs the same against a real
// one, 0.8 or 0.33: just started, with empty folders, the model files of the recordings by name and LabSlowImage.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, askUntil, type Event, isFrame, Listener, type Message } from './client.ts';
import { differences } from './compare.ts';
import { isReal, startSubject, versions } from './subject.ts';
import {
  inNoFolder,
  numberedFrom,
  numberOf,
  type RecordedPrompt,
  type RecordedRun,
  recordingsOf,
} from './traces.ts';

const photo = Buffer.concat([
  Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ', 'base64'),
  Buffer.alloc(36),
]);
/** On the wire it is a PNG to nobody. */
const noImage = Buffer.from('no image');

describe.each(versions)('%s', (version) => {
  const recordings = recordingsOf(version);
  const newer = version !== '0.8';
  let url: string;
  let close: () => Promise<void>;
  /** The number of the first prompt: as recorded, and here. */
  let first: { recorded: number; here: number } | undefined;

  async function start(): Promise<void> {
    first = undefined;
    ({ url, close } = await startSubject(version));
    const files = recordings.objectInfo()['LoadImage']!.input.required.image![0];
    for (const file of files) await leave('input', file, file === 'broken.png' ? noImage : photo);
  }

  async function leave(type: string, name: string, bytes: Buffer<ArrayBuffer>): Promise<void> {
    const form = new FormData();
    for (const [key, value] of Object.entries({ type, overwrite: 'true' })) form.set(key, value);
    form.set('image', new File([bytes], name));
    expect((await fetch(`${url}/upload/image`, { method: 'POST', body: form })).status).toBe(200);
  }

  const submit = async (prompt: object | string) => inNoFolder(await ask(url, 'POST', '/prompt', prompt));
  const queueIsEmpty = (body: unknown) =>
    differences({ queue_running: [], queue_pending: [] }, body).length === 0;
  const isProgress = (value: number) => (event: Event) =>
    event.type === 'progress' && (event.data['value'] as number) >= value;
  const unlike = (recorded: unknown, said: unknown) =>
    differences(numberedFrom(first?.recorded ?? 0, recorded), numberedFrom(first?.here ?? 0, said));

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
    const listener = new Listener(url, prompt.client_id);
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
    const [, history] = await ask(url, 'GET', `/history/${prompt.prompt_id}`);
    const [, queue_after] = await ask(url, 'GET', '/queue');
    listener.close();
    return { answer, events: listener.messages, history: inNoFolder(history), queue_after };
  }

  /** How far a running node is, of a message that says so. */
  function stepOf(event: Event): { value: number; max: number } | undefined {
    if (event.type === 'progress') return event.data as { value: number; max: number };
    if (event.type !== 'progress_state') return undefined;
    const { nodes } = event.data as { nodes?: Record<string, { value: number; max: number; state: string }> };
    return Object.values(nodes ?? {}).find(({ state, value }) => state === 'running' && value > 0);
  }
  /** 0.33 leaves out what comes within 100 ms of the last: which, time decides. The first and the last never. */
  const toldInAnyCase = (event: Event) => {
    const step = stepOf(event);
    return !newer || step === undefined || step.value === 1 || step.value === step.max;
  };

  /** What is not as recorded, of the answer, the messages in their order, the history and the queue. */
  function notAsRecorded(recorded: RecordedRun, replayed: Replayed, told = toldInAnyCase): string[] {
    const frame = (hex: string) => ({ first_16_bytes_hex: hex });
    const heard = replayed.events
      .filter((message) => isFrame(message) || told(message))
      .map((message) =>
        isFrame(message)
          ? frame(message.binary.subarray(0, 16).toString('hex'))
          : { ...message, data: inNoFolder(message.data) },
      );
    const expected = recorded.events
      .map(([, event]) => event)
      .filter((event) => 'binary_bytes' in event || told(event))
      .map((event) => ('binary_bytes' in event ? frame(event.first_16_bytes_hex) : event));
    return [
      ...unlike(recorded.answer, replayed.answer),
      ...unlike(expected, heard),
      ...unlike(recorded.history, replayed.history),
      ...unlike(recorded.queue_after, replayed.queue_after),
    ];
  }

  async function asFirst(recorded: RecordedRun, replaying: Promise<Replayed>): Promise<Replayed> {
    const replayed = await replaying;
    first = { recorded: numberOf(recorded.answer), here: numberOf(replayed.answer) };
    return replayed;
  }

  describe('on one server, in the order of the recording', () => {
    const before = 'b4b4b4b4-0000-4000-8000-000000000000';
    beforeAll(async () => {
      await start();
      // Files of earlier runs: they set where the counters go on.
      for (const prefix of newer
        ? []
        : ['Flux2_Turbo_0001_00002', 'Flux2_Turbo_0002_00004', 'Q_00007', 'p_00002'])
        await leave('output', `${prefix}_.png`, photo);
    });
    afterAll(() => close());

    test('a first run executes every node that the prompt before it did not', async () => {
      const recorded = recordings.run('success');
      if (!newer) {
        const other = structuredClone(recorded.request['POST /prompt']);
        other.prompt['4']!.inputs['text'] = 'something else';
        other.prompt['11']!.inputs['filename_prefix'] = 'before';
        await replay({ ...recorded, request: { 'POST /prompt': { ...other, prompt_id: before } } });
      }
      expect(notAsRecorded(recorded, await asFirst(recorded, replay(recorded)))).toEqual([]);
    });

    test('another seed and a batch of two take loaders and encoders from the cache', async () => {
      const recorded = recordings.run('success-batch');
      expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
    });

    test('the identical graph executes nothing and names the old files', async () => {
      const recorded = recordings.run('success-cached');
      expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
    });

    test('an interrupt by prompt id stops the sampler', async () => {
      const recorded = recordings.run('interrupted');
      const { prompt_id } = recorded.request['POST /prompt'];
      const [running, history, interrupt, empty] = recorded.polls.map(([, poll]) => Object.values(poll)[0]);
      const replayed = await replay(recorded, async (listener) => {
        await listener.until(isProgress(3));
        expect(unlike([200, running], await ask(url, 'GET', '/queue'))).toEqual([]);
        expect(await ask(url, 'GET', `/history/${prompt_id}`)).toEqual([200, history]);
        expect(await ask(url, 'POST', '/interrupt', { prompt_id })).toEqual(interrupt);
      });
      expect(await ask(url, 'GET', '/queue')).toEqual([200, empty]);
      // How far the sampler came is the one thing that timing decides.
      const untilThird = (event: Event) => toldInAnyCase(event) && (stepOf(event)?.value ?? 0) <= 3;
      expect(notAsRecorded(recorded, replayed, untilThird)).toEqual([]);
    });

    test('a link of the wrong type is refused', async () => {
      const recorded = recordings.run('refused-type');
      expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
    });

    describe('what is refused, and how', () => {
      const cases = recordings.refusals();
      test.each(cases.slice(0, -1).map((one) => [one.case, one] as const))('%s', async (_, one) => {
        const [status, body] = await submit((one.sent ?? one.request) as object);
        expect(status).toBe(one.status);
        expect(unlike(one.body, body)).toEqual([]);
      });

      test('a prompt id that is no UUID, and a node that raises', async () => {
        const slow: RecordedPrompt['prompt'] = {
          1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 1 } },
          2: { class_type: 'LabSlowImage', inputs: { image: ['1', 0], ms: 100, seed: 1 } },
          3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'p' } },
        };
        const last = cases.at(-1)!;
        const answer = await submit({ prompt: slow, prompt_id: 'NOT-a-uuid', client_id: 'x' });
        expect(unlike([last.status, last.body], answer)).toEqual([]);
        const recorded = recordings.run('node-error');
        expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
      });
    });

    test('one bad output of two: 200 with node_errors, and the other runs', async () => {
      const recorded = recordings.run('partly-refused');
      expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
    });

    test('a node that reports its own progress', async () => {
      const recorded = recordings.run('slow-node');
      expect(notAsRecorded(recorded, await replay(recorded))).toEqual([]);
    });

    test('a queue that is looked at, shortened, interrupted and cleared; and the jobs', async () => {
      const calls = recordings.calls('queue');
      const [, history] = await ask(url, 'GET', '/history');
      const known = new Set(Object.keys(history as object).filter((id) => id !== before));
      const second = (calls[1]![2] as { prompt_id: string }).prompt_id;
      for (const [method, path, body, status, answer] of calls) {
        if (path === '/queue' && (body as { clear?: true } | null)?.clear)
          await askUntil(url, '/api/jobs?status=in_progress', (jobs) =>
            JSON.stringify(jobs).includes(second),
          );
        if (path === '/interrupt' && Object.keys(body as object).length === 0)
          await askUntil(url, '/queue', queueIsEmpty);
        const [replayedStatus, said] = await ask(url, method, path, body ?? undefined);
        expect([path, replayedStatus]).toEqual([path, status]);
        const id = (body as { prompt_id?: string } | null)?.prompt_id;
        if (path === '/prompt' && id !== undefined) known.add(id);
        const [a, b] = [onlyKnown(answer, known), onlyKnown(inNoFolder(said), known)];
        expect([path, ...unlike(a, b)]).toEqual([path]);
        // The jobs are listed by the millisecond they came in.
        for (const now = Date.now(); Date.now() === now;) await new Promise(setImmediate);
      }
    });
  });

  describe('plain questions', () => {
    beforeAll(start);
    afterAll(() => close());

    test('object_info is the recorded one, with the files of the input folder', async () => {
      expect(await ask(url, 'GET', '/api/object_info')).toMatchObject([200, recordings.objectInfo()]);
    });

    const [stats, ...others] = recordings.calls('queries');
    const [plain, uploads] = [others.slice(0, 9), others.slice(9)];
    test.each(plain.map((call) => [call[1], call] as const))(
      'GET %s',
      async (_, [method, path, , status, answer]) => {
        for (const prefix of ['', '/api'])
          expect(await ask(url, method, prefix + path)).toEqual([status, answer]);
      },
    );

    test('system_stats have the recorded shape, and a simulation says that it is one', async () => {
      const [status, body] = await ask(url, 'GET', '/system_stats');
      // What is not installed has no version.
      const types = (value: unknown): unknown => {
        if (Array.isArray(value)) return types(value[0]);
        if (typeof value !== 'object' || value === null) return value === null ? 'string' : typeof value;
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, types(inner)]));
      };
      expect([status, types(body)]).toEqual([stats![3], types(stats![4])]);
      if (!isReal) expect(body).toMatchObject({ devices: [{ name: 'simulated' }] });
    });

    test('uploads and views answer as recorded', async () => {
      const sent: Record<string, string>[] = [{}, {}, { subfolder: 'a/b', overwrite: 'true' }];
      for (const [index, fields] of sent.entries()) {
        const form = new FormData();
        for (const [name, value] of Object.entries(fields)) form.set(name, value);
        form.set('image', new File([photo], 'photo.png'));
        const answer = await fetch(`${url}/upload/image`, { method: 'POST', body: form });
        expect([answer.status, await answer.json()]).toEqual([uploads[index]![3], uploads[index]![4]]);
      }
      const [whole, part] = uploads.slice(3);
      for (const [call, headers] of [
        [whole, {}],
        [part, { range: 'bytes=0-7' }],
      ] as const) {
        const answer = await fetch(url + call![1], { headers });
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
    beforeAll(start);
    afterAll(() => close());

    test('a client that announced preview metadata gets frames of type 4', async () => {
      const recorded = recordings.previews('previews');
      const replaying = replay(recorded, undefined, { supports_preview_metadata: true });
      expect(notAsRecorded(recorded, await asFirst(recorded, replaying), () => true)).toEqual([]);
    });

    test('a client that announced nothing gets frames of type 1', async () => {
      const recorded = recordings.previews('previews-plain');
      expect(notAsRecorded(recorded, await replay(recorded), () => true)).toEqual([]);
    });
  });
});

/** The recorded list of jobs holds a longer life than the replay has. */
function onlyKnown(answer: unknown, ids: Set<string>): unknown {
  if (typeof answer !== 'object' || answer === null || !('jobs' in answer)) return answer;
  const list = answer as { jobs: { id: string }[]; pagination: { total: number } };
  const jobs = list.jobs.filter(({ id }) => ids.has(id));
  return { jobs, pagination: { ...list.pagination, total: 'left out' } };
}
