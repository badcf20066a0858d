// Secrets in text that is printed: recognised by their form, because a person may type one into any field.

/** API keys, the hub's tokens, webhook secrets. */
const PREFIXED = String.raw`\b(?:ck_(?=[0-9a-f]{8,}_)|whsec_|hf_(?=[A-Za-z0-9]{30}))[A-Za-z0-9+/_=-]{16,}`;
/** A user and a password in an address, a link's signature, the value of an Authorization header. */
const IN_CONTEXT = String.raw`(?<=:\/\/)[^\s/@"\\]+(?=@)|(?<=(?:X-Amz-(?:Signature|Security-Token)|[?&]signature)=)[^\s&"\\]+|(?<=\b(?:Bearer|Basic) )(?=[a-z]*[A-Z0-9+/=_])[A-Za-z0-9+/._~=-]{8,}`;
const KNOWN = new RegExp(`${PREFIXED}|${IN_CONTEXT}`, 'g');
const WHOLE = new RegExp(`^${PREFIXED}$`);

/** A run of mixed characters, as drawn secrets are; ids here are lower case, paths begin with a slash or a dot. */
const OPAQUE = /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+_=-][A-Za-z0-9+/_=-]{19,}$/;

/** For sentences and log lines: what has the form of a secret is cut off. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(KNOWN, (found) => `${/^(ck|hf|whsec)_/.exec(found)?.[0] ?? ''}…`);
}

/** Whether a whole value has the form of a secret. */
export function isSecretLike(value: string): boolean {
  const text = value.trim();
  return OPAQUE.test(text) || WHOLE.test(text);
}

/** A refused value, as the end of a sentence. Any value may be an address: its user, password and query are cut off. */
export function valueInWords(value: string, secret = false): string {
  if ((secret && value !== '') || isSecretLike(value)) return `it has ${value.length} characters`;
  const cut = value.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@').replace(/\?.+$/s, '?…');
  return `it is "${withoutSecrets(cut)}"`;
}
