// EC2's instance metadata, read for one thing: the notice of a spot interruption. Source: "Instance metadata" and "Spot
// Instance interruption notices" in the EC2 user guide.

export interface InstanceMetadata {
  /** The announced time (ISO 8601) of a spot interruption; undefined: none. @throws where nothing answers */
  interruption(): Promise<string | undefined>;
}

const TOKEN_SECONDS = 21_600;
const TIMEOUT = 2000;

/** @param origin of the metadata service; only IMDSv2, which requires a token, is used */
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
      const current = await token.catch((error: unknown) => {
        token = undefined;
        throw error;
      });
      const response = await fetch(`${origin}/latest/meta-data/spot/instance-action`, {
        headers: { 'X-aws-ec2-metadata-token': current },
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const text = await response.text();
      // Not a spot instance, or no interruption is announced.
      if (response.status === 404) return undefined;
      if (response.status === 401) token = undefined;
      if (!response.ok) throw new Error(`the instance metadata answered ${response.status}`);
      return String((JSON.parse(text) as { time?: string }).time);
    },
  };
}
