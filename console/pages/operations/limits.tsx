// The limits of each owner, with what is used of them, and a dialog that changes them.

import { useState } from 'preact/hooks';
import { ApiFailure, call } from '../../api/call.ts';
import type { OwnerLimits, OwnersLimits } from '../../api/types.ts';
import { useBusy } from '../../parts/busy.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { typedNumber } from '../../parts/typed-number.ts';
import { TextField } from '../../parts/text-field.tsx';
import { useRead } from '../../state/read.ts';
import { decimal, numberOf, t } from '../../text/index.ts';

type Name = keyof OwnerLimits['limits'];
const NAMES: Name[] = [
  'requests_per_minute',
  'unfinished_jobs',
  'images_per_day',
  'usd_per_month',
  'upload_mb',
];

interface LimitsProps {
  limits: OwnersLimits;
  onChange: () => void;
}

export function Limits({ limits: { applied, owners }, onChange }: LimitsProps) {
  const words = t().operations;
  const [open, setOpen] = useState<string | undefined>(undefined);
  const shown = ({ limit, used }: OwnerLimits['limits'][Name]) => {
    const most = limit === null ? words.unlimited : numberOf(limit, 2);
    return used === null ? most : words.usedOf(numberOf(used, 2), most);
  };
  return (
    <>
      {!applied && <p class="field-about">{words.notApplied}</p>}
      {owners.length === 0 ? (
        <p class="field-about">{words.noOwners}</p>
      ) : (
        <div class="scroll" role="region" aria-label={words.limits} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{words.owner}</th>
                {NAMES.map((name) => (
                  <th key={name} scope="col">
                    {words.limitNames[name]}
                  </th>
                ))}
                <td />
              </tr>
            </thead>
            <tbody>
              {owners.map(({ owner, limits }) => (
                <tr key={owner}>
                  <th scope="row">{owner}</th>
                  {NAMES.map((name) => (
                    <td key={name}>{shown(limits[name])}</td>
                  ))}
                  <td>
                    <Button onClick={() => setOpen(owner)}>{words.change(owner)}</Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open !== undefined && (
        <Dialog title={words.limitsOf(open)} onClose={() => setOpen(undefined)}>
          <LimitsOf
            owner={open}
            onSet={() => {
              setOpen(undefined);
              onChange();
            }}
          />
        </Dialog>
      )}
    </>
  );
}

function LimitsOf({ owner, onSet }: { owner: string; onSet: () => void }) {
  const read = useRead(
    (signal) => call('GET /api/admin/limits/{owner}', { path: { owner }, signal }),
    [owner],
  );
  return (
    <Loaded read={read}>{({ limits }) => <LimitsForm owner={owner} limits={limits} onSet={onSet} />}</Loaded>
  );
}

interface LimitsFormProps {
  owner: string;
  limits: OwnerLimits['limits'];
  onSet: () => void;
}

function LimitsForm({ owner, limits, onSet }: LimitsFormProps) {
  const words = t().operations;
  const [typed, setTyped] = useState<Partial<Record<Name, string>>>({});
  const [isBusy, begin] = useBusy();
  const [wrong, setWrong] = useState<{ field?: string | undefined; text: string } | undefined>(undefined);
  // Only what was changed: another may have set the others in between.
  const changed = NAMES.filter(
    (name) => typed[name] !== undefined && typed[name] !== String(limits[name].set),
  );
  const save = async () => {
    const read = changed.map((name) => [name, limitOf(name, typed[name]!)] as const);
    const unclear = read.find(([, limit]) => limit === undefined)?.[0];
    if (unclear !== undefined) {
      setWrong({ field: unclear, text: t().faults.grouped });
      return;
    }
    const body = Object.fromEntries(read);
    try {
      if (changed.length > 0) {
        await call('POST /api/admin/limits/{owner}', { path: { owner }, body });
        notify(words.limitsSet);
      }
      onSet();
    } catch (error) {
      if (error instanceof ApiFailure) setWrong({ field: error.field, text: error.message });
      else notifyFailure(error);
    }
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void begin(save);
      }}
    >
      <p class="field-about">{words.limitsAbout}</p>
      {NAMES.map((name) => {
        const { set, used } = limits[name];
        return (
          <TextField
            key={name}
            label={words.limitNames[name]}
            name={name}
            value={typed[name] ?? String(set)}
            {...(used !== null && { description: words.used(numberOf(used, 2)) })}
            error={wrong?.field === name ? wrong.text : undefined}
            onValue={(value) => setTyped((before) => ({ ...before, [name]: value }))}
          />
        );
      })}
      {wrong && !NAMES.some((name) => name === wrong.field) && <p class="field-error">{wrong.text}</p>}
      <div class="row end">
        <Button type="submit" kind="main" busy={isBusy}>
          {words.saveLimits}
        </Button>
      </div>
    </form>
  );
}

/** As it was typed, where it is no number: the API says what it may be. Undefined: it may be one of two numbers. */
function limitOf(name: Name, text: string): number | string | undefined {
  const read = typedNumber(text, { decimal: decimal(), isWhole: name !== 'usd_per_month' });
  if (read === 'grouped') return undefined;
  return read === 'none' ? text.trim() : read;
}
