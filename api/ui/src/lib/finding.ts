import type { Field, Finding } from '~/api/types';

/** findingTitle is what people call a kind of finding: its name, or its key in words. */
export function findingTitle(f: Pick<Finding, 'name' | 'key'>): string {
  return f.name || f.key.replace(/Finding$/, '').replace(/([a-z0-9])([A-Z])/g, '$1 $2');
}

export const fieldText = (f: Field) => (f.type === 'image' ? '' : String(f.data ?? ''));

/** summary is the text fields in one line. */
export function summary(f: Finding): string {
  const fields = f.fields.filter((x) => x.type === 'text' && x.data !== undefined && x.data !== '');
  return [f.tag, ...fields.map((x) => `${x.label || x.key}: ${fieldText(x)}`)].filter(Boolean).join(' · ');
}

/** picture is the data URL of an image field, '' when it is not one a page may show. */
export function picture(f: Field): string {
  const data = typeof f.data === 'string' ? f.data : '';
  return f.type === 'image' && /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/.test(data) ? data : '';
}
