// The checks of an API that runs on this machine, or at API_URL.

import { apiFinding, comfyuiFinding, jobsFinding } from './api.ts';
import { after, type Check, type Finding, Found, next } from './check.ts';

/** @param url undefined: no API was found; @param given whether API_URL names it */
export function apiChecks(url: string | undefined, given: boolean, key: string | undefined): Check[] {
  const advice = given ? 'check API_URL, or leave it out for the local one' : 'npm start';
  if (url === undefined) return [{ name: 'api', run: () => Promise.resolve(next('none runs here', advice)) }];
  const found = apiFinding(url, key, advice, 'set API_KEY to the key of that API, then npm run doctor again');
  const answers = found.then((finding) => {
    if (finding.kind !== 'ok') throw new Found(finding);
  });
  // The line of the api reports a rejection.
  answers.catch(() => undefined);
  const behind = (run: () => Promise<Finding>) => () => after(answers, 'without the api', run);
  return [
    { name: 'api', run: () => found },
    { name: 'comfyui', run: behind(() => comfyuiFinding(url, key, advice)) },
    { name: 'jobs', run: behind(() => jobsFinding(url, key, advice)) },
  ];
}
