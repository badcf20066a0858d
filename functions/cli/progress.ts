// A job's progress in a terminal: one line redrawn, or plain lines where the output is no terminal. Each line is a pure
// function of the status; nothing here makes requests.

import type { Status } from './api.ts';

export type Shown = Pick<
  Status,
  | 'status'
  | 'progress'
  | 'current_step'
  | 'total_steps'
  | 'eta_seconds'
  | 'queue_position'
  | 'waiting_for'
  | 'waiting_code'
  | 'waiting_seconds'
>;

export interface Progress {
  show(status: Shown): void;
  /** Shows that the API does not answer at the moment. */
  silent(): void;
  /** Prints a sentence that is not redrawn. */
  say(sentence: string): void;
  end(): void;
}

/** The members of process.stderr that are used. */
export interface Screen {
  columns?: number;
  write(text: string): unknown;
}

const SILENT = 'The API does not answer; asking again';
const BAR = 24;
/** Below this progress the pace is that of loading models and does not predict the steps. */
const PACE_FROM = 0.1;

/** @param redraws whether a line can be overwritten: true for a terminal, false for a pipe */
export function createProgress(screen: Screen, redraws: boolean): Progress {
  return redraws ? redrawn(screen) : plain(screen);
}

function redrawn(screen: Screen): Progress {
  let drawn = '';
  const draw = (line: string) => {
    // A wrapped line could not be overwritten.
    const next = Array.from(line)
      .slice(0, Math.max(0, (screen.columns || 80) - 1))
      .join('');
    if (next !== drawn) screen.write(`\r${next}\u001B[K`);
    drawn = next;
  };
  return {
    show: (status) => draw(barOf(status)),
    silent: () => draw(SILENT),
    say(sentence) {
      draw('');
      screen.write(`${sentence}\n`);
    },
    end: () => draw(''),
  };
}

/** Prints a line only if something changed: the state, what it waits for, the place in the queue, or a tenth of the progress. */
function plain(screen: Screen): Progress {
  let last = '';
  const line = (key: string, text: string) => {
    if (key !== last && text !== '') screen.write(`${text}\n`);
    last = key;
  };
  return {
    show: (status) => line(momentOf(status), lineOf(status)),
    silent: () => line(SILENT, SILENT),
    say: (sentence) => void screen.write(`${sentence}\n`),
    end: () => undefined,
  };
}

/** The same while what changes are only steps and seconds. */
function momentOf(status: Shown): string {
  switch (status.status) {
    case 'processing':
      return `tenth ${Math.floor(status.progress * 10)}`;
    case 'queued':
      // An older API has no codes.
      return `waits ${status.waiting_code ?? status.waiting_for} ${status.queue_position}`;
    default:
      return '';
  }
}

/** `██████░░░░  42 %  step 10/25  3 s left`, or what the job waits for. */
export function barOf(status: Shown): string {
  if (status.status !== 'processing') return lineOf(status);
  const full = Math.round(status.progress * BAR);
  const percent = `${percentOf(status)} %`.padStart(5);
  return ['█'.repeat(full) + '░'.repeat(BAR - full), percent, ...detailsOf(status)].join('  ').trimEnd();
}

/** `42 %, step 10/25, 3 s left`, or what the job waits for; "" once it has ended. */
export function lineOf(status: Shown): string {
  switch (status.status) {
    case 'processing':
      return [`${percentOf(status)} %`, ...detailsOf(status)].join(', ');
    case 'queued': {
      const place =
        status.queue_position === null ? undefined : `place ${status.queue_position} in the queue`;
      return `Waiting: ${[reasonOf(status), place].filter((part) => part).join(', ') || 'its turn'}`;
    }
    default:
      return '';
  }
}

/** With the seconds that the sentence of a start does not say. */
function reasonOf({ waiting_for: sentence, waiting_code: code, waiting_seconds: seconds }: Shown) {
  return code === 'host_starting' && seconds ? `${sentence} (about ${timeOf(seconds)})` : sentence;
}

/** Rounded down, so that only a completed job shows 100. */
function percentOf({ progress }: Shown): number {
  return Math.floor(progress * 100);
}

function detailsOf({ progress, current_step: step, total_steps: steps, eta_seconds: eta }: Shown): string[] {
  return [
    ...(step > 0 && steps > 0 ? [`step ${step}/${steps}`] : []),
    ...(eta !== null && progress >= PACE_FROM ? [`${timeOf(eta)} left`] : []),
  ];
}

function timeOf(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
