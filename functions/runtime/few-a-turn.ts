// A few requests begin in each turn of the event loop, what writes before what only reads. Else callers who ask again and again
// fill each turn, and what takes several waits for all of them several times: a write that is to be on the disk before it is
// answered, a step of a job, and a new connection, of which Node accepts one a turn (findings/node-accepts-one-a-turn.sh).

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

const EACH_TURN = 4;

type Asked = [IncomingMessage, ServerResponse];

/** @returns a listener that calls `listener` at once, or beyond the first few of a turn in one of the next */
export function fewATurn(listener: RequestListener): RequestListener {
  const writes: Asked[] = [];
  const reads: Asked[] = [];
  let begun = 0;
  let ticking = false;

  function turn(): void {
    begun = 0;
    for (let next = writes.shift() ?? reads.shift(); next; next = writes.shift() ?? reads.shift()) {
      const [req, res] = next;
      if (req.destroyed) continue;
      begun += 1;
      listener(req, res);
      if (begun === EACH_TURN) break;
    }
    ticking = begun > 0;
    if (ticking) setImmediate(turn);
  }

  return (req, res) => {
    if (!ticking) {
      ticking = true;
      setImmediate(turn);
    }
    if (begun < EACH_TURN && writes.length + reads.length === 0) {
      begun += 1;
      listener(req, res);
    } else (req.method === 'GET' || req.method === 'HEAD' ? reads : writes).push([req, res]);
  };
}
