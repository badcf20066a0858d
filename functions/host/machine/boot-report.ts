// How long a GPU machine took from its launch to its first claim, part by part: compared with the budget in
// infra/host/README.md.

import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';

/** Seconds of each part of the boot, by its name. */
const parts = z.record(z.string(), z.number());

/**
 * Puts the parts as metrics. Never throws: without the boot's file the total alone is put.
 * @param launchedAt ISO 8601; @param file that the boot wrote; @param own seconds of the host's own parts
 */
export async function reportStart(
  metrics: Metrics,
  log: Log,
  launchedAt: string,
  file: string | undefined,
  now: number,
  own: Record<string, number>,
): Promise<void> {
  const start_to_claim = Math.max(0, (now - Date.parse(launchedAt)) / 1000);
  try {
    const boot = file === undefined ? {} : parts.parse(JSON.parse(await readFile(file, 'utf8')));
    const { models: models_time, comfyui: comfyui_time } = boot;
    metrics.put(
      {
        start_to_claim,
        ...(models_time === undefined ? {} : { models_time }),
        ...(comfyui_time === undefined ? {} : { comfyui_time }),
      },
      { parts: { ...boot, ...own } },
    );
  } catch (error) {
    log.error('boot_report.read_failed', error, { file });
    metrics.put({ start_to_claim });
  }
}
