// Words in few signs, for names that stand in addresses and files: small letters without accents, digits and underscores. Pure.

/** Letters that do not come apart into a plain one and its accent, and those that German writes in two where it lacks them. */
const PLAIN: Record<string, string> = {
  ä: 'ae',
  ö: 'oe',
  ü: 'ue',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  å: 'a',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ł: 'l',
  þ: 'th',
};

/** `Größe (2)` → `groesse_2`. Empty where nothing of it can be written so. */
export function inAscii(words: string): string {
  return (
    words
      .toLowerCase()
      // Some systems write names of files with the accents apart.
      .normalize('NFC')
      .replaceAll(/./gsu, (letter) => PLAIN[letter] ?? letter)
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
  );
}

/** As long as one of a workflow may be. */
export const workflowNameIn = (words: string): string => inAscii(words).slice(0, 64).replace(/_+$/, '');

/** Of its file, without what says its kind: `My Workflow (2).json` → `my_workflow_2`. Empty as above. */
export const workflowNameOf = (filename: string): string => workflowNameIn(filename.replace(/\.[^.]*$/, ''));
