import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useSaveProject } from '~/api/queries';
import type { Project } from '~/api/types';
import { FormError } from '~/components/States';
import { lines } from '~/lib/lines';
import { t } from '~/text';

/** ProjectForm creates a project, or changes the one it is given. */
export function ProjectForm({ project, onSaved }: { project?: Project; onSaved: (p: Project) => void }) {
  const [name, setName] = useState(project?.name ?? '');
  const [notes, setNotes] = useState(project?.notes ?? '');
  const [internal, setInternal] = useState(project?.internal?.join('\n') ?? '');
  const [resolvers, setResolvers] = useState(project?.resolvers?.join('\n') ?? '');
  const [scopeIn, setScopeIn] = useState(project?.scope?.in?.join('\n') ?? '');
  const [scopeOut, setScopeOut] = useState(project?.scope?.out?.join('\n') ?? '');
  const save = useSaveProject(project?.id);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const input = { name: name.trim(), notes, internal: lines(internal), resolvers: lines(resolvers), scope: { in: lines(scopeIn), out: lines(scopeOut) } };
    save.mutate(project ? { ...input, version: project.version } : input, { onSuccess: onSaved });
  };
  const area = { autosize: true, minRows: 2, maxRows: 8, spellCheck: false, classNames: { input: 'mono' } };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput label={t.projects.name} required data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <Textarea label={t.projects.notes} autosize minRows={2} maxRows={8} value={notes} onChange={(e) => setNotes(e.currentTarget.value)} />
        <Textarea {...area} label={t.projects.scopeIn} description={t.projects.scopeInHint} placeholder="*.example.com" value={scopeIn} onChange={(e) => setScopeIn(e.currentTarget.value)} />
        <Textarea {...area} label={t.projects.scopeOut} description={t.projects.scopeOutHint} value={scopeOut} onChange={(e) => setScopeOut(e.currentTarget.value)} />
        <Textarea {...area} label={t.projects.internal} description={t.projects.internalHint} placeholder="10.20.0.0/16" value={internal} onChange={(e) => setInternal(e.currentTarget.value)} />
        <Textarea {...area} label={t.projects.resolvers} description={t.projects.resolversHint} placeholder="10.20.0.53:53" value={resolvers} onChange={(e) => setResolvers(e.currentTarget.value)} />
        <FormError error={save.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>{project ? t.actions.save : t.projects.create}</Button>
        </Group>
      </Stack>
    </form>
  );
}
