// Environments of programs for which there is no AWS.

/** Nobody is signed in, and no machine of EC2 is asked. */
export const LOST = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nowhere' };
/** As somebody whom a stand-in takes. */
export const SIGNED_IN = { ...LOST, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
/** Nothing listens there. */
export const UNREACHABLE = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
