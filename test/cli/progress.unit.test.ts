// What the way of a job looks like, drawn from statuses.

import { expect, test } from 'vitest';
import { barOf, createProgress, lineOf, type Shown } from '../../functions/cli/progress.ts';

const waiting: Shown = {
  status: 'queued',
  progress: 0,
  current_step: 0,
  total_steps: 25,
  eta_seconds: null,
  queue_position: 3,
  waiting_for: 'gpu host starting',
  waiting_code: 'host_starting',
  waiting_seconds: null,
};
const running: Shown = {
  ...waiting,
  status: 'processing',
  progress: 0.4267,
  current_step: 10,
  eta_seconds: 3.2,
  queue_position: null,
  waiting_for: null,
  waiting_code: null,
};

function screen(columns = 80) {
  const written: string[] = [];
  return { columns, written, write: (text: string) => written.push(text) };
}

test.each<[Shown, string]>([
  [waiting, 'Waiting: gpu host starting, place 3 in the queue'],
  [
    { ...waiting, waiting_seconds: 125 },
    'Waiting: gpu host starting (about 2 min 05 s), place 3 in the queue',
  ],
  [{ ...waiting, waiting_for: null, waiting_code: null, queue_position: null }, 'Waiting: its turn'],
  [running, '42 %, step 10/25, 4 s left'],
  [{ ...running, eta_seconds: 125 }, '42 %, step 10/25, 2 min 05 s left'],
  [{ ...running, eta_seconds: 0 }, '42 %, step 10/25, 1 s left'],
  [{ ...running, progress: 0.02, current_step: 0 }, '2 %'],
  [{ ...running, progress: 0.9999, eta_seconds: null }, '99 %, step 10/25'],
  [{ ...running, status: 'completed' }, ''],
])('a line: %#', (status, line) => {
  expect(lineOf(status)).toBe(line);
});

test('a bar is as full as the job', () => {
  expect(barOf({ ...running, progress: 0.5 })).toBe(
    `${'█'.repeat(12)}${'░'.repeat(12)}   50 %  step 10/25  4 s left`,
  );
  expect(barOf({ ...running, progress: 1 })).toMatch(/^█{24} {2}100 %/);
  expect(barOf(waiting)).toBe(lineOf(waiting));
});

test('a terminal has one line, redrawn where it changed and never wider than the screen', () => {
  const terminal = screen(30);
  const progress = createProgress(terminal, true);
  progress.show(running);
  progress.show(running);
  progress.end();
  expect(terminal.written).toEqual([`\r${barOf(running).slice(0, 29)}\u001B[K`, '\r\u001B[K']);
});

test('a sentence stays above the line', () => {
  const terminal = screen();
  const progress = createProgress(terminal, true);
  progress.show(waiting);
  progress.say('Something to know');
  progress.show(waiting);
  expect(terminal.written.slice(1)).toEqual([
    '\r\u001B[K',
    'Something to know\n',
    `\r${lineOf(waiting)}\u001B[K`,
  ]);
});

test('a pipe gets a line for each change of state, place and tenth, and nothing else', () => {
  const pipe = screen();
  const progress = createProgress(pipe, false);
  for (const place of [3, 3, 2]) progress.show({ ...waiting, queue_position: place });
  for (let percent = 0; percent <= 100; percent += 1)
    progress.show({ ...running, progress: percent / 100, eta_seconds: null, current_step: 0 });
  progress.silent();
  progress.silent();
  progress.end();
  expect(pipe.written).toEqual([
    'Waiting: gpu host starting, place 3 in the queue\n',
    'Waiting: gpu host starting, place 2 in the queue\n',
    ...[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((percent) => `${percent} %\n`),
    'The API does not answer; asking again\n',
  ]);
});

test('a pipe gets no line for each second of a wait', () => {
  const pipe = screen();
  const progress = createProgress(pipe, false);
  const comesBack = (waiting_seconds: number): Shown => ({
    ...waiting,
    waiting_for: `its next try, in ${waiting_seconds} s`,
    waiting_code: 'retry',
    waiting_seconds,
  });
  for (const seconds of [40, 39, 38]) progress.show({ ...waiting, waiting_seconds: seconds });
  for (const seconds of [3, 2, 1]) progress.show(comesBack(seconds));
  expect(pipe.written).toHaveLength(2);
});
