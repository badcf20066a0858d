// Workflows: what there is, what each needs and who can run it; and a file that becomes one.

import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { call, receive } from '../../api/call.ts';
import { onKeyChange } from '../../api/key.ts';
import type { WorkflowProposal } from '../../api/types.ts';
import { isGivenUp } from '../../api/pause.ts';
import { parseExact } from '../../parts/exact-json.ts';
import { Latest } from '../../parts/latest.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { messageOf, notifyFailure } from '../../parts/notices.tsx';
import { ask } from '../../state/jobs.ts';
import { may } from '../../state/me.ts';
import { useRead } from '../../state/read.ts';
import { inLanguage, loadNames } from '../../state/workflows.ts';
import { language, t } from '../../text/index.ts';
import { type Draft, draftOf } from './draft.ts';
import { DropFile } from './drop-file.tsx';
import { Editor } from './editor.tsx';
import { List } from './list.tsx';
import { Trial } from './trial.tsx';

/** A file that was read; another of the same name is another. */
interface Open {
  id: number;
  proposal: WorkflowProposal;
  draft: Draft;
}

/** Of files that are dropped one after the other the last counts. */
const reading = new Latest();
/** What a person makes of it is still there after a look at another page. */
const opened = signal<Open | undefined>(undefined);
/** Why the last file is no workflow. */
const unread = signal<string | undefined>(undefined);
onKeyChange(() => {
  reading.giveUp(() => true);
  opened.value = undefined;
  unread.value = undefined;
});

export default function Workflows() {
  const words = t().workflows;
  const all = useRead(
    (signal) =>
      call('GET /api/workflows', {
        query: { details: 'true' },
        headers: inLanguage(language.value),
        signal,
      }),
    [language.value],
  );
  const open = opened.value;
  /** The workflow that was saved to be tried. */
  const [tried, setTried] = useState<string | undefined>(undefined);

  const take = async (file: File) => {
    unread.value = undefined;
    try {
      const proposal = await reading.begin('file', (signal) =>
        receive(
          'POST /api/workflows/propose',
          { body: file, signal, mayRepeat: true },
          async (answer) => parseExact(await answer.text()) as WorkflowProposal,
        ),
      );
      const id = (opened.peek()?.id ?? 0) + 1;
      opened.value = { id, proposal, draft: draftOf(proposal, file.name, words.untitled) };
    } catch (error) {
      if (!isGivenUp(error)) unread.value = `${file.name}: ${messageOf(error)}`;
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
      {mayChange && (
        <DropFile
          isReading={reading.isRunning('file')}
          error={unread.value}
          onFile={(file) => void take(file)}
        />
      )}
      {open && (
        <Editor
          key={open.id}
          proposal={open.proposal}
          draft={open.draft}
          canSave={canSave}
          onDraft={(draft) => (opened.value = { ...open, draft })}
          onSaved={(name, isTried) => {
            // Another file may have taken its place.
            if (opened.peek()?.id === open.id) opened.value = undefined;
            setTried(isTried ? name : undefined);
            if (isTried) ask(name, {});
            void changed();
          }}
          onClose={() => (opened.value = undefined)}
        />
      )}
      {tried !== undefined && <Trial workflow={tried} />}
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
