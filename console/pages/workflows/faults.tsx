// What is wrong with a file, what no host has, and what only ComfyUI's own page does.

import type { WorkflowProposal } from '../../api/types.ts';
import { t } from '../../text/index.ts';

export function Faults({ proposal: { faults, missing, refused, notes } }: { proposal: WorkflowProposal }) {
  const words = t().workflows;
  return (
    <>
      {faults.map((fault, index) => (
        <p key={index} class="field-error">
          {[fault.title ?? fault.class_type, fault.node && `#${fault.node}`, fault.field]
            .filter(Boolean)
            .join(' · ')}
          {fault.node && ': '}
          {fault.message}
        </p>
      ))}
      {missing.map((one, index) => (
        <p key={index} class="field-error">
          {words.missing(one.value ?? one.class_type)}
        </p>
      ))}
      {refused.map((one) => (
        <p key={one} class="field-error">
          {one}
        </p>
      ))}
      {notes.map((one) => (
        <p key={one} class="field-about">
          {one}
        </p>
      ))}
    </>
  );
}
