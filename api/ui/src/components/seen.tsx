// The columns every list of resources ends with.
import type { Seen } from '~/api/types';
import { t } from '~/text';
import { ProjectName } from './Links';
import { New } from './Marked';
import type { Column } from './table';
import { Tags } from './Tags';
import { When } from './When';

export function seenColumns<T extends Seen>(): Column<T>[] {
  return [
    { id: 'project', label: t.resource.project, width: 140, grow: 0.7, cell: (r) => <ProjectName id={r.projectId} /> },
    { id: 'tags', label: t.resource.tags, width: 110, grow: 0.6, cell: (r) => <><New since={r.firstSeen} /> <Tags tags={r.tags} /></> },
    { id: 'owner', sort: 'owner', label: t.marks.owner, width: 110, grow: 0.5, optional: true, cell: (r) => (r as { owner?: string }).owner ?? '' },
    { id: 'note', label: t.marks.note, width: 140, grow: 0.8, optional: true, cell: (r) => <span className="faint">{(r as { note?: string }).note}</span> },
    { id: 'firstSeen', sort: 'firstSeen', label: t.resource.firstSeen, width: 110, optional: true, cell: (r) => <When at={r.firstSeen} /> },
    { id: 'lastSeen', sort: 'lastSeen', label: t.resource.lastSeen, width: 110, narrow: 'second', cell: (r) => <When at={r.lastSeen} /> },
  ];
}
