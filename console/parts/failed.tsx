// In the place of what could not be read: why, and once more.

import { t } from '../text/index.ts';
import { Button } from './button.tsx';
import { messageOf } from './notices.tsx';

export const Failed = ({ error, again }: { error: unknown; again: () => unknown }) => (
  <div class="failed" role="status">
    <p class="field-error">{messageOf(error)}</p>
    <Button icon="again" onClick={() => void again()}>
      {t().tryAgain}
    </Button>
  </div>
);
