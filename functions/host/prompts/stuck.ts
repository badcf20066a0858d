// Is ComfyUI stuck? Its worker may have ended while its HTTP answers: the head of its queue stays, and no event
// comes for longer than such a node was ever silent here. Pure: judges what it is given. Times are ms that the machine was
// awake.

import type { ComfyUIEvent } from '../../comfyui/events.ts';

/** Milliseconds. */
export interface StuckBounds {
  /** The head waits though nothing runs: a worker takes it within milliseconds. */
  idle: number;
  /** The least, for a node that was timed here, or for a prompt that was broken off and runs on. */
  least: number;
  /** This many times the longest silence of this class of node here. */
  times: number;
  /** For a job whose template sets no deadline, on a node that was timed here. */
  deadline: number;
  /** For a node that was never timed here, and for other people's prompts, whose events we do not get. */
  unknown: number;
}

/** What is known of the head of the queue. */
export interface Head {
  promptId: string;
  runs: boolean;
  /** Followed by this host: its events are heard. */
  ours?: { classOf(node: string): string | undefined; deadline: number | undefined } | undefined;
  /** Posted by this machine and broken off: it should have ended. */
  brokenOff: boolean;
}

export interface StuckRule {
  /** Called with every message of the socket. */
  observe(event: ComfyUIEvent): void;
  /** Called with the head of the queue. Returns how long nothing has moved, ms, if that is too long. */
  poll(head: Head | undefined): number | undefined;
}

export function createStuckRule(bounds: StuckBounds, awake: () => number): StuckRule {
  /** Class of node → its longest silence, ms. */
  const silences = new Map<string, number>();
  let head: Head | undefined;
  let movedAt = -Infinity;
  let node: string | undefined;

  const kindOfNode = () => (node === undefined ? undefined : head?.ours?.classOf(node));

  function moved(): void {
    const kind = kindOfNode();
    if (kind !== undefined && head?.runs)
      silences.set(kind, Math.max(silences.get(kind) ?? 0, awake() - movedAt));
    movedAt = awake();
  }

  function bound(of: Head): number {
    if (!of.runs) return bounds.idle;
    if (of.brokenOff) return bounds.least;
    const kind = kindOfNode();
    const longest = kind === undefined ? undefined : silences.get(kind);
    if (!of.ours || longest === undefined) return bounds.unknown;
    return Math.max(bounds.least, longest * bounds.times, of.ours.deadline ?? bounds.deadline);
  }

  return {
    observe(event) {
      if (event.data.prompt_id !== head?.promptId) return;
      moved();
      if (event.type === 'executing') node = event.data.node ?? undefined;
    },
    poll(next) {
      if (next?.promptId !== head?.promptId || next?.runs !== head?.runs) {
        movedAt = awake();
        node = undefined;
      }
      head = next;
      const still = awake() - movedAt;
      return head && still > bound(head) ? still : undefined;
    },
  };
}
