// Whose figures are shown: an owner's that has keys, the one that is meant now, or everybody's.

import { t } from '../../text/index.ts';

interface OwnerChoiceProps {
  owners: string[];
  /** Empty: everybody. */
  owner: string;
  /** How everybody is called; absent: it must be one owner. */
  everybody?: string;
  onOwner: (owner: string) => void;
}

export const OwnerChoice = ({ owners, owner, everybody, onOwner }: OwnerChoiceProps) => (
  <label class="row">
    {t().operations.owner}
    <select value={owner} onInput={(event) => onOwner(event.currentTarget.value)}>
      {everybody !== undefined && <option value="">{everybody}</option>}
      {[...new Set([owner, ...owners])]
        .filter((one) => one !== '')
        .map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
    </select>
  </label>
);
