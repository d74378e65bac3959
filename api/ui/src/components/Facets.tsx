import { Loader, UnstyledButton } from '@mantine/core';
import { useFacets } from '~/api/search';
import { useProject } from '~/app/project';
import { hasTerm, term, toggleTerm } from '~/lib/filter';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './Facets.module.css';

interface Props {
  path: string;
  fields: FacetField[];
  q: string;
  onChange: (q: string) => void;
}

export interface FacetField {
  field: string;
  label: string;
}

/** Facets counts the values of a list and turns those that are clicked into terms of its filter. */
export function Facets({ path, fields, q, onChange }: Props) {
  const [project] = useProject();
  const facets = useFacets(path, fields.map((f) => f.field), q, project, true);
  return (
    <aside className={classes.facets} aria-label={t.list.facets}>
      {facets.data?.items.every((f) => f.values.length === 0) && <span className={classes.none}>{t.list.facetNone}</span>}
      {facets.isPending && <Loader size={14} aria-label={t.states.loading} />}
      {facets.data && fields.map(({ field, label }) => {
        const facet = facets.data.items.find((f) => f.field === field);
        if (!facet || facet.values.length === 0) return null;
        return (
          <section key={field} className={classes.facet}>
            <h2 className={classes.label}>{label}</h2>
            {facet.values.map((v) => {
              const own = term(field, v.value);
              const on = hasTerm(q, own);
              return (
                <UnstyledButton key={v.value} className={classes.value} aria-pressed={on} onClick={() => onChange(toggleTerm(q, own))}>
                  <span className={classes.text}>{v.value || '–'}</span>
                  <span className={classes.count}>{count(v.count)}</span>
                </UnstyledButton>
              );
            })}
            {facet.distinct > facet.values.length && <span className={classes.none}>{t.list.facetMore(count(facet.distinct - facet.values.length))}</span>}
          </section>
        );
      })}
    </aside>
  );
}
