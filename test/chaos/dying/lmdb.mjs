// lmdb in a process that dies, as by kill -9, at its n-th write (DIE_AT): before lmdb gets it, or (DIE_AFTER=true) when it
// is on the disk and its answer is not known yet. After SIGUSR2 it stops, as by SIGSTOP, in the middle of its next write,
// whose lock it then holds.

import { open as openFile } from 'lmdb';

const dieAt = Number(process.env.DIE_AT ?? 0);
const isAfter = process.env.DIE_AFTER === 'true';
let writes = 0;
let isToStop = false;
process.on('SIGUSR2', () => {
  isToStop = true;
});

function die() {
  process.kill(process.pid, 'SIGKILL');
  // The signal arrives a moment later: nothing may follow.
  for (;;);
}

export function open(...args) {
  const root = openFile(...args);
  const { childTransaction } = root;
  root.childTransaction = async (work) => {
    writes += 1;
    const isLast = writes === dieAt;
    if (isLast && !isAfter) die();
    const result = await childTransaction.call(root, () => {
      const done = work();
      if (isToStop) {
        isToStop = false;
        process.kill(process.pid, 'SIGSTOP');
      }
      return done;
    });
    if (isLast) die();
    return result;
  };
  return root;
}
