// The workflows that there are.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { Workflows } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Question } from '../../parts/dialog.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { goTo } from '../../shell/route.ts';
import { t } from '../../text/index.ts';
import { chooseWorkflow } from '../make/forms.ts';

type Detail = NonNullable<Workflows['details']>[number];

interface ListProps {
  workflows: Detail[];
  canRemove: boolean;
  onChange: () => void;
}

export function List({ workflows, canRemove, onChange }: ListProps) {
  const words = t().workflows;
  const [removing, setRemoving] = useState<string | undefined>(undefined);
  const remove = async (name: string) => {
    try {
      await call('DELETE /api/workflows/{name}', { path: { name } });
      notify(words.removed(name));
    } catch (error) {
      notifyFailure(error);
    }
    onChange();
  };
  return (
    <ul class="workflow-list">
      {workflows.map((one) => (
        <li key={one.name} class="panel">
          <h2>{one.title}</h2>
          <p class="field-about">{one.name}</p>
          {one.description && <p>{one.description}</p>}
          <p>
            <span class={one.hosts.length > 0 ? 'badge good' : 'badge warn'}>
              {words.hosts(one.hosts.length)}
            </span>
          </p>
          <dl>
            <dt>{words.inputs}</dt>
            <dd>{one.inputs.join(', ') || '–'}</dd>
            <dt>{words.models}</dt>
            <dd>{one.models.join(', ') || '–'}</dd>
          </dl>
          {one.missing.map((missing) => (
            <p key={`${missing.node}${missing.field}`} class="field-error">
              {words.missing(missing.value ?? missing.class_type)}
            </p>
          ))}
          {one.faults.map((fault) => (
            <p key={fault} class="field-error">
              {fault}
            </p>
          ))}
          <div class="row">
            <Button
              icon="make"
              onClick={() => {
                chooseWorkflow(one.name);
                goTo('');
              }}
            >
              {words.use}
            </Button>
            {canRemove && (
              <Button icon="trash" onClick={() => setRemoving(one.name)}>
                {words.remove}
              </Button>
            )}
          </div>
        </li>
      ))}
      {removing !== undefined && (
        <Question
          title={words.removeTitle(removing)}
          text={words.removeText(removing)}
          yes={words.remove}
          onYes={() => void remove(removing)}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </ul>
  );
}
