// Arguments of jobs as a person types them.
import type { Argument, Parameter } from '~/api/types';

/** textOf shows a value in a field: lists as items between commas. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}

/** argumentOf reads what was typed; an empty field leaves the argument out. What is no number stays text, for the server to say so. */
export function argumentOf(p: Pick<Parameter, 'name' | 'type'>, text: string): Argument | undefined {
  if (text.trim() === '') return undefined;
  const one = (s: string): string | number => (p.type.startsWith('number') && s !== '' && Number.isFinite(Number(s)) ? Number(s) : s);
  switch (p.type) {
    case 'boolean':
      return { name: p.name, value: text === 'true' };
    case 'number':
      return { name: p.name, value: one(text.trim()) };
    case 'string[]':
    case 'number[]':
      return { name: p.name, value: text.split(',').map((s) => one(s.trim())).filter((s) => s !== '') };
    default:
      return { name: p.name, value: text };
  }
}
