// When a GPU machine ends: idle and not kept warm, replaced by a newer release, or taken by EC2. In each case the host drains
// first, so that no running job is lost. Only a process on EC2 has it.

import type { Log } from '../../log.ts';
import type { InstanceMetadata } from '../../machines/instance.ts';
import { every } from '../../runtime/ticker.ts';

export interface Retirable {
  /** Milliseconds since it last held a job, or since its start. */
  idleFor(): number;
  /** Whether the controller has asked it to end. */
  isRetired(): boolean;
  /** Releases what has not started, finishes what runs; resolves when nothing is held and the item is deleted. */
  drain(): Promise<void>;
}

export interface RetirementDeps {
  host: Retirable;
  instance: InstanceMetadata;
  /** Whether the controller wants this machine to stay up without work; asked of one that is idle. */
  isWarm(): Promise<boolean>;
  /** Terminates this machine and lowers the desired number. @throws what EC2 answers */
  end(): Promise<void>;
  /** Milliseconds. */
  idleLimit: number;
  log: Log;
  /** How often it polls, ms. A spot notice comes two minutes ahead. */
  period?: number;
}

export interface Retirement {
  /** Stops watching, when the process stops and the machine stays. */
  stop(): Promise<void>;
}

/**
 * A host that has drained stays up and claims nothing until the machine is gone: if the process ended, systemd would
 * start it again, and the new one would claim. The end is asked for until it is granted.
 */
export function watchRetirement({
  host,
  instance,
  isWarm,
  end,
  idleLimit,
  log,
  period = 5000,
}: RetirementDeps): Retirement {
  let drained: Promise<void> | undefined;

  async function reason(): Promise<'taken' | 'retired' | 'idle' | undefined> {
    const taken = await instance.interruption().catch((error: unknown) => {
      log.debug('metadata.read_failed', { error: String(error) });
      return undefined;
    });
    if (taken !== undefined) return 'taken';
    if (host.isRetired()) return 'retired';
    if (host.idleFor() < idleLimit) return undefined;
    // Without an answer it ends: it would cost money for ever, and the controller starts another if one is needed.
    const warm = await isWarm().catch((error: unknown) => {
      log.warn('fleet.read_failed', { error: String(error) });
      return false;
    });
    return warm ? undefined : 'idle';
  }

  let why: Awaited<ReturnType<typeof reason>>;
  async function poll(): Promise<void> {
    why ??= await reason();
    if (why === undefined) return;
    if (!drained) log.warn('machine.retired', { reason: why });
    drained ??= host.drain();
    // A running job may take an hour; an announced end does not wait for it.
    await drained;
    // A machine that EC2 takes is terminated too: the group would otherwise replace it even if nothing waits.
    await end();
  }

  const ticker = every('retirement', period, poll, log);
  return { stop: () => ticker.stop() };
}
