// Loses answers: the database does what it is asked, and the answer does not arrive. An engine then makes the call again, as
// the SDK does on AWS (dynamodb/lost-answers.test.ts), and rejects when every answer of it was lost.

import type { Engine, Table } from '../../functions/store/engine.ts';

export interface Losses {
  /** Sends a request, whose answer may be lost: also a rejection is one. */
  once<T>(ask: () => Promise<T>): Promise<T>;
  /** The next `answers` are lost. */
  lose(answers: number): void;
  /** The next `requests` do not even arrive. */
  cut(requests: number): void;
  /** Requests that the database got. */
  arrived(): number;
  /** Runs between the next lost answer and what follows it. */
  meanwhile(action: () => Promise<unknown>): void;
}

export interface Line extends Losses {
  /** What loses answers. */
  engine: Engine;
}

/** How often the SDK asks before it gives up (functions/store/dynamodb/client.ts). */
const TRIES = 5;

export function createLosses(): Losses {
  let answersToLose = 0;
  let requestsToCut = 0;
  let arrived = 0;
  let action: (() => Promise<unknown>) | undefined;

  return {
    async once(ask) {
      if (requestsToCut > 0) {
        requestsToCut -= 1;
        throw hangUp();
      }
      arrived += 1;
      const [answer] = await Promise.allSettled([ask()]);
      if (answersToLose > 0) {
        answersToLose -= 1;
        const now = action;
        action = undefined;
        await now?.();
        throw hangUp();
      }
      if (answer.status === 'rejected') throw answer.reason;
      return answer.value;
    },
    lose: (answers) => {
      answersToLose = answers;
    },
    cut: (requests) => {
      requestsToCut = requests;
    },
    arrived: () => arrived,
    meanwhile: (then) => {
      action = then;
    },
  };
}

/** @param tries 1: a lost answer rejects at once */
export function tap(engine: Engine, tries = TRIES): Line {
  const losses = createLosses();

  async function repeated<T>(ask: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried += 1)
      try {
        return await losses.once(ask);
      } catch (error) {
        if (tried >= tries || !isHangUp(error)) throw error;
      }
  }

  /** Pages come from a generator, and are left as they are. */
  const tapped = (table: Table): Table => ({
    ...table,
    read: (...asked) => repeated(() => table.read(...asked)),
    readMany: (...asked) => repeated(() => table.readMany(...asked)),
    readAll: (...asked) => repeated(() => table.readAll(...asked)),
    page: (...asked) => repeated(() => table.page(...asked)),
    count: (...asked) => repeated(() => table.count(...asked)),
    put: (...asked) => repeated(() => table.put(...asked)),
    update: (...asked) => repeated(() => table.update(...asked)),
    updateAndRead: (...asked) => repeated(() => table.updateAndRead(...asked)),
    remove: (...asked) => repeated(() => table.remove(...asked)),
  });

  return {
    ...losses,
    engine: {
      ...engine,
      table: (spec) => tapped(engine.table(spec)),
      putInOrder: (puts) => repeated(() => engine.putInOrder(puts)),
    },
  };
}

function hangUp(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

const isHangUp = (error: unknown) => (error as { code?: string }).code === 'ECONNRESET';
