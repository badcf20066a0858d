// All that the caller made, newest first: searched, filtered, looked at, removed.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Failed } from '../../parts/failed.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { follow, place } from '../../shell/route.ts';
import { loadNames } from '../../state/workflows.ts';
import { t } from '../../text/index.ts';
import { Details } from './details.tsx';
import { type Filters, filtersOf, isTypedOn, linkOf, NO_FILTERS } from './filters.ts';
import { failure, find, found, loadMore, progress, refresh, tryAgain } from './found.ts';
import { Grid } from './grid.tsx';
import { Tile } from './tile.tsx';
import { WorkflowOptions } from './workflow-options.tsx';

/** ms without a key before a search begins. */
const TYPED = 300;
/** While a listed job has not ended. */
const LOOKS_AGAIN = 3000;

export default function Gallery() {
  const words = t().gallery;
  const [open] = place.value.rest;
  const filters = filtersOf(place.value.query);
  useEffect(() => void loadNames().catch(notifyFailure), []);
  useEffect(() => void find(filters), [linkOf(filters)]);
  const isLive = found.value.some(({ status }) => status === 'queued' || status === 'processing');
  useEffect(() => {
    const look = () => void (document.visibilityState === 'visible' && refresh());
    const timer = isLive ? setInterval(look, LOOKS_AGAIN) : undefined;
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [isLive]);
  const onEnd = useCallback(() => void loadMore(), []);
  return (
    <>
      <Bar filters={filters} />
      <Grid
        label={words.list}
        items={found.value}
        keyOf={(job) => job.job_id}
        draw={(job) => <Tile job={job} href={linkOf(filters, job.job_id)} />}
        onEnd={onEnd}
      />
      <p class="gallery-end" role="status">
        {progress.value === 'loading'
          ? words.loading
          : progress.value !== 'all'
            ? ''
            : found.value.length === 0
              ? words.none
              : words.all(found.value.length)}
      </p>
      {progress.value === 'failed' && <Failed error={failure.value} again={tryAgain} />}
      {open !== undefined && open !== '' && (
        <Details
          key={open}
          id={open}
          onClose={() => place.value.rest[0] === open && follow(linkOf(filters))}
        />
      )}
    </>
  );
}

/** @param filters of the address */
function Bar({ filters }: { filters: Filters }) {
  const words = t().gallery;
  const [wanted, setWanted] = useState(filters);
  const first = useRef<HTMLInputElement>(null);
  /** What the address has of this bar: what else it says, a person went to. */
  const written = useRef(linkOf(filters));
  useEffect(() => {
    if (linkOf(filters) !== written.current) setWanted(filters);
    written.current = linkOf(filters);
  }, [linkOf(filters)]);
  useEffect(() => {
    const link = linkOf(wanted);
    if (link === linkOf(filters)) return undefined;
    const timer = setTimeout(() => {
      written.current = link;
      follow(link, isTypedOn(filters, wanted));
    }, TYPED);
    return () => clearTimeout(timer);
  }, [wanted]);
  const set = (name: keyof Filters) => (event: { currentTarget: { value: string } }) =>
    setWanted({ ...wanted, [name]: event.currentTarget.value });
  const isFiltered = Object.values(wanted).some((value) => value !== '');
  return (
    <form
      class="gallery-bar"
      role="search"
      aria-label={words.filter}
      onSubmit={(event) => event.preventDefault()}
    >
      <label>
        <span>{words.search}</span>
        <input ref={first} type="search" maxLength={200} value={wanted.search} onInput={set('search')} />
      </label>
      <label>
        <span>{words.workflow}</span>
        <select value={wanted.workflow} onChange={set('workflow')}>
          <WorkflowOptions chosen={wanted.workflow} />
        </select>
      </label>
      <label>
        <span>{words.state}</span>
        <select value={wanted.state} onChange={set('state')}>
          <option value="">{words.any}</option>
          {(['queued', 'processing', 'completed', 'failed', 'cancelled'] as const).map((state) => (
            <option key={state} value={state}>
              {t().job.states[state]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{words.label}</span>
        <input value={wanted.label} placeholder="project:spring" onInput={set('label')} />
      </label>
      <Button
        disabled={!isFiltered}
        onClick={() => {
          setWanted(NO_FILTERS);
          // The button has nothing more to do.
          first.current?.focus();
        }}
      >
        {words.clear}
      </Button>
    </form>
  );
}
