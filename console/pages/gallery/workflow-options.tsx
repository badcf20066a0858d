// The workflows that jobs are filtered by: those that there are, those of jobs that were found, and graphs that came with a request.

import { names, titleOf } from '../../state/workflows.ts';
import { t } from '../../text/index.ts';
import { found } from './found.ts';

/** As the API names the workflow of a job whose graph came with its request. */
const OWN_GRAPH = '(graph)';

/** @param chosen stays, whatever is found by it */
export function WorkflowOptions({ chosen }: { chosen: string }) {
  const words = t().gallery;
  const present = names.value ?? [];
  const gone = new Set([chosen, ...found.value.map(({ workflow }) => workflow)]);
  for (const name of ['', OWN_GRAPH, ...present]) gone.delete(name);
  return (
    <>
      <option value="">{words.any}</option>
      {[...present, ...gone].map((name) => (
        <option key={name} value={name}>
          {gone.has(name) && names.value ? words.removed(name) : titleOf(name)}
        </option>
      ))}
      <option value={OWN_GRAPH}>{words.ownGraphs}</option>
    </>
  );
}
