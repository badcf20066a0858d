// All that the caller made, newest first: searched, filtered, looked at, removed.

import { useCallback, useEffect, useId, useRef, useState } from 'preact/hooks';
import { ApiFailure } from '../../api/call.ts';
import { key } from '../../api/key.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { Failed } from '../../parts/failed.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { follow, place } from '../../shell/route.ts';
import { may, owner } from '../../state/me.ts';
import { loadNames } from '../../state/workflows.ts';
import { language, t } from '../../text/index.ts';
import { Details } from './details.tsx';
import {
  type Filters,
  filtersOf,
  isSearch,
  isTypedOn,
  linkOf,
  LONGEST_SEARCH,
  NO_FILTERS,
  queryOf,
  STATES,
} from './filters.ts';
import { failure, find, found, loadMore, progress, refresh, tryAgain, waiting } from './found.ts';
import { Grid } from './grid.tsx';
import { Tile } from './tile.tsx';
import { WorkflowOptions } from './workflow-options.tsx';

/** ms without a key before a search begins. */
const TYPED = 300;
/** While a listed job has not ended. */
const LOOKS_AGAIN = 3000;
/** Else, for what comes: six reads a minute. */
const LOOKS_FOR_NEW = 10_000;
/** From here on new jobs would push away what a person looks at. */
const isScrolled = () => scrollY > 40;
const toTop = () => scrollTo({ top: 0 });

export default function Gallery() {
  const words = t().gallery;
  const [open] = place.value.rest;
  const filters = filtersOf(place.value.query);
  useEffect(() => void loadNames().catch(notifyFailure), [language.value]);
  useEffect(() => void find(filters), [linkOf(filters)]);
  const isLive = found.value.some(({ status }) => status === 'queued' || status === 'processing');
  const every = isLive ? LOOKS_AGAIN : isSearch(filters) ? undefined : LOOKS_FOR_NEW;
  useEffect(() => {
    const look = () =>
      void (document.visibilityState === 'visible' && refresh({ isLive, isHeld: isScrolled() }));
    const timer = every === undefined ? undefined : setInterval(look, every);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [isLive, every]);
  const takeIn = () => {
    toTop();
    void refresh({ isLive: true, isHeld: false });
  };
  /** Of a filter that the API does not take: said at its field alone. */
  const wrong =
    failure.value instanceof ApiFailure && ['label', 'owner'].includes(failure.value.field ?? '')
      ? failure.value
      : undefined;
  const onEnd = useCallback(() => void loadMore(), []);
  return (
    <>
      <Bar filters={filters} wrong={wrong} onRefresh={takeIn} />
      {waiting.value.length > 0 && (
        <div class="gallery-new">
          <Button kind="main" onClick={takeIn}>
            {words.came(waiting.value.length)}
          </Button>
        </div>
      )}
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
            : found.value.length > 0
              ? words.all(found.value.length)
              : Object.keys(queryOf(filters)).length > 0
                ? words.nothing
                : words.none}
      </p>
      {progress.value === 'failed' && !wrong && <Failed error={failure.value} again={tryAgain} />}
      {open !== undefined && open !== '' && (
        <Details
          id={open}
          hrefOf={(id) => linkOf(filters, id)}
          onClose={() => place.value.rest[0] === open && follow(linkOf(filters))}
        />
      )}
    </>
  );
}

interface BarProps {
  /** Of the address. */
  filters: Filters;
  wrong: ApiFailure | undefined;
  onRefresh: () => void;
}

function Bar({ filters, wrong, onRefresh }: BarProps) {
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
        <input
          ref={first}
          type="search"
          dir="auto"
          maxLength={LONGEST_SEARCH}
          value={wanted.search}
          onInput={set('search')}
        />
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
          {STATES.map((state) => (
            <option key={state} value={state}>
              {t().job.states[state]}
            </option>
          ))}
        </select>
      </label>
      <Typed
        label={words.label}
        value={wanted.label}
        placeholder="project:spring"
        error={wrong?.field === 'label' && (filters.label.includes(':') ? wrong.message : words.labelRule)}
        onInput={set('label')}
      />
      {may('admin') && key.value !== undefined && (
        <Typed
          label={words.owner}
          value={wanted.owner}
          placeholder={owner.value}
          error={wrong?.field === 'owner' && wrong.message}
          onInput={set('owner')}
        />
      )}
      <div class="row">
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
        <IconButton icon="again" label={words.refresh} onClick={onRefresh} />
      </div>
    </form>
  );
}

interface TypedProps {
  label: string;
  value: string;
  placeholder: string | undefined;
  /** What is wrong with it. */
  error: string | false;
  onInput: (event: { currentTarget: { value: string } }) => void;
}

function Typed({ label, error, ...field }: TypedProps) {
  const id = useId();
  return (
    <div class="gallery-typed">
      <label>
        <span>{label}</span>
        <input
          {...field}
          autocomplete="off"
          aria-describedby={error ? id : undefined}
          aria-invalid={error ? true : undefined}
        />
      </label>
      {error && (
        <p class="field-error" id={id} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
