// Changing a filter by its text: the server reads filters, this only adds and
// removes terms it wrote itself.

/** quoted writes a value so that a filter takes it as it is. */
export function quoted(value: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(value)) return value;
  return `"${value.replace(/["\\*]/g, (c) => `\\${c}`)}"`;
}

export const term = (name: string, value: string) => `${name}:${quoted(value)}`;

/** tokens are the parts between blanks outside of quotes and parentheses. */
export function tokens(q: string): string[] {
  return q.match(/(?:[^\s"(]|"(?:[^"\\]|\\.)*"|\((?:[^()"]|"(?:[^"\\]|\\.)*")*\))+/g) ?? [];
}

export const hasTerm = (q: string, t: string) => tokens(q).includes(t);

/** toggleTerm takes a term out, or puts it at the end. */
export function toggleTerm(q: string, t: string): string {
  const parts = tokens(q);
  return (parts.includes(t) ? parts.filter((p) => p !== t) : [...parts, t]).join(' ');
}

/** setTerm leaves one term of a name, or none for no value. */
export function setTerm(q: string, name: string, value: string): string {
  const rest = tokens(q).filter((p) => !p.startsWith(`${name}:`));
  return [...rest, ...(value ? [term(name, value)] : [])].join(' ');
}

/** valueOf is the value of the only plain term of a name. */
export function valueOf(q: string, name: string): string {
  const found = tokens(q).filter((p) => p.startsWith(`${name}:`));
  return found.length === 1 ? (found[0] ?? '').slice(name.length + 1).replace(/^"(.*)"$/, '$1') : '';
}

/** unit turns a position in characters, as the server counts, into one in JavaScript's units. */
export const unit = (text: string, characters: number) => [...text].slice(0, characters).join('').length;

/** character is the other way around. */
export const character = (text: string, units: number) => [...text.slice(0, units)].length;

/** grown is the span of a completion that was asked for an earlier text: letters typed since belong to the word it replaces. */
export function grown<C extends { from: number; to: number }>(c: C, was: string, is: string): C | undefined {
  if (was === is) return c;
  const end = unit(was, c.to);
  const more = is.slice(end, is.length - (was.length - end));
  const same = is.length > was.length && is.startsWith(was.slice(0, end)) && is.endsWith(was.slice(end));
  return same && !/\s/.test(more) ? { ...c, to: c.to + [...more].length } : undefined;
}
