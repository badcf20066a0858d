#!/usr/bin/env bash
# preact 11.2.0: a <select> whose value is given by the program, for a while one that none of its options has.
#
# A value from an address or an older release names a choice that is not offered any more; then the program sets another.
#
# Guess before running: after each render the select shows the option of the value that was rendered.
# Seen: a value without an option selects nothing, as the DOM has it. Then an option is chosen whose value is the empty string, as
# "any" of a filter often has: the select stays blank. Its `value` reads '' already while nothing is selected, and what is equal is
# not set. With any other value the option is shown; so it is when the options get the attribute `selected`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund preact@11.2.0 jsdom@26.1.0
cat >run.mjs <<'JS'
import { JSDOM } from 'jsdom';
const { window } = new JSDOM('<main></main>');
for (const name of ['document', 'Node', 'Element', 'SVGElement', 'Text']) globalThis[name] ??= window[name];
const { h, render } = await import('preact');
const main = document.querySelector('main');
const shown = () => {
  const { selectedIndex, options } = main.firstChild;
  return selectedIndex < 0 ? 'nothing' : options[selectedIndex].text;
};
const CHOICES = [['', 'any'], ['done', 'done'], ['failed', 'failed']];
const drawn = (value, marks = false) => {
  const options = CHOICES.map(([one, text]) =>
    h('option', { value: one, ...(marks && { selected: one === value }) }, text),
  );
  render(h('select', { value }, options), main);
  return shown();
};
const inOrder = (values, marks) => {
  render(null, main);
  return values.map((value) => `${value || "''"}: ${drawn(value, marks)}`).join(', ');
};
console.log(inOrder(['removed', 'done']));
console.log(inOrder(['done', '']));
console.log(inOrder(['removed', '']));
console.log('selected: ' + inOrder(['removed', ''], true));
JS
echo "preact 11.2.0, jsdom 26.1.0"
seen=$(node run.mjs)
echo "$seen"
[ "$seen" = "removed: nothing, done: done
done: done, '': any
removed: nothing, '': nothing
selected: removed: nothing, '': any" ] || { echo "changed"; exit 1; }
