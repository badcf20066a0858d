// An image that was made becomes the input of the chosen workflow, or of the first that takes one.

import { Button } from '../../parts/button.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { loadNames, names } from '../../state/workflows.ts';
import { t } from '../../text/index.ts';
import { useAsInput } from './again.ts';
import { workflow } from './forms.ts';

export function UseAsInput({ filename }: { filename: string }) {
  const use = async () => {
    try {
      if (names.value === undefined) await loadNames();
      if (!(await useAsInput(filename, [workflow.value, ...(names.value ?? [])])))
        notify(t().job.noImageInput, true);
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
