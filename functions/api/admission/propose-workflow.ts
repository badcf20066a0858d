// What a workflow file would become, for a person to look at: converted by what the hosts have, and checked against each.

import { AppError } from '../../core/errors.ts';
import { missingOf } from '../../core/missing-requirements.ts';
import { missingRequirements } from '../../core/object-info.ts';
import { faultsOf } from '../../core/preflight/faults.ts';
import { UnreadableFile } from '../../core/workflow-file/fault.ts';
import { proposalOf } from '../../core/workflow-file/proposal.ts';
import { specFor } from '../../core/workflow-file/propose.ts';
import type { Fleet } from '../caches/fleet.ts';

/** @throws AppError bad_workflow for a file of which no graph comes */
export async function proposeWorkflow(fleet: Fleet, bytes: Uint8Array) {
  const [{ nodes }, hosts] = await Promise.all([fleet.inventory(), fleet.inventories()]);
  const { kind, title, graph, file, candidates, faults, notes, models } = read(() =>
    proposalOf(bytes, nodes),
  );
  const checked = hosts.map(({ hostId, nodes }) => ({
    hostId,
    isMissing: missingRequirements(graph, nodes).length > 0,
    refused: faultsOf({ graph, inputs: file.inputs }, nodes),
  }));
  const able = checked.filter(({ isMissing, refused }) => !isMissing && refused.length === 0);
  return {
    kind,
    title: title ?? null,
    graph,
    inputs_file: file,
    candidates: candidates.map((one) => ({
      name: one.name,
      proposed: one.proposed,
      node: one.node,
      class_type: one.classType,
      is_model: one.isModel,
      choices: one.choices?.slice(0, MOST_CHOICES) ?? null,
      input: specFor(one),
    })),
    faults: faults.map(({ code, message, node, title, type, input }) => ({
      code,
      message,
      node: node ?? null,
      title: title ?? null,
      class_type: type ?? null,
      field: input ?? null,
    })),
    notes,
    models,
    missing: able.length > 0 ? [] : missingOf(graph, hosts),
    refused: able.length > 0 ? [] : (checked[0]?.refused ?? faultsOf({ graph, inputs: file.inputs }, nodes)),
    hosts: able.map(({ hostId }) => hostId),
  };
}

/** A list of files may have thousands; a page shows some. */
const MOST_CHOICES = 200;

function read<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    const { code, message } = error.fault;
    throw new AppError('bad_workflow', message, { fault: code });
  }
}
