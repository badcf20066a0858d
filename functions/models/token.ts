// The hub's token from an SSM parameter of type SecureString, so that it is on no command line and in no file.

import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { ModelsProblem } from './problem.ts';

/** The parameter of a deployment. */
export const hubTokenParameter = (name: string) => `/${name}/hub-token`;

/** @throws ModelsProblem */
export async function tokenFrom(ssm: SSMClient, name: string): Promise<string> {
  try {
    const { Parameter: found } = await ssm.send(
      new GetParameterCommand({ Name: name, WithDecryption: true }),
    );
    const token = found?.Value?.trim();
    if (token && /^[!-~]+$/.test(token)) return token;
  } catch (error) {
    if ((error as Error).name !== 'ParameterNotFound') throw error;
  }
  throw new ModelsProblem(
    `There is no SSM parameter ${name} with a token, which has no spaces and no letters beyond ASCII; make it: aws ssm put-parameter --type SecureString --name ${name} --value <token>`,
  );
}
