// All faults that the simulation can inject, in one place, so that the other files stay plain.
// Each switch is off until a test or a caller sets it.

/** How GET /history/<id> cannot be read: a 500 (a node showed what JSON cannot hold), or JSON without a result. */
export type UnreadableEntry = '500' | 'null' | 'no status' | 'no JSON';

/** Switches that a test sets, at the start or while the server runs. */
export interface FaultSwitches {
  /** Sockets are accepted and get their first status, then nothing. */
  socketSilent: boolean;
  /** Each socket is cut after this many messages; null: never. */
  socketCutAfter: number | null;
  /** Before each text message an earlier one is sent again, every other time with the id of the present prompt. */
  replaySocket: boolean;
  /** POST /prompt queues the prompt and destroys the connection instead of answering. */
  losePromptAnswer: boolean;
  /** Paths (without /api, and everything below them) answered with 500. */
  answer500: string[];
  /** Paths (without /api, and everything below them) that are never answered. */
  hang: string[];
  /** GET /view announces the whole file and closes in the middle. */
  halfImage: boolean;
  /** The running prompt never ends, not by an interrupt either, until this is off again. */
  hangExecutor: boolean;
  /** The only worker has ended: HTTP answers and prompts are accepted, but nothing runs until this is off, or a restart. */
  deadWorker: boolean;
  /** How many times the process ends when a node has shown its output; it restarts at once, with nothing but its files. */
  endsOnExecuted: number;
  /** Prompts that are submitted while this is set get such a history entry; others are unchanged. */
  unreadableEntry: UnreadableEntry | null;
  /** GET /queue has a prompt of another person with a NaN input, which is not JSON. */
  nanInQueue: boolean;
  /** After execution_success the prompt stays in the queue, without a history entry, until this is off. */
  holdHistory: boolean;
}

const isBoolean = (value: unknown) => typeof value === 'boolean';
const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const arePaths = (value: unknown) =>
  Array.isArray(value) && value.every((path) => typeof path === 'string' && path.startsWith('/'));
const unreadableEntries: unknown[] = ['500', 'null', 'no status', 'no JSON'] satisfies UnreadableEntry[];

/** Per switch, the values that it takes, as a phrase for a person and as a check. */
const takes: Record<keyof FaultSwitches, [string, (value: unknown) => boolean]> = {
  socketSilent: ['true or false', isBoolean],
  socketCutAfter: ['a number of messages or null', (value) => value === null || isCount(value)],
  replaySocket: ['true or false', isBoolean],
  losePromptAnswer: ['true or false', isBoolean],
  answer500: ['a list of paths such as ["/queue"]', arePaths],
  hang: ['a list of paths such as ["/queue"]', arePaths],
  halfImage: ['true or false', isBoolean],
  hangExecutor: ['true or false', isBoolean],
  deadWorker: ['true or false', isBoolean],
  endsOnExecuted: ['a number of restarts', isCount],
  unreadableEntry: [
    `null or one of ${unreadableEntries.join(', ')}`,
    (value) => value === null || unreadableEntries.includes(value),
  ],
  nanInQueue: ['true or false', isBoolean],
  holdHistory: ['true or false', isBoolean],
};

/** @param json switches by name: `{"halfImage": true}` @throws Error that names the first wrong one, and what it takes */
export function parseFaults(json: string): Partial<FaultSwitches> {
  const given = JSON.parse(json) as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(takes, name))
      throw new Error(`There is no fault "${name}"; there are ${Object.keys(takes).join(', ')}`);
    const [what, isRight] = takes[name as keyof FaultSwitches];
    if (!isRight(value)) throw new Error(`The fault "${name}" takes ${what}`);
  }
  return given;
}

const rememberedMessages = 64;
const promptIdIn = /"prompt_id":\s*"[^"]*"/;

export class Faults implements FaultSwitches {
  socketSilent = false;
  socketCutAfter: number | null = null;
  replaySocket = false;
  losePromptAnswer = false;
  answer500: string[] = [];
  hang: string[] = [];
  halfImage = false;
  endsOnExecuted = 0;
  unreadableEntry: UnreadableEntry | null = null;
  nanInQueue = false;
  #deadWorker = false;
  #hangExecutor = false;
  #holdHistory = false;
  readonly #waiting = new Set<() => void>();
  readonly #delivered = new WeakMap<object, number>();
  readonly #unreadable = new Map<string, UnreadableEntry>();
  readonly #earlier: string[] = [];
  #replayed = 0;
  readonly #forget: () => void;

  constructor(switches: Partial<FaultSwitches>, forget: () => void) {
    this.#forget = forget;
    Object.assign(this, switches);
  }

  get hangExecutor(): boolean {
    return this.#hangExecutor;
  }
  set hangExecutor(hang: boolean) {
    this.#hangExecutor = hang;
    this.#lookAgain();
  }

  get deadWorker(): boolean {
    return this.#deadWorker;
  }
  set deadWorker(dead: boolean) {
    this.#deadWorker = dead;
    this.#lookAgain();
  }

  get holdHistory(): boolean {
    return this.#holdHistory;
  }
  set holdHistory(hold: boolean) {
    this.#holdHistory = hold;
    this.#lookAgain();
  }

  #lookAgain(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Empties the queue, the history and the caches and cuts every socket, as a restart does. */
  forget(): void {
    this.#forget();
    this.deadWorker = false;
  }

  executed(): void {
    if (this.endsOnExecuted <= 0) return;
    this.endsOnExecuted -= 1;
    this.forget();
  }

  queued(promptId: string): void {
    if (this.unreadableEntry !== null) this.#unreadable.set(promptId, this.unreadableEntry);
  }
  unreadable(promptId: string): UnreadableEntry | undefined {
    return this.#unreadable.get(promptId);
  }

  fateOfMessage(socket: object): 'send' | 'swallow' | 'cut' {
    const delivered = this.#delivered.get(socket) ?? 0;
    if (this.socketSilent && delivered > 0) return 'swallow';
    if (this.socketCutAfter !== null && delivered >= this.socketCutAfter) return 'cut';
    this.#delivered.set(socket, delivered + 1);
    return 'send';
  }

  /** The messages to send before `text`: none, or an earlier one. */
  replayBefore(text: string): string[] {
    const at = this.#replayed++ % Math.max(1, this.#earlier.length);
    const again = this.replaySocket ? this.#earlier.slice(at, at + 1) : [];
    this.#earlier.push(text);
    if (this.#earlier.length > rememberedMessages) this.#earlier.shift();
    const promptId = promptIdIn.exec(text)?.[0];
    return again.map((message) =>
      promptId !== undefined && this.#replayed % 2 === 0 ? message.replace(promptIdIn, promptId) : message,
    );
  }

  fateOfRequest(path: string): 'answer' | '500' | 'hang' {
    const covered = (paths: string[]) =>
      paths.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
    if (covered(this.hang)) return 'hang';
    return covered(this.answer500) ? '500' : 'answer';
  }

  /** Resolves when no fault holds the executor here; rejects when its prompt is abandoned. */
  async mayGoOn(where: 'hangExecutor' | 'holdHistory', abandoned: AbortSignal): Promise<void> {
    while (this[where] || this.#deadWorker) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        abandoned.addEventListener('abort', () => resolve(), { once: true });
      });
      abandoned.throwIfAborted();
    }
  }

  /** Resolves when there is a worker. */
  async mayTake(): Promise<void> {
    while (this.#deadWorker) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }
}
