// A number as a person types it. `1,000` and `1.000` are a thousand to some and one to others: what could be either is refused, and
// is not guessed. Pure.

/** `grouped`: with separators of thousands, or what may be some. */
export type TypedNumber = number | 'none' | 'grouped';

export interface Reading {
  /** Of the page's language. */
  decimal: '.' | ',';
  isWhole: boolean;
  /** Whether a value is one that the field may have. */
  fits?: (value: number) => boolean;
}

const PLAIN = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const GROUPED = /^[-+]?\d{1,3}([.,'’ \u00a0\u202f]\d{3})+([.,]\d*)?$/;
const THOUSAND = /^[-+]?[1-9]\d{0,2}([.,])\d{3}$/;

export function typedNumber(typed: string, { decimal, isWhole, fits = () => true }: Reading): TypedNumber {
  const text = typed.trim();
  const plain = text.replace(',', '.');
  if (!PLAIN.test(plain)) return GROUPED.test(text) ? 'grouped' : 'none';
  const separator = THOUSAND.exec(text)?.[1];
  if (separator === undefined) return Number(plain);
  // A fraction ends with no zero: few write one so, and programs, this page too, never.
  if (isWhole || text.endsWith('0')) return 'grouped';
  if (separator === decimal) return Number(plain);
  // This page writes fractions with a point in every language.
  return separator === '.' && !fits(Number(text.replace('.', ''))) ? Number(plain) : 'grouped';
}
