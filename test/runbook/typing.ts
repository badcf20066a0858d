// A deployment on a moto of this file's own, and what is typed against it: the command as it stands in its page, with the
// names that only this deployment knows filled in.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { templatesWith } from '../infra/synth.ts';
import { hasMoto, type Moto, startMoto } from '../support/moto.ts';
import { type Ended, hasCli, runBash } from './cli.ts';
import { AMI_PARAMETER, createDeployment, type Deployment } from './deployment.ts';
import type { Command } from './page.ts';

/** Why the files that type are skipped; undefined: they are not. */
export const lacks =
  hasMoto && hasCli ? undefined : '(skipped: moto_server or version 2 of the AWS CLI is not installed)';

/** Each test of a file that types has so long: a busy machine takes a second for each start of Python. */
export const TYPING_LIMIT = 420_000;

export interface Typing {
  moto: Moto;
  /** As it was made, whatever was typed before. */
  renew(): Promise<void>;
  type(command: Pick<Command, 'before' | 'text'>): Promise<Ended>;
  close(): Promise<void>;
}

export async function startTyping(): Promise<Typing> {
  const home = await mkdtemp(join(tmpdir(), 'runbook-'));
  const moto = await startMoto();
  const templates = templatesWith({ amiParameter: AMI_PARAMETER });
  let deployment: Deployment;
  const renew = async () => {
    deployment = await createDeployment(moto, templates, home);
  };
  await renew();
  return {
    moto,
    renew,
    type({ before, text }) {
      let script = [...before, text].join('\n');
      for (const [name, value] of Object.entries(deployment.names))
        script = script.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), value);
      return runBash(script, { ...deployment.env, WORKSPACE_PATH: join(home, 'workspace') });
    },
    async close() {
      await moto.close();
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
