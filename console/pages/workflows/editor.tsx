// A proposal becomes a workflow: which fields callers may set, their names and bounds; checked, saved, and tried once where that is
// asked for. Where the API cannot save, as on AWS, the two files are there to be taken.

import { useState } from 'preact/hooks';
import { ApiFailure, call } from '../../api/call.ts';
import type { WorkflowProposal } from '../../api/types.ts';
import { useBusy } from '../../parts/busy.ts';
import { Button } from '../../parts/button.tsx';
import { Question } from '../../parts/dialog.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { saveFile } from '../../parts/save-file.ts';
import { TextField } from '../../parts/text-field.tsx';
import { decimal, languageOf, t } from '../../text/index.ts';
import { absentOf, type Draft, type Field, filesOf, isDoubtful, twiceNamed } from './draft.ts';
import { Faults } from './faults.tsx';
import { Fields } from './fields.tsx';

interface EditorProps {
  proposal: WorkflowProposal;
  draft: Draft;
  canSave: boolean;
  onDraft: (draft: Draft) => void;
  onSaved: (name: string, isTried: boolean) => void;
  onClose: () => void;
}

/** What is wrong: with the name, or with the rest. */
interface Wrong {
  name?: string;
  rest?: string;
}

export function Editor({ proposal, draft, canSave, onDraft, onSaved, onClose }: EditorProps) {
  const words = t().workflows;
  const { file, title, fields } = draft;
  const name = draft.name.trim();
  const [isTried, setTried] = useState(false);
  const [wrong, setWrong] = useState<Wrong>({});
  const [isBusy, during] = useBusy();
  /** What is asked before it is saved. */
  const [asks, setAsks] = useState<'anyway' | 'replace' | undefined>(undefined);
  const change = (changes: Partial<Draft>) => {
    setWrong({});
    onDraft({ ...draft, ...changes });
  };
  const changeField = (at: number, changes: Partial<Field>) =>
    change({ fields: fields.map((one, index) => (index === at ? { ...one, ...changes } : one)) });
  const files = () => filesOf(proposal, { file, name, title, fields }, decimal());

  const save = (replace: boolean) => during(() => send(replace));
  const send = async (replace: boolean) => {
    setWrong({});
    try {
      const { kept_translations: kept } = await call('POST /api/workflows/{name}', {
        path: { name },
        body: { ...files(), replace },
      });
      if (proposal.hosts.length > 0) notify(words.saved(name));
      else notify(words.savedOnly(name), true);
      if (kept.length > 0) notify(words.keptTranslations(kept.map(languageOf).join(', ')));
      onSaved(name, isTried);
    } catch (error) {
      if (!(error instanceof ApiFailure)) notifyFailure(error);
      else if (error.code === 'workflow_exists') setAsks('replace');
      else setWrong(error.field === 'name' ? { name: error.message } : { rest: error.message });
    }
  };
  const begin = () => {
    const twice = twiceNamed(fields);
    if (name === '') setWrong({ name: t().faults.required });
    else if (twice !== undefined) setWrong({ rest: words.twice(twice) });
    else if (isDoubtful(proposal)) setAsks('anyway');
    else void save(false);
  };
  return (
    <form
      class="panel editor"
      noValidate
      aria-label={words.proposal(file)}
      onSubmit={(event) => {
        event.preventDefault();
        begin();
      }}
    >
      <h2>{words.proposal(file)}</h2>
      <p class="field-about">{words.kinds[proposal.kind]}</p>
      <Faults proposal={proposal} />
      <div class="editor-names">
        <TextField
          label={words.name}
          name="name"
          value={draft.name}
          error={wrong.name}
          onValue={(value) => change({ name: value })}
        />
        <TextField
          label={words.title}
          name="title"
          value={title}
          onValue={(value) => change({ title: value })}
        />
      </div>
      <Fields graph={proposal.graph} fields={fields} onChange={changeField} />
      {wrong.rest && (
        <p class="field-error" role="alert">
          {wrong.rest}
        </p>
      )}
      <div class="row">
        {canSave ? (
          <>
            <Button type="submit" kind="main" busy={isBusy}>
              {words.save}
            </Button>
            <label class="row">
              <input
                type="checkbox"
                checked={isTried}
                onInput={(event) => setTried(event.currentTarget.checked)}
              />
              {words.tryOnce}
            </label>
          </>
        ) : (
          <p class="field-about">{words.fixed}</p>
        )}
        <span class="grow" />
        <Button icon="download" onClick={() => download(`${name}.json`, files().graph)}>
          {name}.json
        </Button>
        <Button icon="download" onClick={() => download(`${name}.inputs.json`, files().inputs_file)}>
          {name}.inputs.json
        </Button>
        <Button onClick={onClose}>{words.discard}</Button>
      </div>
      {asks === 'anyway' && (
        <Question
          title={words.anywayTitle(name)}
          text={doubtsOf(proposal)}
          yes={words.anyway}
          onYes={() => void save(false)}
          onClose={() => setAsks(undefined)}
        />
      )}
      {asks === 'replace' && (
        <Question
          title={words.replaceTitle(name)}
          text={words.replaceText(name)}
          yes={words.replace}
          onYes={() => void save(true)}
          onClose={() => {
            setAsks(undefined);
            setWrong({ name: words.taken });
          }}
        />
      )}
    </form>
  );
}

function doubtsOf(proposal: WorkflowProposal): string {
  const words = t().workflows;
  const absent = absentOf(proposal);
  if (absent.length > 0) return words.absent(absent.join(', '));
  if (proposal.missing.length > 0) return words.scattered;
  return [...proposal.faults.map(({ message }) => message), ...proposal.refused].join(' · ');
}

function download(filename: string, content: object): void {
  saveFile(filename, new Blob([JSON.stringify(content, undefined, 2)], { type: 'application/json' }));
}
