import { Link } from 'react-router';
import { useFacets } from '~/api/search';
import { useProject } from '~/app/project';
import { Panel } from '~/components/Panel';
import { term } from '~/lib/filter';
import { count } from '~/lib/number';
import classes from './Top.module.css';

/** Top is the most frequent values of something, each leading to what has it. */
export function Top({ path, field, title }: { path: string; field: string; title: string }) {
  const [project] = useProject();
  const facet = useFacets(path, [field], '', project, true).data?.items[0];
  if (!facet || facet.values.length === 0) return null;
  const most = Math.max(...facet.values.map((v) => v.count));
  const search = (value: string) => `?${new URLSearchParams({ q: term(field, value), ...(project ? { project } : {}) })}`;
  return (
    <Panel title={title} note={count(facet.distinct)}>
      <ul className={classes.list}>
        {facet.values.slice(0, 6).map((v) => (
          <li key={v.value} className={classes.row}>
            <Link className={`link ${classes.name}`} to={{ pathname: path, search: search(v.value) }}>{v.value || '–'}</Link>
            <span className={classes.room} aria-hidden><span style={{ width: `${(v.count / most) * 100}%` }} /></span>
            <span className={`faint num ${classes.count}`}>{count(v.count)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
