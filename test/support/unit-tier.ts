// Holds unit tests to their word: one that starts a process, opens a port or calls somebody fails there, by name.

import childProcess, { ChildProcess } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import { Server, Socket } from 'node:net';

/** Refused from here on: by their prototypes, so that whatever imported them earlier is held to it too. */
function refuse(owner: object, name: string, what: string): void {
  Object.defineProperty(owner, name, {
    configurable: true,
    value: () => {
      throw new Error(
        `A unit test ${what}. Call the file *.test.ts, or *.system.test.ts if it needs more than Node`,
      );
    },
  });
}

refuse(Server.prototype, 'listen', 'opens a port');
refuse(DatagramSocket.prototype, 'bind', 'opens a port');
refuse(Socket.prototype, 'connect', 'calls somebody');
refuse(ChildProcess.prototype, 'spawn', 'starts a process');
for (const name of ['spawnSync', 'execSync', 'execFileSync']) refuse(childProcess, name, 'starts a process');
syncBuiltinESMExports();
