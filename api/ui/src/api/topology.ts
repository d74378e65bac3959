import { useQuery } from '@tanstack/react-query';
import { parseKey } from '~/lib/key';
import { surroundings, type Ask, type Row } from '~/lib/surroundings';
import { get } from './client';
import type { Page } from './types';

const size = 1000;

/** useSurroundings walks from a resource through the lists of its project. */
export function useSurroundings(root: string, depth: number) {
  const project = parseKey(root).projectId;
  return useQuery({
    queryKey: ['surroundings', root, depth],
    queryFn: ({ signal }) => surroundings(root, depth, asking(project, signal)),
    staleTime: 60_000,
    retry: false,
  });
}

function asking(project: string, signal: AbortSignal): Ask {
  return async (path, q, most) => {
    const items: Row[] = [];
    let cursor: string | undefined;
    let total = 0;
    do {
      const page: Page<Row> = await get<Page<Row>>(path, { project, q, limit: Math.min(size, most - items.length), cursor }, signal);
      items.push(...page.items);
      total = page.total;
      cursor = page.next;
    } while (cursor && items.length < most);
    return { items, total };
  };
}
