// Makes a client lose answers: the table does what it is asked, and the answer does not arrive.
// Then the SDK repeats the request by itself, as it does on AWS.

import type { StoreClient } from '../../functions/store/dynamodb/client.ts';

export interface Line {
  /** The next `answers` are lost. */
  lose(answers: number): void;
  /** The next `requests` do not even arrive. */
  cut(requests: number): void;
  /** Requests that the table got. */
  arrived(): number;
  /** Runs between the next lost answer and what follows it. */
  meanwhile(action: () => Promise<unknown>): void;
}

export function tap({ raw }: StoreClient): Line {
  let answersToLose = 0;
  let requestsToCut = 0;
  let arrived = 0;
  let action: (() => Promise<unknown>) | undefined;
  raw.middlewareStack.add(
    (next) => async (args) => {
      if (requestsToCut > 0) {
        requestsToCut -= 1;
        throw hangUp();
      }
      arrived += 1;
      // Also a refusal is an answer that can be lost.
      const answer = await next(args).then(
        (result) => () => result,
        (error: unknown) => () => {
          throw error;
        },
      );
      if (answersToLose === 0) return answer();
      answersToLose -= 1;
      const now = action;
      action = undefined;
      await now?.();
      throw hangUp();
    },
    { step: 'deserialize', priority: 'high', name: 'tap' },
  );
  return {
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

function hangUp(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}
