// The webhook-secrets table: what an owner's webhooks are signed with. A secret is created at its first use, by whichever
// process comes first, and stored as it is, since a signature needs the secret itself.

import { absent, type Engine } from './engine.ts';
import { webhookSecretsTable } from './tables.ts';

export type WebhookSecrets = ReturnType<typeof createWebhookSecrets>;

/** As long as the signature's hash. */
const SECRET_BYTES = 32;

export function createWebhookSecrets(engine: Engine) {
  const table = engine.table(webhookSecretsTable);
  const stored = async (owner: string) => (await table.read<{ secret: string }>({ owner }))?.secret;

  return {
    /**
     * @param random returns so many random bytes, for an owner without a secret
     * @returns `whsec_` and base64, as Standard Webhooks has it
     */
    async of(owner: string, random: (bytes: number) => Uint8Array): Promise<string> {
      const known = await stored(owner);
      if (known !== undefined) return known;
      const secret = `whsec_${Buffer.from(random(SECRET_BYTES)).toString('base64')}`;
      if (await table.put({ owner, secret }, [absent('owner')])) return secret;
      // Another process was first, or the own write was made and its answer lost: the stored secret is the owner's.
      return (await stored(owner)) ?? secret;
    },
  };
}
