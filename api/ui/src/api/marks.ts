// What people decide about resources: tags, blocking, deleting, merging, notes.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { post } from './client';
import type { Schemas } from './types';

export type MarkInput = Schemas['MarkInput'];
type Marked = Schemas['Marked'];

/** what is decided, and about what: rows by their project, or everything a filter finds in one */
export type Decision = Omit<MarkInput, 'ids' | 'select'>;
export type Aim = { rows: { id: string; projectId: string }[] } | { select: string; project: string };

const piece = 10_000;

/** mark sends a decision for each project on its own, since nothing crosses projects. */
export async function mark(path: string, decision: Decision, aim: Aim): Promise<Marked> {
  if ('select' in aim) return post<Marked>(`/projects/${aim.project}${path}/marks`, { ...decision, select: { q: aim.select } });
  const sum: Marked = { marked: 0, visible: true };
  for (const [project, ids] of byProject(aim.rows)) {
    for (let i = 0; i < ids.length; i += piece) {
      const one = await post<Marked>(`/projects/${project}${path}/marks`, { ...decision, ids: ids.slice(i, i + piece) });
      sum.marked += one.marked;
      sum.visible &&= one.visible;
    }
  }
  return sum;
}

export function byProject(rows: { id: string; projectId: string }[]): Map<string, string[]> {
  const out = new Map<string, string[]>();
  for (const r of rows) out.set(r.projectId, [...(out.get(r.projectId) ?? []), r.id]);
  return out;
}

/** undoing is the decision that takes another back, where there is one. */
export function undoing(d: Decision): Decision | undefined {
  const inverse = { tag: 'untag', untag: 'tag', block: 'unblock', unblock: 'block', merge: 'unmerge' } as const;
  const action = inverse[d.action as keyof typeof inverse];
  if (!action) return undefined;
  return { action, tag: d.tag, cascade: d.cascade };
}

export function useMark(path: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ decision, aim }: { decision: Decision; aim: Aim }) => mark(path, decision, aim),
    // nobody waits for that: who deleted something leaves its page before it is asked for again
    onSettled: () => void client.invalidateQueries(),
  });
}
