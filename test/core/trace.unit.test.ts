// Trace contexts by W3C's rules: what is read of a request, and what goes on with a webhook.

import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTrace, traceHeaders, traceIdOf } from '../../functions/core/trace.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const VALID = `00-${TRACE}-${PARENT}-01`;
const jobId = '550e8400-e29b-81d4-a716-446655440000';

describe('a traceparent', () => {
  test.each([
    ['as it is', VALID, VALID],
    ['not sampled', `00-${TRACE}-${PARENT}-00`, `00-${TRACE}-${PARENT}-00`],
    ['with a random trace id', `00-${TRACE}-${PARENT}-02`, `00-${TRACE}-${PARENT}-02`],
    ['with flags that nobody knows', `00-${TRACE}-${PARENT}-ff`, `00-${TRACE}-${PARENT}-03`],
    ['of a later version', `cc-${TRACE}-${PARENT}-01`, VALID],
    ['of a later version that has more', `cc-${TRACE}-${PARENT}-01-what-the-future`, VALID],
    ['of a later version that ends with a dash', `01-${TRACE}-${PARENT}-01-`, VALID],
  ])('%s goes on', (_, given, parent) => {
    expect(readTrace(given, undefined)).toEqual({ parent });
  });

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['version ff', `ff-${TRACE}-${PARENT}-01`],
    ['capitals in the trace id', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['capitals in the parent id', `00-${TRACE}-${PARENT.toUpperCase()}-01`],
    ['capitals in the version', `0A-${TRACE}-${PARENT}-01`],
    ['a short version', `0-${TRACE}-${PARENT}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['a long trace id', `00-${TRACE}0-${PARENT}-01`],
    ['a short parent id', `00-${TRACE}-${PARENT.slice(1)}-01`],
    ['short flags', `00-${TRACE}-${PARENT}-1`],
    ['no flags', `00-${TRACE}-${PARENT}`],
    ['what is no hex', `00-${TRACE.replace('4', 'g')}-${PARENT}-01`],
    ['more than version 00 has', `${VALID}-01`],
    ['a dash too many', `${VALID}-`],
    ['more of a later version without a dash', `cc-${TRACE}-${PARENT}-01.what`],
    ['two of them', `${VALID}, ${VALID}`],
    ['a line break', `${VALID}\n`],
  ])('with %s is none', (_, given) => {
    expect(readTrace(given, 'a=1')).toBeUndefined();
  });

  test('of any text is valid or none', () => {
    assert(
      property(string({ maxLength: 80 }), string({ maxLength: 600 }), (parent, state) => {
        const read = readTrace(parent, state);
        expect(read === undefined || read.parent.length === 55).toBe(true);
        expect((readTrace(VALID, state)?.state ?? '').length).toBeLessThanOrEqual(512);
      }),
    );
  });
});

describe('a tracestate', () => {
  const stateOf = (state: string) => readTrace(VALID, state)?.state;
  const many = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=1`).join(',');

  test.each([
    ['one', 'rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
    ['of two, in their order', 'rojo=1,congo=2', 'rojo=1,congo=2'],
    ['with blanks between', 'rojo=1 , \tcongo=2', 'rojo=1,congo=2'],
    ['with empty members', ',rojo=1,,congo=2,', 'rojo=1,congo=2'],
    ['of a tenant', 'tenant@system=1', 'tenant@system=1'],
    ['32 of them', many(32), many(32)],
  ])('%s goes on', (_, given, carried) => {
    expect(stateOf(given)).toBe(carried);
  });

  test.each([
    ['nothing', ''],
    ['no value', 'rojo'],
    ['an empty value', 'rojo='],
    ['an empty key', '=1'],
    ['a capital in its key', 'Rojo=1'],
    ['two equals signs', 'rojo=1=2'],
    ['the same key twice', 'rojo=1,rojo=2'],
    ['a value that is not ASCII', 'rojo=ä'],
    ['a key of 257 characters', `${'a'.repeat(257)}=1`],
    ['33 members', many(33)],
  ])('with %s is left out, and its traceparent goes on', (_, given) => {
    expect(readTrace(VALID, given)).toEqual({ parent: VALID });
  });

  test('of more than 512 characters loses long members first, then those at the end', () => {
    const long = `long=${'x'.repeat(200)}`;
    const short = Array.from({ length: 6 }, (_, index) => `s${index}=${'y'.repeat(95)}`);
    expect(stateOf([long, ...short].join(','))).toBe(short.slice(0, 5).join(','));
    expect(stateOf([long, 'a=1', `b=${'x'.repeat(240)}`, `c=${'x'.repeat(240)}`].join(','))).toBe('a=1');
  });
});

describe('a request for a job', () => {
  const random = Uint8Array.from({ length: 8 }, (_, index) => index + 1);

  test('has the trace that its caller began, under a parent id of its own', () => {
    const trace = { parent: `00-${TRACE}-${PARENT}-00`, state: 'rojo=1' };
    expect(traceHeaders({ jobId, trace }, random)).toEqual({
      traceparent: `00-${TRACE}-0102030405060708-00`,
      tracestate: 'rojo=1',
    });
  });

  test('has one of its own where its caller began none: by the job', () => {
    expect(traceIdOf({ jobId })).toBe('550e8400e29b81d4a716446655440000');
    expect(traceHeaders({ jobId }, random)).toEqual({
      traceparent: `00-${traceIdOf({ jobId })}-0102030405060708-01`,
    });
  });

  test('has no parent id of zeros', () => {
    const { traceparent } = traceHeaders({ jobId }, new Uint8Array(8));
    expect(readTrace(traceparent, undefined)).toBeDefined();
  });
});
