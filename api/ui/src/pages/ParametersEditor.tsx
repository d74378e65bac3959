import { ActionIcon, Button, Checkbox, Select, Table, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { Parameter } from '~/api/types';
import { argumentOf, textOf } from '~/lib/arguments';
import { t } from '~/text';

interface Props {
  value: Parameter[];
  onChange: (parameters: Parameter[]) => void;
  readOnly: boolean;
}

const types = ['string', 'number', 'boolean', 'string[]', 'number[]'] as const;

/** ParametersEditor says what a job can be given. */
export function ParametersEditor({ value, onChange, readOnly }: Props) {
  const set = (i: number, part: Partial<Parameter>) => onChange(value.map((p, k) => (k === i ? { ...p, ...part } : p)));
  return (
    <>
      {value.length > 0 && (
        <div style={{ overflowX: 'auto' }}>
          <Table verticalSpacing={4} horizontalSpacing={6} aria-label={t.job.parameters} miw={680}>
            <Table.Thead>
              <Table.Tr>
                {[t.job.name, t.job.type, t.job.default, t.job.summary].map((l) => <Table.Th key={l}>{l}</Table.Th>)}
                <Table.Th>{t.job.required}</Table.Th><Table.Th>{t.job.secret}</Table.Th><Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {value.map((p, i) => (
                <Table.Tr key={i}>
                  <Table.Td><TextInput size="xs" aria-label={t.job.name} classNames={{ input: 'mono' }} readOnly={readOnly} value={p.name} onChange={(e) => set(i, { name: e.currentTarget.value })} /></Table.Td>
                  <Table.Td><Select size="xs" w={110} aria-label={t.job.type} allowDeselect={false} readOnly={readOnly} data={[...types]} value={p.type} onChange={(v) => set(i, { type: v as Parameter['type'], default: undefined })} /></Table.Td>
                  <Table.Td><TextInput size="xs" aria-label={t.job.default} classNames={{ input: 'mono' }} readOnly={readOnly} defaultValue={textOf(p.default)} onBlur={(e) => set(i, { default: argumentOf(p, e.currentTarget.value)?.value })} /></Table.Td>
                  <Table.Td><TextInput size="xs" aria-label={t.job.summary} readOnly={readOnly} value={p.summary ?? ''} onChange={(e) => set(i, { summary: e.currentTarget.value })} /></Table.Td>
                  <Table.Td><Checkbox size="xs" aria-label={t.job.required} disabled={readOnly} checked={p.required ?? false} onChange={(e) => set(i, { required: e.currentTarget.checked })} /></Table.Td>
                  <Table.Td><Checkbox size="xs" aria-label={t.job.secret} disabled={readOnly} checked={p.secret ?? false} onChange={(e) => set(i, { secret: e.currentTarget.checked })} /></Table.Td>
                  <Table.Td>{!readOnly && <ActionIcon size="sm" aria-label={t.job.removeParameter(p.name)} onClick={() => onChange(value.filter((_, k) => k !== i))}><IconX size={14} /></ActionIcon>}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {value.length === 0 && readOnly && <span className="faint">{t.launch.none}</span>}
      {!readOnly && <Button mt={value.length > 0 ? 'xs' : 0} variant="default" size="compact-sm" leftSection={<IconPlus size={13} />} onClick={() => onChange([...value, { name: '', type: 'string' }])}>{t.job.addParameter}</Button>}
    </>
  );
}
