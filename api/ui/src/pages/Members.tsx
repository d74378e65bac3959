import { ActionIcon, Button, Group, Select, Table } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useDo, useItems, type Group as GroupView, type Member, type UserDetail } from '~/api/access';
import { del, put } from '~/api/client';
import { useMay } from '~/api/may';
import { Panel } from '~/components/Panel';
import { FormError } from '~/components/States';
import { t } from '~/text';

const roles = ['viewer', 'editor', 'owner'] as const;
type Role = (typeof roles)[number];

/** Members is who has a role in a project. */
export function Members({ project }: { project: string }) {
  const path = `/projects/${project}/members`;
  const may = useMay();
  const update = may('manage:members:update', project);
  const members = useItems<Member>(path, may('manage:members:read', project));
  const give = useDo((m: { kind: string; id: string; role: Role }) => put(`${path}/${m.kind}/${m.id}`, { role: m.role }));
  const take = useDo((m: Member) => del(`${path}/${m.kind}/${m.id}`));
  if (members.error || !members.data) return null;
  return (
    <Panel title={t.members.title}>
      {members.data.length === 0 ? <p className="faint">{t.members.none}</p> : (
        <Table verticalSpacing={4} aria-label={t.members.title}>
          <Table.Tbody>
            {members.data.map((m) => (
              <Table.Tr key={`${m.kind}${m.id}`}>
                <Table.Td>{m.name} {m.kind === 'group' && <span className="faint">{t.members.group}</span>}</Table.Td>
                <Table.Td w={150}><Select size="xs" aria-label={t.members.role} allowDeselect={false} disabled={!update} data={roles.map((r) => ({ value: r, label: t.members.roles[r] }))} value={m.role} onChange={(r) => give.mutate({ ...m, role: r as Role })} /></Table.Td>
                <Table.Td w={40}>{update && <ActionIcon size="sm" aria-label={t.members.take(m.name)} onClick={() => take.mutate(m)}><IconX size={14} /></ActionIcon>}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {update && <Add taken={members.data} give={(kind, id) => give.mutate({ kind, id, role: 'viewer' })} />}
      <FormError error={give.error ?? take.error} />
    </Panel>
  );
}

function Add({ taken, give }: { taken: Member[]; give: (kind: string, id: string) => void }) {
  const may = useMay();
  const users = useItems<UserDetail>('/users', may('manage:users:read-all')).data ?? [];
  const groups = useItems<GroupView>('/groups', may('manage:groups:read')).data ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const free = (kind: string, id: string) => !taken.some((m) => m.kind === kind && m.id === id);
  const data = [
    { group: t.nouns.user.title, items: users.filter((u) => free('user', u.id)).map((u) => ({ value: `user/${u.id}`, label: u.email })) },
    { group: t.access.groups, items: groups.filter((g) => free('group', g.id)).map((g) => ({ value: `group/${g.id}`, label: g.name })) },
  ];
  const add = () => {
    const [kind = '', id = ''] = (chosen ?? '').split('/');
    give(kind, id);
    setChosen(null);
  };
  return (
    <Group gap="xs" mt="xs">
      <Select size="xs" flex={1} searchable aria-label={t.members.who} placeholder={t.members.who} data={data} value={chosen} onChange={setChosen} />
      <Button disabled={!chosen} onClick={add}>{t.members.add}</Button>
    </Group>
  );
}
