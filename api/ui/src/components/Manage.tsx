import { Button, Menu } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '~/api/may';
import type { Seen } from '~/api/types';
import { t, type Noun } from '~/text';
import MarkDialog, { type Verb } from './MarkDialog';

interface Props {
  path: string;
  noun: Noun;
  of: Seen & { blocked: boolean; mergedInto?: string };
}

/** Manage is what can be decided about one resource. */
export function Manage({ path, noun, of: r }: Props) {
  const [verb, setVerb] = useState<Verb>();
  const may = useMay();
  const navigate = useNavigate();
  const kind = path.slice(1);
  const verbs: Verb[] = [r.blocked ? 'unblock' : 'block'];
  if (r.mergedInto) verbs.push('unmerge');
  const allowed = [
    ...(may(`resources:${kind}:update`, r.projectId) ? verbs : []),
    ...(may(`resources:${kind}:delete`, r.projectId) ? (['delete'] as const) : []),
  ];
  if (allowed.length === 0) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target><Button variant="default" rightSection={<IconChevronDown size={14} />}>{t.resource.manage}</Button></Menu.Target>
        <Menu.Dropdown>
          {allowed.map((v) => <Menu.Item key={v} c={v === 'delete' ? 'var(--bad)' : undefined} onClick={() => setVerb(v)}>{t.marks[v]}</Menu.Item>)}
        </Menu.Dropdown>
      </Menu>
      {verb && (
        <MarkDialog
          path={path} noun={noun} verb={verb} aim={{ rows: [r] }} rows={[r]} total={1}
          onClose={() => setVerb(undefined)}
          onDone={() => verb === 'delete' && void navigate(path)}
        />
      )}
    </>
  );
}
