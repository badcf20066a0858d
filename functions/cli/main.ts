#!/usr/bin/env node
// `comfyui-rest-api`, the command of the installed package: imports the program that the first word names. Settings come
// from the environment, as for `npm start`. Exit code 1 with one sentence for an unknown word.

import { packageVersion } from '../runtime/package.ts';

const HELP = `comfyui-rest-api [start|generate|workflows|keys|mcp] [...]

  start                  the REST API before a ComfyUI, until Ctrl-C; also without a word
  generate "a red fox"   one image from the terminal, by the API that runs here or by one of its own
  workflows add|list|... the workflows, and new ones from the files that ComfyUI saves
  keys create|list|...   who may call the API, where API_KEYS=required
  mcp                    MCP by stdio, for clients that start a program

  Each explains itself with --help, but for start, which takes no flags. Its settings are environment variables, above
  all these; README.md beside this program links to all of them:

  COMFYUI_HOST, COMFYUI_PORT   the ComfyUI; else whatever answers at 127.0.0.1:8188, else a simulated one that says so
  API_HOST, API_PORT           where it listens: 127.0.0.1, 5000
  WORKSPACE_PATH               jobs and images: .workspace in the current folder
  WORKFLOWS_PATH               a folder of templates; else those of the package

  --help, -h             this
  --version, -v          ${packageVersion()}
`;

const [word = 'start'] = process.argv.slice(2);
// Each program reads its flags from the same index.
process.argv.splice(2, 1);
switch (word) {
  case 'start':
    if (process.argv.length > 2)
      refuse(
        `start takes no "${process.argv[2]}": its settings are environment variables; --help names them`,
      );
    await import('../local/main.ts');
    break;
  case 'generate':
    await import('./generate.ts');
    break;
  case 'workflows':
    await import('./workflows.ts');
    break;
  case 'keys':
    await import('./keys.ts');
    break;
  case 'mcp':
    await import('./mcp.ts');
    break;
  case '--help':
  case '-h':
    process.stdout.write(HELP);
    break;
  case '--version':
  case '-v':
    process.stdout.write(`${packageVersion()}\n`);
    break;
  default:
    refuse(
      `There is no command "${word}"; comfyui-rest-api takes start, generate, workflows, keys or mcp (--help explains them)`,
    );
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
