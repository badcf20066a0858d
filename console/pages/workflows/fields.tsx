// The fields of a file's graph, a row each: where it stands and what the file has there, and how callers set it.

import type { WorkflowProposal } from '../../api/types.ts';
import { t } from '../../text/index.ts';
import { asText, type Field, isNumeric, originOf, shortened } from './draft.ts';

interface FieldsProps {
  graph: WorkflowProposal['graph'];
  fields: readonly Field[];
  onChange: (at: number, changes: Partial<Field>) => void;
}

export function Fields({ graph, fields, onChange }: FieldsProps) {
  const words = t().workflows;
  return (
    <div class="scroll" role="region" aria-label={words.fields} tabIndex={0}>
      <table>
        <caption>{words.fieldsAbout}</caption>
        <thead>
          <tr>
            <th scope="col">{words.settable}</th>
            <th scope="col">{words.node}</th>
            <th scope="col">{words.field}</th>
            <th scope="col">{words.inputName}</th>
            <th scope="col">{words.inputTitle}</th>
            <th scope="col">{words.least}</th>
            <th scope="col">{words.most}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field, at) => (
            <Row
              key={field.candidate.name}
              graph={graph}
              field={field}
              onChange={(changes) => onChange(at, changes)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  graph: WorkflowProposal['graph'];
  field: Field;
  onChange: (changes: Partial<Field>) => void;
}

function Row({ graph, field, onChange }: RowProps) {
  const words = t().workflows;
  const { candidate, isOn, name, title, minimum, maximum } = field;
  const origin = originOf(graph, candidate);
  const value = asText(origin.value);
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
        {candidate.node} <span class="field-about">#{origin.node}</span>
        {candidate.node !== candidate.class_type && <p class="field-about">{candidate.class_type}</p>}
      </th>
      <td class="origin">
        {origin.field}
        <p class="field-about" title={value}>
          {shortened(value)}
        </p>
      </td>
      {cell(words.inputName, name, (value) => onChange({ name: value }))}
      {cell(words.inputTitle, title, (value) => onChange({ title: value }))}
      {cell(words.least, minimum, (value) => onChange({ minimum: value }), isNumeric(candidate))}
      {cell(words.most, maximum, (value) => onChange({ maximum: value }), isNumeric(candidate))}
    </tr>
  );
}
