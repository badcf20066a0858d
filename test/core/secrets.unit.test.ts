// Text that is printed repeats no secret, in whichever field a person typed it.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { drawKey } from '../../functions/core/access.ts';
import { isSecretLike, valueInWords, withoutSecrets } from '../../functions/core/secrets.ts';

const HUB_TOKEN = 'hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567';

describe('withoutSecrets', () => {
  test.each([
    [`GET /api/status/${drawKey(randomBytes).key}`, 'GET /api/status/ck_…'],
    [`parameter/${HUB_TOKEN} is denied`, 'parameter/hf_… is denied'],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_…'],
    ['http://ann:hunter2@mirror.example/x', 'http://…@mirror.example/x'],
    ['{"error":"a \\"http://ann:p%40ss@b.example\\""}', '{"error":"a \\"http://…@b.example\\""}'],
    [
      'https://b.example/x?X-Amz-Date=1&X-Amz-Signature=0af3&y',
      'https://b.example/x?X-Amz-Date=1&X-Amz-Signature=…&y',
    ],
    [
      'http://a:5000/signed/images/x.png?expires=1&signature=S5u-jI_t',
      'http://a:5000/signed/images/x.png?expires=1&signature=…',
    ],
    ['"Bearer hunter2hunter2" is an invalid header value', '"Bearer …" is an invalid header value'],
  ])('%s', (text, shown) => expect(withoutSecrets(text)).toBe(shown));

  test.each([
    'Basic authentication is asked for',
    'flux2_dev_fp8mixed.safetensors, hf_mirror_of_flux2.safetensors',
    'job 85eb68cf-2f6b-4a53-9f3e-4a3b1f0c8d11 of host 0f4cba1e7d',
    'http://127.0.0.1:8188/prompt, ann@example.com',
  ])('%s stays', (text) => expect(withoutSecrets(text)).toBe(text));
});

describe('a value that has the form of a secret', () => {
  test.each([
    HUB_TOKEN,
    `${HUB_TOKEN}\n`,
    drawKey(randomBytes).key,
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1',
  ])('%j', (value) => {
    expect(isSecretLike(value)).toBe(true);
    expect(valueInWords(value)).toBe(`it has ${value.length} characters`);
  });

  test.each(['/comfyui/hub-token', 'hub-token-of-2026', '85eb68cf-2f6b-4a53-9f3e-4a3b1f0c8d11', 'none', ''])(
    '%j has not',
    (value) => {
      expect(isSecretLike(value)).toBe(false);
      expect(valueInWords(value)).toBe(`it is "${value}"`);
    },
  );
});
