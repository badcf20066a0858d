// Workflows: what there is, what each needs and who can run it; and a file that becomes one.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { WorkflowProposal } from '../../api/types.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { may } from '../../state/me.ts';
import { useRead } from '../../state/read.ts';
import { loadNames } from '../../state/workflows.ts';
import { t } from '../../text/index.ts';
import { type Draft, draftOf } from './draft.ts';
import { DropFile } from './drop-file.tsx';
import { Editor } from './editor.tsx';
import { List } from './list.tsx';

export default function Workflows() {
  const words = t().workflows;
  const all = useRead((signal) => call('GET /api/workflows', { query: { details: 'true' }, signal }), []);
  const [open, setOpen] = useState<{ proposal: WorkflowProposal; draft: Draft } | undefined>(undefined);

  const take = async (file: File) => {
    try {
      const proposal = await call('POST /api/workflows/propose', { body: file });
      setOpen({ proposal, draft: draftOf(proposal, file.name) });
    } catch (error) {
      notifyFailure(error);
    }
  };
  const changed = async () => {
    await Promise.all([all.again(), loadNames().catch(notifyFailure)]);
  };
  // Who may read sees what there is; operators change it.
  const mayChange = may('admin');
  const { refused = [], can_save: canSave = false } = all.found ?? {};
  return (
    <div class="workflows">
      {mayChange && <DropFile onFile={(file) => void take(file)} />}
      {open && (
        <Editor
          key={open.draft.name}
          {...open}
          canSave={canSave}
          onSaved={() => {
            setOpen(undefined);
            void changed();
          }}
          onClose={() => setOpen(undefined)}
        />
      )}
      {mayChange && refused.length > 0 && (
        <section class="panel">
          <h2>{words.refused}</h2>
          {refused.map((one) => (
            <p key={one} class="field-error">
              {one}
            </p>
          ))}
        </section>
      )}
      <Loaded read={all} size="page">
        {({ details = [] }) => (
          <List workflows={details} canRemove={mayChange && canSave} onChange={() => void changed()} />
        )}
      </Loaded>
    </div>
  );
}
