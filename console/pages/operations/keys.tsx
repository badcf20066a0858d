// Keys: who has which, a new one (shown once), and an end to one.

import { useState } from 'preact/hooks';
import { ApiFailure, call } from '../../api/call.ts';
import type { Key, NewKey } from '../../api/types.ts';
import { useBusy } from '../../parts/busy.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, Question } from '../../parts/dialog.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { TextField } from '../../parts/text-field.tsx';
import { t, timeOf } from '../../text/index.ts';

const SCOPES = ['generate', 'graphs', 'read', 'admin'] as const;

interface KeysProps {
  keys: Key[];
  onChange: () => void;
}

export function Keys({ keys, onChange }: KeysProps) {
  const words = t().operations;
  const [open, setOpen] = useState<'new' | Key | undefined>(undefined);
  const [made, setMade] = useState<NewKey | undefined>(undefined);
  const revoke = async ({ key_id: keyId }: Key) => {
    try {
      await call('DELETE /api/admin/keys/{keyId}', { path: { keyId } });
      notify(words.revoked);
    } catch (error) {
      notifyFailure(error);
    }
    onChange();
  };
  return (
    <>
      <div class="scroll" role="region" aria-label={words.keys} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.name}</th>
              <th scope="col">{words.owner}</th>
              <th scope="col">{words.scopes}</th>
              <th scope="col">{words.made}</th>
              <th scope="col">{words.state}</th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.key_id}>
                <th scope="row">{key.name}</th>
                <td>{key.owner}</td>
                <td>{key.scopes.join(', ')}</td>
                <td>{timeOf(key.created_at)}</td>
                <td>
                  {key.valid ? (
                    <Button onClick={() => setOpen(key)}>{words.revoke(key.name)}</Button>
                  ) : (
                    <span class="field-about">{words.ended}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>
        <Button icon="key" onClick={() => setOpen('new')}>
          {words.newKey}
        </Button>
      </p>
      {open === 'new' && (
        <NewKeyForm
          onClose={() => setOpen(undefined)}
          onMade={(key) => {
            setOpen(undefined);
            setMade(key);
            onChange();
          }}
        />
      )}
      {typeof open === 'object' && (
        <Question
          title={words.revokeTitle(open.name)}
          text={words.revokeText}
          yes={words.revokeYes}
          onYes={() => void revoke(open)}
          onClose={() => setOpen(undefined)}
        />
      )}
      {made && <NewKeyShown made={made} onClose={() => setMade(undefined)} />}
    </>
  );
}

/** Closed by its buttons alone: a key that is lost by a slip cannot be had again. */
function NewKeyShown({ made, onClose }: { made: NewKey; onClose: () => void }) {
  const words = t().operations;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(made.key);
      notify(words.keyCopied);
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <Dialog title={words.shownOnce} onClose={onClose} staysOpen>
      <p>{words.shownOnceText}</p>
      <p class="key-shown">
        <code>{made.key}</code>
      </p>
      <div class="row end">
        {/* Browsers have one only where the page came by https, or of this machine. */}
        {navigator.clipboard !== undefined && (
          <Button icon="link" onClick={() => void copy()}>
            {words.copyKey}
          </Button>
        )}
        {/* Not by the second half of a double click, which was meant for what stood here before. */}
        <Button kind="main" onClick={({ detail: clicks }) => clicks < 2 && onClose()}>
          {words.keyKept}
        </Button>
      </div>
    </Dialog>
  );
}

function NewKeyForm({ onClose, onMade }: { onClose: () => void; onMade: (key: NewKey) => void }) {
  const words = t().operations;
  const [name, setName] = useState('');
  const [owner, setOwner] = useState('');
  const [scopes, setScopes] = useState<string[]>(['generate', 'read']);
  const [isBusy, begin] = useBusy();
  const [wrong, setWrong] = useState<{ field?: string | undefined; text: string } | undefined>(undefined);
  const create = async () => {
    try {
      onMade(await call('POST /api/admin/keys', { body: { name, ...(owner !== '' && { owner }), scopes } }));
    } catch (error) {
      if (error instanceof ApiFailure) setWrong({ field: error.field, text: error.message });
      else notifyFailure(error);
    }
  };
  const faultOf = (field: string) => (wrong?.field === field ? wrong.text : undefined);
  return (
    <Dialog title={words.newKey} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void begin(create);
        }}
      >
        <TextField label={words.name} name="name" value={name} error={faultOf('name')} onValue={setName} />
        <TextField
          label={words.owner}
          description={words.ownerAbout}
          name="owner"
          value={owner}
          error={faultOf('owner')}
          onValue={setOwner}
        />
        <fieldset>
          <legend>{words.scopes}</legend>
          {SCOPES.map((scope) => (
            <label key={scope} class="row">
              <input
                type="checkbox"
                checked={scopes.includes(scope)}
                onInput={(event) =>
                  setScopes(
                    event.currentTarget.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope),
                  )
                }
              />
              <span>
                <code>{scope}</code> {words.scopeAbout[scope]}
              </span>
            </label>
          ))}
        </fieldset>
        {wrong && !['name', 'owner'].includes(wrong.field ?? '') && <p class="field-error">{wrong.text}</p>}
        <div class="row end">
          <Button type="submit" kind="main" busy={isBusy}>
            {words.create}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
