// What partner nodes authenticate with, in `extra_data`. It must never be stored, and a job that waits would have to keep it.

export const PARTNER_CREDENTIALS = ['api_key_comfy_org', 'auth_token_comfy_org'] as const;

/** The name of one that is given. An empty one is none: Dify's plugin always sends the field. */
export function partnerCredentialIn(extraData: object): string | undefined {
  const given = extraData as Record<string, unknown>;
  return PARTNER_CREDENTIALS.find(
    (name) => Object.hasOwn(given, name) && given[name] !== '' && given[name] !== null,
  );
}
