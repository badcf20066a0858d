// compose.yaml, as far as it can be held to its word without Docker: what is published, what is pinned, what each is
// told, and that nginx gets the file that is tested.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { localSettings } from '../../functions/config/local.ts';
import { blockBelow } from '../contract/guide.ts';
import { instructionsOf } from './dockerfile.ts';
import { BOX, commandIn, missing } from './nginx.ts';

interface Service {
  image: string;
  build?: { context: string; dockerfile: string; args?: Record<string, string> };
  restart?: string;
  read_only?: boolean;
  user?: string;
  command?: string[];
  ports?: string[];
  networks: string[];
  volumes: string[];
  environment: Record<string, string | number>;
  healthcheck?: object;
}
interface Compose {
  services: Record<'comfyui' | 'api' | 'nginx', Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, object>;
}

function parsed(yaml: string): unknown {
  const json = execFileSync(
    'python3',
    ['-c', 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'],
    {
      input: yaml,
    },
  );
  return JSON.parse(json.toString());
}

/** `${NAME:-default}` and `${NAME:+where it is set}`, as compose fills them in. */
const filledIn = (value: string | number, env: Record<string, string> = {}): string =>
  String(value).replaceAll(/\$\{(\w+):([-+])([^}]*)\}/g, (_, name: string, sign: string, text: string) => {
    const given = env[name] ?? '';
    if (sign === '+') return given === '' ? '' : text;
    return given === '' ? text : given;
  });

const noYaml = missing(['python3', '-c', 'import yaml']);
describe.skipIf(noYaml)(`compose.yaml ${noYaml ?? ''}`, () => {
  let compose: Compose;
  let services: [string, Service][];
  beforeAll(async () => {
    compose = parsed(await readFile(join(BOX, 'compose.yaml'), 'utf8')) as Compose;
    services = Object.entries(compose.services);
  });

  test('every service restarts, is pinned, says how it is, and writes to nothing but its volumes', () => {
    expect(services.map(([name]) => name)).toEqual(['comfyui', 'api', 'nginx']);
    for (const [, service] of services) {
      expect(service).toMatchObject({ restart: 'unless-stopped', read_only: true });
      expect(service.healthcheck).toBeDefined();
      expect(service.image).toMatch(/:\d+\.\d+\.\d+(-\w+)?$/);
    }
  });

  test('only nginx is published, to this machine alone', () => {
    expect(services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual(['nginx']);
    const { ports, environment } = compose.services.nginx;
    expect(ports!.map((port) => filledIn(port))).toEqual([
      `127.0.0.1:5000:${environment['NGINX_LISTEN']}`,
      `127.0.0.1:8288:${environment['NGINX_LISTEN_WIRE']}`,
    ]);
    expect(environment['NGINX_WIRE']).toBe(`api:${compose.services.api.environment['COMFYUI_API_PORT']}`);
    // ComfyUI and the API are on no network that leads anywhere.
    for (const name of ['comfyui', 'api'] as const)
      expect(compose.services[name].networks.map((one) => compose.networks[one]!.internal)).toEqual([true]);
  });

  test('the API is told what it knows, and what the guide says', () => {
    const { environment } = compose.services.api;
    const set = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        filledIn(value, {
          PUBLIC_URL: 'https://box.example',
          ALLOWED_ORIGINS: 'https://shop.example',
          IMAGES_PER_DAY: '5',
          USD_PER_MONTH: '5',
          OWNER_UPLOAD_MB: '5',
        }),
      ]),
    );
    // A folder that it looks into.
    set['COMFYUI_API_PAGE'] = 'node_modules/swagger-ui-dist';
    // A name that no schema has would be left out.
    expect(Object.keys(localSettings(set))).toEqual(expect.arrayContaining(Object.keys(set)));
    const guide = parsed(blockBelow('Docker Compose Setup', 'yaml')) as {
      services: Record<string, { environment: Record<string, string | number> }>;
    };
    expect(environment).toMatchObject(guide.services['rest-api']!.environment);
    const others = blockBelow('Environment Variables', 'bash').matchAll(/^(WORKSPACE_PATH|DEBUG)=(\S+)/gm);
    expect([...others].map(([, name, value]) => set[name!] === value)).toEqual([true, true]);
  });

  test('ComfyUI’s page is served where its folder is named, and nothing is asked for where it is not', () => {
    const { environment, volumes } = compose.services.api;
    const [volume] = volumes.filter((one) => one.endsWith(':/page:ro'));
    const page = environment['COMFYUI_API_PAGE']!;
    const named = { COMFYUI_PAGE: '/home/me/static' };
    expect([filledIn(volume!, named), filledIn(page, named)]).toEqual(['/home/me/static:/page:ro', '/page']);
    expect(filledIn(page)).toBe('');
    // Docker would make a folder that there is not, as root.
    expect(existsSync(join(BOX, filledIn(volume!).split(':')[0]!, '.gitignore'))).toBe(true);
    expect(
      localSettings({ COMFYUI_API_PORT: '8288', COMFYUI_API_PAGE: '' }).COMFYUI_API_PAGE,
    ).toBeUndefined();
  });

  test('nginx gets the very file that is tested, all that it lacks, and the command that is tested', async () => {
    const { environment, volumes, command } = compose.services.nginx;
    const mounted = volumes.map((volume) => volume.split(':') as [string, string]);
    const [from, to] = mounted.find(([, path]) => path.endsWith('.template'))!;
    expect(join(BOX, from)).toBe(join(BOX, 'nginx.conf.template'));
    expect(to).toBe('/etc/nginx/templates/nginx.conf.template');
    expect(command).toEqual(commandIn(String(environment['NGINX_ENVSUBST_OUTPUT_DIR'])));
    const text = await readFile(join(BOX, from), 'utf8');
    const wanted = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => name!);
    expect(wanted.length).toBeGreaterThan(0);
    const filter = new RegExp(String(environment['NGINX_ENVSUBST_FILTER']));
    for (const name of wanted) {
      expect(environment).toHaveProperty(name);
      expect(name).toMatch(filter);
    }
  });

  test('named volumes hold what must last; each is used and declared', () => {
    const used = services.flatMap(([, { volumes }]) =>
      volumes.map((volume) => filledIn(volume).split(':')[0]!),
    );
    const named = used.filter((name) => !/^[./]/.test(name));
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
    for (const path of used.filter((name) => name.startsWith('.')))
      expect(existsSync(join(BOX, path))).toBe(true);
  });

  test('the Dockerfiles are there, with the argument that they take', async () => {
    for (const [, { build }] of services) {
      if (build === undefined) continue;
      const lines = instructionsOf(await readFile(join(BOX, build.context, build.dockerfile), 'utf8'));
      const args = lines.filter(({ verb }) => verb === 'ARG').map(({ text }) => text);
      expect(Object.keys(build.args ?? {})).toEqual(args);
    }
    const { image, build } = compose.services.comfyui;
    expect(image.split(':')[1]).toBe(build!.args!['COMFYUI_VERSION']);
    // The one that GPU hosts get, and that docs/comfyui.md says was run.
    const { context } = JSON.parse(await readFile('cdk.json', 'utf8')) as {
      context: Record<string, unknown>;
    };
    expect(image.split(':')[1]).toBe(context['comfyuiVersion']);
    expect(await readFile('docs/comfyui.md', 'utf8')).toContain(`install ${image.split(':')[1]!}:`);
  });
});
