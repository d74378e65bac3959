// Names of resources as links to their pages.
import { Link } from 'react-router';
import { useProjects } from '~/api/queries';
import { parseKey, pathOf } from '~/lib/key';
import { t } from '~/text';
import classes from './Links.module.css';

/** KeyLink names the resource of a correlation key. */
export function KeyLink({ of, label }: { of: string; label?: string }) {
  return <Link className="link mono" to={pathOf(of)}>{label ?? parseKey(of).label}</Link>;
}

/** Several shows the first links in a row, and how many more there are. */
export function Several({ keys, show = 3 }: { keys: string[]; show?: number }) {
  if (keys.length === 0) return <span className="faint">–</span>;
  return (
    <span className={classes.several}>
      {keys.slice(0, show).map((k) => <KeyLink key={k} of={k} />)}
      {keys.length > show && <span className="faint">{t.list.more(keys.length - show)}</span>}
    </span>
  );
}

export function ProjectName({ id }: { id: string }) {
  const name = useProjects().data?.find((p) => p.id === id)?.name;
  return <Link className="link" to={`/projects/${id}`}>{name ?? t.projects.unknown}</Link>;
}
