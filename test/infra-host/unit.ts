// What a systemd unit says about its programs: who runs them, with which environment, in which order.

export interface Unit {
  user: string;
  groups: string[];
  umask: string;
  directory: string;
  stateDirectory: string | undefined;
  environment: string[];
  /** Path, and whether it may be absent. */
  environmentFiles: [string, boolean][];
  /** ExecStartPre and ExecStart; what runs as root, and what may fail, is left out. */
  commands: string[];
}

export function readUnit(text: string): Unit {
  const entries = text.split('\n').flatMap((line) => {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, value ?? ''] as const];
  });
  const all = (key: string) => entries.flatMap(([name, value]) => (name === key ? [value] : []));
  return {
    user: all('User')[0] ?? 'root',
    groups: all('SupplementaryGroups').flatMap((groups) => groups.split(' ')),
    umask: all('UMask')[0] ?? '0022',
    directory: (all('WorkingDirectory')[0] ?? '/').replace(/^-/, ''),
    stateDirectory: all('StateDirectory')[0],
    environment: all('Environment').flatMap((line) => line.split(' ')),
    environmentFiles: all('EnvironmentFile').map((path) => [path.replace(/^-/, ''), path.startsWith('-')]),
    commands: [...all('ExecStartPre'), ...all('ExecStart')].filter((command) => !/^[-+]/.test(command)),
  };
}
