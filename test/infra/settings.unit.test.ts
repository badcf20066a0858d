// cdk.json's context as settings: what is taken, and the sentence for what is not.

import { describe, expect, test } from 'vitest';
import { readSettings, SettingError } from '../../infra/settings.ts';
import { defaults, settingsWith } from './synth.ts';

function sentence(changes: Record<string, unknown>): string {
  try {
    readSettings({ ...defaults(), ...changes });
  } catch (error) {
    if (error instanceof SettingError) return error.message;
    throw error;
  }
  throw new Error(`taken: ${JSON.stringify(changes)}`);
}

const CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-0123456789ab';

describe('a value that cannot be', () => {
  test.each<[string, unknown]>([
    ['name', 'ComfyUI!'],
    ['name', 'a-name-of-more-than-twenty-characters'],
    ['region', 'virginia'],
    ['zones', ['a']],
    ['zones', ['us-east-1a', 'us-east-1b']],
    ['zones', ['use1-bos1-az1']],
    ['forwarderZones', ['use1-az16']],
    ['instanceTypes', []],
    ['instanceTypes', ['t3.micro']],
    ['instanceTypes', ['g5g.2xlarge']],
    ['usdPerHour', '2.24'],
    ['usdPerHour', { 'g6e.2xlarge': 2.24 }],
    ['usdPerHour', { 'us-east-1': { 'g6e.2xlarge': -1 } }],
    ['spot', 'maybe'],
    ['spotStrategy', 'lowest-price'],
    ['maxHosts', -1],
    ['maxHosts', '1.5'],
    ['minHosts', -1],
    ['warm', 1],
    ['idleMinutes', 0],
    ['slots', 0],
    ['rootGb', 20],
    ['comfyuiVersion', 'latest'],
    ['amiParameter', 'ami-0123'],
    ['imageDays', 0],
    ['maxWaiting', 0],
    ['openConnections', -1],
    ['comfyuiApi', 'yes'],
    ['runpodOutput', 's3'],
    ['ratePerMinute', 0],
    ['ownerMaxWaiting', 5001],
    ['imagesPerDay', 1.5],
    ['usdPerMonth', -1],
    ['ownerUploadMb', 0.5],
    ['allowedOrigins', 'example.com'],
    ['domainName', 'https://images.example.com'],
    ['certificateArn', CERTIFICATE.replace('us-east-1', 'eu-central-1')],
    ['endpoint', 'nginx'],
    ['keyVersion', 0],
    ['previousKey', 'kept'],
    ['lambdaConcurrency', 9],
    ['apiReservedConcurrency', 0],
    ['logDays', 31],
    ['budgetUsd', 0],
    ['alarmMail', 'me'],
  ])('%s %j is refused by name, with what it must be', (name, value) => {
    const told = sentence({ [name]: value });
    expect(told).toMatch(new RegExp(`^${name} must be .+; it is .+\\.$`));
    expect(told).toContain(JSON.stringify(value));
  });

  test('every setting has such a sentence', () => {
    const names = Object.keys(settingsWith());
    for (const name of names) expect(sentence({ [name]: { no: 'sense' } })).toMatch(`${name} must be `);
    expect(names.length).toBeGreaterThan(20);
  });

  test('a setting that is missing is said to be', () => {
    expect(sentence({ maxHosts: undefined })).toMatch(/^maxHosts must .*; it is missing\.$/);
  });

  test('a key, given where accepted or refused is said, is not repeated', () => {
    const key = 'Hunter2hunter2hunter2hunter2hunter2hunter2hunter';
    expect(sentence({ previousKey: key })).toMatch(/^previousKey must be .+; it has 48 characters\.$/);
  });

  test('a name that is none is refused, with those that are', () => {
    expect(sentence({ maxHost: 3 })).toMatch(/^There is no setting "maxHost"; there are name, region/);
  });
});

describe('values that contradict each other', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ zones: ['euw1-az1', 'euw1-az2'] }, 'zones must lie in the region us-east-1; euw1-az1 does not.'],
    [{ zones: ['use1-az1'] }, 'zones must be two or more, so that a full zone is not the end; or [].'],
    [{ zones: ['use1-az1', 'use1-az1'] }, 'zones must name each zone once.'],
    [{ forwarderZones: ['use1-az1', 'use1-az3'] }, 'forwarderZones must have Lambda; use1-az3 has none.'],
    [{ minHosts: 3 }, 'minHosts must be at most maxHosts, which is 2.'],
    [{ warm: 'mon-fri 08:00-18:00 UTC=3' }, 'warm must ask for at most maxHosts, which is 2.'],
    [
      { warm: 'mon-fri 08:00-18:00 Europe/Berln=1' },
      'warm cannot be read: "mon-fri 08:00-18:00 Europe/Berln=1" has the time zone Europe/Berln, which is none; one is Europe/Berlin or UTC.',
    ],
    [
      { instanceTypes: ['g6.2xlarge'], usdPerMonth: 20 },
      'usdPerHour must have a price for g6.2xlarge in us-east-1, or the limit of usdPerMonth would not count its jobs.',
    ],
    [
      { region: 'eu-central-1', zones: [], usdPerMonth: 20 },
      'usdPerHour must have a price for g6e.2xlarge in eu-central-1, or the limit of usdPerMonth would not count its jobs.',
    ],
    [
      { domainName: 'images.example.com' },
      'certificateArn must be given for the domain name images.example.com',
    ],
    [{ certificateArn: CERTIFICATE }, 'domainName must be given with certificateArn.'],
    [
      { endpoint: 'function-url', domainName: 'images.example.com', certificateArn: CERTIFICATE },
      'domainName must be empty with endpoint function-url, ',
    ],
    [
      { apiReservedConcurrency: 1 },
      'apiReservedConcurrency must leave 100 of lambdaConcurrency, which is 10; leave it empty.',
    ],
    [
      { apiReservedConcurrency: 901, lambdaConcurrency: 1000 },
      'apiReservedConcurrency must leave 100 of lambdaConcurrency, which is 1000; it may be 900 at most.',
    ],
    [
      { endpoint: 'function-url', lambdaConcurrency: 1000 },
      'apiReservedConcurrency must be given with endpoint function-url and lambdaConcurrency 1000, such as 20: nothing else bounds what strangers can make the function cost.',
    ],
  ])('%j', (changes, told) => {
    expect(sentence(changes)).toContain(told);
  });
});

describe('values from the command line are text', () => {
  test('numbers, flags, lists and prices are read from it', () => {
    const settings = settingsWith({
      maxHosts: '4',
      spot: 'true',
      instanceTypes: 'g6e.2xlarge, g7e.2xlarge',
      zones: '["use1-az2","use1-az4"]',
      usdPerHour: '{"us-east-1": {"g6e.2xlarge": 1.5, "g7e.2xlarge": 2}}',
    });
    expect(settings).toMatchObject({
      maxHosts: 4,
      spot: true,
      instanceTypes: ['g6e.2xlarge', 'g7e.2xlarge'],
      zones: ['use1-az2', 'use1-az4'],
      usdPerHour: { 'us-east-1': { 'g6e.2xlarge': 1.5, 'g7e.2xlarge': 2 } },
    });
  });

  test('an empty one is an absent one', () => {
    const { domainName, certificateArn, apiReservedConcurrency, alarmMail } = settingsWith();
    expect([domainName, certificateArn, apiReservedConcurrency, alarmMail]).toEqual(Array(4).fill(undefined));
  });

  test("CDK's own context is not ours", () => {
    expect(() => settingsWith({ 'aws:cdk:bundling-stacks': [] } as object)).not.toThrow();
  });
});
