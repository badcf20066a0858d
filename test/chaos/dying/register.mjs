// Loaded before the product (node --import): it gets the lmdb beside this file.

import { register } from 'node:module';

register('./resolve.mjs', import.meta.url);
