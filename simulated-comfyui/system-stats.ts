// GET /system_stats: the shape of a real one, with values that are clearly simulated.
// Does not imitate a graphics card.
import { freemem, platform, totalmem } from 'node:os';
import type { Dialect } from './dialect.ts';

/** Sizes in bytes. */
export function systemStats({ version, newer }: Dialect): object {
  const total = totalmem();
  const free = freemem();
  return {
    system: {
      os: platform(),
      ram_total: total,
      ram_free: free,
      comfyui_version: `${version}.0-simulated`,
      required_frontend_version: 'simulated',
      installed_templates_version: 'simulated',
      required_templates_version: 'simulated',
      ...(newer && {
        comfy_package_versions: [{ name: 'simulated', installed: 'simulated', required: 'simulated' }],
      }),
      python_version: `none (simulated on Node ${process.version})`,
      pytorch_version: 'none (simulated)',
      embedded_python: false,
      ...(newer && { deploy_environment: 'simulated' }),
      argv: ['simulated-comfyui'],
    },
    devices: [
      {
        name: 'simulated',
        type: 'simulated',
        index: null,
        vram_total: total,
        vram_free: free,
        torch_vram_total: total,
        torch_vram_free: free,
      },
    ],
  };
}
