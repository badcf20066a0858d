// docs/templates.md, from what became of each template.

export type Row = { name: string } & (
  | { kind: 'accepted'; inputs: number }
  | { kind: 'refused'; reasons: string[]; needs: string | undefined }
  | { kind: 'newer'; lacks: string[]; needs: string | undefined }
  | { kind: 'partner'; partner: string }
);

export function pageOf(rows: readonly Row[], version: string): string {
  const of = <Kind extends Row['kind']>(kind: Kind) =>
    rows.filter((row): row is Row & { kind: Kind } => row.kind === kind);
  const [accepted, refused, newer, partner] = [of('accepted'), of('refused'), of('newer'), of('partner')];
  const core = accepted.length + refused.length;
  const partners = new Map<string, string[]>();
  for (const { name, partner: by } of partner) partners.set(by, [...(partners.get(by) ?? []), name]);
  return `# The official templates

ComfyUI offers ${rows.length} templates (comfyui-workflow-templates-json ${version} from PyPI). Each was converted to a graph with
proposed inputs, as \`POST /api/workflows/propose\` does it, and validated by a live ComfyUI 0.33.0 that did not run it:
**${accepted.length} of the ${core} that use nodes of this ComfyUI alone are accepted**, by its own validation and by this API's.
One of your own is made callable by \`npm run workflows -- add FILE\` ([workflows.md](workflows.md)). Written by \`npm run templates\` (test/templates/main.ts says what it needs); nothing here is written by hand.

| what became of it | templates |
|---|---|
| accepted | ${accepted.length} |
| converted, and refused by ComfyUI | ${refused.length} |
| needs nodes of a newer ComfyUI | ${newer.length} |
| calls a partner's API | ${partner.length} |

## Converted and refused

| template | why | made for |
|---|---|---|
${refused.map(({ name, reasons, needs }) => `| ${name} | ${reasons.slice(0, 3).map(cell).join('<br>')}${reasons.length > 3 ? `<br>and ${reasons.length - 3} more` : ''} | ${needs ?? ''} |`).join('\n')}

## Needs a newer ComfyUI

| template | node classes that 0.33.0 does not have | from |
|---|---|---|
${newer.map(({ name, lacks, needs }) => `| ${name} | ${lacks.join(', ')} | ${needs ?? ''} |`).join('\n')}

## Calls a partner's API

Their nodes send a prompt to a partner of ComfyUI for money. They are converted too, where a host has the nodes; the ComfyUI
that validated was started without them.

| partner | templates |
|---|---|
${[...partners]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([by, names]) => `| ${by} | ${names.join(', ')} |`)
  .join('\n')}

## Accepted

| template | proposed inputs |
|---|---|
${accepted.map(({ name, inputs }) => `| ${name} | ${inputs} |`).join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').slice(0, 200);
}
