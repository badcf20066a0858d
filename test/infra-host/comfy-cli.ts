// A stand-in for comfy-cli as pip installs it: it takes exactly the flags that the real 1.23.0 was seen to take, and
// leaves behind what that leaves behind, with a few bytes in the place of ComfyUI and PyTorch.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PROGRAM = `import os, subprocess, sys
workspace = '/srv/comfyui/app'
wanted = ['--skip-prompt', '--workspace', workspace, 'install', '--nvidia', '--cuda-version', '13.0',
          '--version', '0.33.0', '--skip-manager']
def main():
    if sys.argv[1:] != wanted:
        sys.exit('comfy was called with ' + ' '.join(sys.argv[1:]))
    if 'torch==' not in open(os.environ['PIP_CONSTRAINT']).read():
        sys.exit('PyTorch is not pinned')
    os.makedirs(workspace + '/.git')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', workspace + '/.venv'], check=True)
    packages = subprocess.run([workspace + '/.venv/bin/python', '-c', 'import site; print(site.getsitepackages()[0])'],
                              check=True, capture_output=True, text=True).stdout.strip()
    with open(packages + '/torch.py', 'w') as file:
        file.write("class version:\\n    cuda = '13.0'\\n")
    with open(workspace + '/main.py', 'w') as file:
        file.write("import json, os, sys\\n"
                   "os.makedirs('/srv/comfyui/data/output/a-folder', exist_ok=True)\\n"
                   "open('/srv/comfyui/data/output/a-folder/image.png', 'w').close()\\n"
                   "json.dump(sys.argv[1:], open('/srv/comfyui/data/user/argv.json', 'w'))\\n")
`;

/** Into \`folder\`, under the name that pip looks for. */
export async function comfyCliWheel(folder: string): Promise<void> {
  const content = await mkdtemp(join(tmpdir(), 'wheel-'));
  const info = 'comfy_cli-1.23.0.dist-info';
  await mkdir(join(content, info));
  await writeFile(join(content, 'comfy_stand_in.py'), PROGRAM);
  const files: Record<string, string> = {
    METADATA: 'Metadata-Version: 2.1\nName: comfy-cli\nVersion: 1.23.0\n',
    WHEEL: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    'entry_points.txt': '[console_scripts]\ncomfy = comfy_stand_in:main\n',
    RECORD: 'comfy_stand_in.py,,\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(content, info, name), text);
  const wheel = join(folder, 'comfy_cli-1.23.0-py3-none-any.whl');
  await run('python3', ['-m', 'zipfile', '-c', wheel, 'comfy_stand_in.py', info], { cwd: content });
  await rm(content, { recursive: true });
}
