import '@mantine/spotlight/styles.layer.css';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight, type SpotlightActionData, type SpotlightActionGroupData } from '@mantine/spotlight';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { get } from '~/api/client';
import { useProjects } from '~/api/queries';
import type { Domain, Host, Page, Website } from '~/api/types';
import { t } from '~/text';
import { sections } from './nav';
import { useProject } from './project';

/** Palette goes anywhere: pages, projects, and resources found by name. */
export default function Palette({ wanted }: { wanted: number }) {
  const [text, setText] = useState('');
  useEffect(() => spotlight.open(), [wanted]);
  const [settled] = useDebouncedValue(text.trim(), 200);
  const navigate = useNavigate();
  const [, setProject] = useProject();
  const projects = useProjects().data ?? [];
  const found = useFound(settled);
  const go = (to: string) => () => void navigate(to);
  const groups: SpotlightActionGroupData[] = [
    {
      group: t.palette.pages,
      actions: sections.flatMap((s) => s.entries).map((e) => ({
        id: e.to, label: e.label, leftSection: <e.icon size={17} stroke={1.6} />, onClick: go(e.to),
      })),
    },
    {
      group: t.palette.projects,
      actions: projects.slice(0, 200).map((p) => ({
        id: p.id, label: p.name, description: t.palette.limit, onClick: () => setProject(p.id),
      })),
    },
    {
      group: t.palette.resources,
      actions: found.map(({ path, id, label }) => ({ id, label, keywords: settled, onClick: go(`${path}/${id}`) })),
    },
  ];
  return (
    <Spotlight
      shortcut={['mod + K']}
      query={text}
      onQueryChange={setText}
      actions={groups.filter((g) => g.actions.length > 0)}
      filter={matching}
      nothingFound={t.states.nothing}
      scrollable
      maxHeight={420}
      searchProps={{
        leftSection: <IconSearch size={17} />, placeholder: t.palette.placeholder, 'aria-label': t.palette.placeholder,
      }}
    />
  );
}

/** matching keeps what holds the text; what the server found always matches. */
function matching(query: string, actions: (SpotlightActionData | SpotlightActionGroupData)[]) {
  const q = query.trim().toLowerCase();
  return actions
    .map((a) =>
      'actions' in a
        ? { ...a, actions: a.actions.filter((x) => x.keywords === query.trim() || x.label?.toLowerCase().includes(q)).slice(0, 12) }
        : a,
    )
    .filter((a) => !('actions' in a) || a.actions.length > 0);
}

interface Found {
  path: string;
  id: string;
  label: string;
}

function useFound(q: string): Found[] {
  const [project] = useProject();
  const search = useQuery({
    queryKey: ['palette', q, project],
    queryFn: async ({ signal }) => {
      const of = <T,>(path: string) => get<Page<T>>(path, { q, project, limit: 5 }, signal).then((p) => p.items);
      const [domains, hosts, websites] = await Promise.all([of<Domain>('/domains'), of<Host>('/hosts'), of<Website>('/websites')]);
      return [
        ...domains.map((d) => ({ path: '/domains', id: d.id, label: d.name })),
        ...hosts.map((h) => ({ path: '/hosts', id: h.id, label: h.ip })),
        ...websites.map((w) => ({ path: '/websites', id: w.id, label: w.url })),
      ];
    },
    enabled: q.length > 1,
    placeholderData: keepPreviousData,
  });
  return q.length > 1 ? (search.data ?? []) : [];
}
