// The columns every list of resources ends with.
import type { Seen } from '~/api/types';
import { t } from '~/text';
import { ProjectName } from './Links';
import type { Column } from './table';
import { Tags } from './Tags';
import { When } from './When';

export function seenColumns<T extends Seen>(): Column<T>[] {
  return [
    { id: 'project', label: t.resource.project, width: 140, grow: 0.7, cell: (r) => <ProjectName id={r.projectId} /> },
    { id: 'tags', label: t.resource.tags, width: 110, grow: 0.6, cell: (r) => <Tags tags={r.tags} /> },
    { id: 'firstSeen', label: t.resource.firstSeen, width: 110, optional: true, cell: (r) => <When at={r.firstSeen} /> },
    { id: 'lastSeen', label: t.resource.lastSeen, width: 110, narrow: 'second', cell: (r) => <When at={r.lastSeen} /> },
  ];
}
