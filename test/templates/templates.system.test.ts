// ComfyUI's official templates, each of which becomes a pair of files that the API takes. What a live ComfyUI says to them is
// in docs/templates.md. Needs the package's folder `templates`:
//   pip download --no-deps comfyui-workflow-templates-json==0.1.123, unpacked; COMFYUI_TEMPLATES names it.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import recorded from '../../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import { faultsOf } from '../../functions/core/preflight/faults.ts';
import { parseTemplate } from '../../functions/core/template.ts';
import { proposalOf } from '../../functions/core/workflow-file/proposal.ts';

const folder = process.env['COMFYUI_TEMPLATES'] ?? '';

async function templates() {
  const files = (await readdir(folder)).filter(
    (file) => file.endsWith('.json') && !/^(index|fuse_options)/.test(file),
  );
  return Promise.all(
    files.map(async (file) => ({ file, proposal: proposalOf(await readFile(join(folder, file)), recorded) })),
  );
}

describe.skipIf(folder === '')(
  `the official templates${folder === '' ? ' (skipped: no COMFYUI_TEMPLATES)' : ''}`,
  () => {
    test('each is converted, whether its nodes are known or not', async () => {
      const all = await templates();
      expect(all.length).toBeGreaterThan(600);
      for (const { file, proposal } of all) {
        const { graph } = parseTemplate(file, proposal.graph, proposal.file);
        expect({ file, nodes: Object.keys(graph).length > 0 }).toEqual({ file, nodes: true });
      }
    });

    test('those of the recorded nodes have no fault', async () => {
      const known = (await templates()).filter(({ proposal }) =>
        Object.values(proposal.graph).every(({ class_type: classType }) =>
          Object.hasOwn(recorded, classType),
        ),
      );
      expect(known.map(({ file }) => file)).toContain('image_flux2_klein_image_edit_4b_base.json');
      for (const { file, proposal } of known) {
        const { graph, file: inputs, faults } = proposal;
        const ours = faultsOf({ graph, inputs: inputs.inputs }, recorded);
        expect({ file, faults, ours }).toEqual({ file, faults: [], ours: [] });
      }
    });
  },
);
