// Which network faults are on at this moment, and which were: the proxies ask, the injector tells.

import type { FaultKind } from './plan.ts';

export interface Trouble {
  kind: FaultKind;
  target: string;
  from: number;
  /** Infinity while it is on. */
  to: number;
}

export interface Troubles {
  begin(kind: FaultKind, target: string): Trouble;
  end(trouble: Trouble): void;
  /** For `target` or for all. */
  on(kind: FaultKind, target: string): boolean;
  /** Every one that touched this time. */
  during(from: number, to: number): Trouble[];
  any(): boolean;
  readonly all: readonly Trouble[];
}

export function createTroubles(now: () => number): Troubles {
  const all: Trouble[] = [];
  const active = new Set<Trouble>();
  const on = (kind: FaultKind, target: string) =>
    [...active].some((one) => one.kind === kind && (one.target === target || one.target === 'all'));
  return {
    begin(kind, target) {
      const trouble = { kind, target, from: now(), to: Infinity };
      all.push(trouble);
      active.add(trouble);
      return trouble;
    },
    end(trouble) {
      trouble.to = now();
      active.delete(trouble);
    },
    on,
    during: (from, to) => all.filter((one) => one.from <= to && one.to >= from),
    any: () => active.size > 0,
    all,
  };
}
