import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { useCounts, useProjects } from '~/api/queries';
import type { Project } from '~/api/types';
import { useProject } from '~/app/project';
import { PageHead } from '~/components/PageHead';
import { Empty, Loading, Problem } from '~/components/States';
import { count } from '~/lib/number';
import { t } from '~/text';
import { AddTargets } from './AddTargets';
import { CreateProject } from './CreateProject';
import classes from './Projects.module.css';

export default function Projects() {
  const projects = useProjects();
  return (
    <>
      <PageHead title={t.projects.title} note={projects.data && count(projects.data.length)}>
        <CreateProject />
      </PageHead>
      {projects.isPending ? <Loading /> : projects.error ? (
        <Problem error={projects.error} retry={() => void projects.refetch()} />
      ) : projects.data.length === 0 ? (
        <Empty title={t.projects.empty} next={<CreateProject label={t.projects.createFirst} />}>{t.dashboard.welcomeText}</Empty>
      ) : (
        <ul className={classes.tiles}>
          {projects.data.map((p) => <Tile key={p.id} project={p} />)}
        </ul>
      )}
    </>
  );
}

function Tile({ project: p }: { project: Project }) {
  const [, focus] = useProject();
  const counts = useCounts(p.id).data;
  const numbers = counts && ([
    ['/domains', t.nouns.domain.many, counts.domains],
    ['/hosts', t.nouns.host.many, counts.hosts],
    ['/ports', t.nouns.port.many, counts.ports],
    ['/websites', t.nouns.website.many, counts.websites],
  ] as const);
  return (
    <li className={classes.tile}>
      <Link to={`/projects/${p.id}`} className={`link ${classes.name}`}>{p.name}</Link>
      {p.notes && <p className={classes.notes}>{p.notes}</p>}
      <div className={classes.numbers}>
        {numbers?.map(([to, label, n]) => (
          <Link key={to} to={`${to}?project=${p.id}`} className={classes.number}><b className="num">{count(n)}</b> {label}</Link>
        ))}
      </div>
      <div className={classes.actions}>
        <AddTargets project={p.id} />
        <Button variant="default" onClick={() => focus(p.id)}>{t.projects.focusShort}</Button>
      </div>
    </li>
  );
}
