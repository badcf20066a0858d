// `list_workflows`, and each workflow as a resource: what it takes, as JSON Schema with the choices of this moment.

import type { ReadResourceResult, Resource } from '@modelcontextprotocol/server';
import { describeTemplate } from '../../core/describe.ts';
import { choicesOf, invalid } from '../../core/inputs.ts';
import { stringifyJson } from '../../core/json.ts';
import type { Template } from '../../core/template.ts';
import { refuseOthers, textOf } from './arguments.ts';
import type { McpDeps } from './deps.ts';
import type { Tool } from './tool.ts';

const AT = 'comfyui://workflows/';
const JSON_TYPE = 'application/json';

export const listWorkflows: Tool = {
  name: 'list_workflows',
  title: 'The workflows',
  scope: 'read',
  annotations: { readOnlyHint: true, openWorldHint: false },
  describe: () => 'The workflows that generate takes, each with the JSON Schema of its inputs',
  inputs: { workflow: { type: 'string', description: 'This one alone' } },
  async call(deps, _, given) {
    refuseOthers(given, Object.keys(this.inputs));
    const { templates } = deps.workflows;
    const name = textOf(given, 'workflow');
    if (name !== undefined && !templates.has(name))
      throw invalid('workflow', `must be one of ${[...templates.keys()].join(', ')}`, 'unknown_workflow');
    const wanted = name === undefined ? [...templates.values()] : [templates.get(name)!];
    const workflows = await described(deps, wanted);
    return { content: [{ type: 'text', text: stringifyJson({ workflows }) }] };
  },
};

export function workflowResources({ workflows }: McpDeps): Resource[] {
  return [...workflows.templates.values()].map(({ name, title, description }) => ({
    uri: AT + encodeURIComponent(name),
    name,
    title,
    ...(description && { description }),
    mimeType: JSON_TYPE,
  }));
}

/** @throws ProtocolError */
export async function readWorkflow(deps: McpDeps, uri: string): Promise<ReadResourceResult> {
  const found = workflowResources(deps).find((resource) => resource.uri === uri);
  const template = found && deps.workflows.templates.get(found.name);
  if (!template)
    throw new deps.sdk.ProtocolError(
      deps.sdk.ProtocolErrorCode.InvalidParams,
      'There is no resource at this address; resources/list names them',
      { uri },
    );
  const [workflow] = await described(deps, [template]);
  return { contents: [{ uri, mimeType: JSON_TYPE, text: stringifyJson(workflow) }] };
}

async function described({ fleet }: McpDeps, templates: readonly Template[]) {
  const { nodes } = await fleet.inventory();
  return templates.map((template) => describeTemplate(template, (spec) => choicesOf(template, spec, nodes)));
}
