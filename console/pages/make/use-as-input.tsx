// What was made becomes the input of the chosen workflow, or of the first that takes one.

import { Button } from '../../parts/button.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import type { OutputView } from '../../parts/output.tsx';
import { loadNames, names } from '../../state/workflows.ts';
import { t } from '../../text/index.ts';
import { useAsInput } from './again.ts';
import { workflow } from './forms.ts';

/** What workflows commonly take. */
const USED: readonly OutputView['kind'][] = ['image', 'video', 'audio'];

/** Of a job's outputs the first that a workflow could take. */
export function UseAsInput({ outputs }: { outputs: readonly OutputView[] }) {
  const output = outputs.find(({ kind }) => USED.includes(kind));
  if (!output) return null;
  const use = async () => {
    try {
      if (names.value === undefined) await loadNames();
      if (!(await useAsInput(output, [workflow.value, ...(names.value ?? [])])))
        notify(t().job.noSuchInput, true);
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <Button icon="input" onClick={() => void use()}>
      {t().job.asInput}
    </Button>
  );
}
