// The resources that findings are about.
import { parseKey, pathOf } from './key';

export interface About {
  /** the list the resources are in */
  path: string;
  rows: { id: string; projectId: string; label: string }[];
}

/** about lists the resources that findings are about, each once, by the list they are in. */
export function about(keys: string[]): About[] {
  const out = new Map<string, About>();
  for (const key of new Set(keys)) {
    const { kind, projectId, label } = parseKey(key);
    if (kind === 'project') continue;
    const [, list = '', id = ''] = pathOf(key).split('/');
    const one = out.get(list) ?? { path: `/${list}`, rows: [] };
    one.rows.push({ id, projectId, label });
    out.set(list, one);
  }
  return [...out.values()];
}
