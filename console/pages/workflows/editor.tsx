// A proposal becomes a workflow: which fields callers may set, their names and bounds; checked, saved, and tried once where that is
// asked for. Where the API cannot save, as on AWS, the two files are there to be taken.

import { useState } from 'preact/hooks';
import { ApiFailure, call } from '../../api/call.ts';
import type { WorkflowProposal } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { saveFile } from '../../parts/save-file.ts';
import { TextField } from '../../parts/text-field.tsx';
import { goTo } from '../../shell/route.ts';
import { ask } from '../../state/jobs.ts';
import { decimal, t } from '../../text/index.ts';
import { type Draft, type Field, filesOf, isNumeric } from './draft.ts';

interface EditorProps {
  proposal: WorkflowProposal;
  draft: Draft;
  canSave: boolean;
  onSaved: () => void;
  onClose: () => void;
}

export function Editor({ proposal, draft, canSave, onSaved, onClose }: EditorProps) {
  const words = t().workflows;
  const [{ name, title, fields }, setDraft] = useState(draft);
  const [isTried, setTried] = useState(false);
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const change = (changes: Partial<Draft>) => {
    setWrong(undefined);
    setDraft((before) => ({ ...before, ...changes }));
  };
  const changeField = (at: number, changes: Partial<Field>) =>
    change({ fields: fields.map((one, index) => (index === at ? { ...one, ...changes } : one)) });
  const files = () => filesOf(proposal, { name, title, fields }, decimal());

  const save = async () => {
    try {
      await call('POST /api/workflows/{name}', { path: { name }, body: files() });
      notify(words.saved(name));
      onSaved();
      if (isTried) {
        ask(name, {});
        goTo('');
      }
    } catch (error) {
      if (error instanceof ApiFailure) setWrong(error.message);
      else notifyFailure(error);
    }
  };
  return (
    <form
      class="panel editor"
      noValidate
      aria-label={words.proposal}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <h2>{words.proposal}</h2>
      <p class="field-about">{words.kinds[proposal.kind]}</p>
      <Faults proposal={proposal} />
      <div class="editor-names">
        <TextField label={words.name} name="name" value={name} onValue={(value) => change({ name: value })} />
        <TextField
          label={words.title}
          name="title"
          value={title}
          onValue={(value) => change({ title: value })}
        />
      </div>
      <div class="scroll" role="region" aria-label={words.fields} tabIndex={0}>
        <table>
          <caption>{words.fieldsAbout}</caption>
          <thead>
            <tr>
              <th scope="col">{words.settable}</th>
              <th scope="col">{words.node}</th>
              <th scope="col">{words.inputName}</th>
              <th scope="col">{words.inputTitle}</th>
              <th scope="col">{words.least}</th>
              <th scope="col">{words.most}</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field, at) => (
              <FieldRow
                key={`${field.candidate.node}/${field.candidate.name}`}
                field={field}
                onChange={(changes) => changeField(at, changes)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {wrong && (
        <p class="field-error" role="alert">
          {wrong}
        </p>
      )}
      <div class="row">
        {canSave ? (
          <>
            <Button type="submit" kind="main">
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
    </form>
  );
}

/** What is wrong with the file, what no host has, and what only ComfyUI's own page does. */
function Faults({ proposal: { faults, missing, refused, notes } }: { proposal: WorkflowProposal }) {
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

function FieldRow({ field, onChange }: { field: Field; onChange: (changes: Partial<Field>) => void }) {
  const words = t().workflows;
  const { candidate, isOn, name, title, minimum, maximum } = field;
  const cell = (label: string, value: string, set: (value: string) => void, isUsed = true) => (
    <td>
      {isUsed && (
        <input
          type="text"
          aria-label={`${label}: ${candidate.name}`}
          autocomplete="off"
          disabled={!isOn}
          value={value}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
    </td>
  );
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          aria-label={`${words.settable}: ${candidate.name}`}
          checked={isOn}
          onInput={(event) => onChange({ isOn: event.currentTarget.checked })}
        />
      </td>
      <th scope="row">
        {candidate.class_type} <span class="field-about">#{candidate.node}</span>
      </th>
      {cell(words.inputName, name, (value) => onChange({ name: value }))}
      {cell(words.inputTitle, title, (value) => onChange({ title: value }))}
      {cell(words.least, minimum, (value) => onChange({ minimum: value }), isNumeric(candidate))}
      {cell(words.most, maximum, (value) => onChange({ maximum: value }), isNumeric(candidate))}
    </tr>
  );
}

function download(filename: string, content: object): void {
  saveFile(filename, new Blob([JSON.stringify(content, undefined, 2)], { type: 'application/json' }));
}
