import { describe, expect, it } from 'vitest';
import type { Change } from '~/api/types';
import { byDay, tally, together } from './changes';
import { sift, treeOf, type Node } from './tree';

const names = (n: Node): unknown => (n.children.length > 0 ? [n.name, ...n.children.map(names)] : n.name);

it('puts paths into one another', () => {
  const tree = treeOf(['/b/c.html', '/a', '/b/', '/', '/b/d/e', '/a']);
  expect(names(tree)).toEqual(['/', 'a', ['b/', 'c.html', ['d/', 'e']]]);
  expect(tree.seen).toBe(true);
  expect(tree.children[1]?.children[1]?.seen).toBe(false);
  expect(tree.children[1]?.children[1]?.children[0]?.path).toBe('/b/d/e');
});

it('sifts', () => {
  const tree = treeOf(['/admin/login', '/about']);
  expect(names(sift(tree, 'LOGIN')!)).toEqual(['/', ['admin/', 'login']]);
  expect(sift(tree, 'nothing')).toBeUndefined();
});

const change = (over: Partial<Change>): Change => ({
  at: '2026-01-02T03:04:05Z', projectId: 'p', resourceId: 'a', correlationKey: 'project:p;domain:a', kind: 'domain', what: 'opened', ...over,
});

describe('changes', () => {
  it('are grouped by day', () => {
    const days = byDay([change({ at: '2026-01-02T12:00:00Z' }), change({ at: '2026-01-02T11:00:00Z' }), change({ at: '2025-12-31T12:00:00Z' })]);
    expect(days.map(([, c]) => c.length)).toEqual([2, 1]);
  });
  it('of one look go together', () => {
    const events = together([change({ attribute: 'title' }), change({ attribute: 'server' }), change({ attribute: 'title', cause: 'x' }), change({ resourceId: 'b', cause: 'x' })]);
    expect(events.map((e) => e.rest.length)).toEqual([1, 0, 0]);
  });
  it('are counted by resource, and what is new does not count as changed', () => {
    const n = tally([
      change({}), change({ attribute: 'title', what: 'set' }),
      change({ resourceId: 'b', what: 'closed' }),
      change({ resourceId: 'c', attribute: 'title', what: 'changed' }), change({ resourceId: 'c', attribute: 'server', what: 'changed' }),
    ]);
    expect(n).toEqual({ came: 1, went: 1, changed: 1 });
  });
});
