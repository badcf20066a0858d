// What EC2 tells an instance about itself. Source: "Instance metadata" and "Spot Instance interruption notices" in the
// EC2 user guide. Knows one question: is this machine about to be taken away?

export interface InstanceMetadata {
  /** The moment at which a spot machine goes; undefined while none is announced. @throws when nothing answers */
  interruption(): Promise<string | undefined>;
}

const TOKEN_SECONDS = 21_600;
const TIMEOUT = 2000;

/** @param origin where the metadata service answers; of IMDSv2, which wants a token first */
export function createInstanceMetadata(origin = 'http://169.254.169.254'): InstanceMetadata {
  let token: Promise<string> | undefined;

  async function freshToken(): Promise<string> {
    const response = await fetch(`${origin}/latest/api/token`, {
      method: 'PUT',
      headers: { 'X-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) },
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (!response.ok) throw new Error(`the instance metadata gave no token: ${response.status}`);
    return response.text();
  }

  return {
    async interruption() {
      token ??= freshToken();
      const held = await token.catch((error: unknown) => {
        token = undefined;
        throw error;
      });
      const response = await fetch(`${origin}/latest/meta-data/spot/instance-action`, {
        headers: { 'X-aws-ec2-metadata-token': held },
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const text = await response.text();
      // Not a spot machine, or one that may stay.
      if (response.status === 404) return undefined;
      if (response.status === 401) token = undefined;
      if (!response.ok) throw new Error(`the instance metadata answered ${response.status}`);
      return String((JSON.parse(text) as { time?: string }).time);
    },
  };
}
