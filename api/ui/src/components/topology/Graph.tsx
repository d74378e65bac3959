import { ActionIcon, useComputedColorScheme } from '@mantine/core';
import { IconFocusCentered, IconMinus, IconPlus } from '@tabler/icons-react';
import cytoscape, { type Core, type ElementDefinition, type StylesheetJson } from 'cytoscape';
import { useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { useNavigate } from 'react-router';
import { pathOf } from '~/lib/key';
import { radial } from '~/lib/radial';
import { below, type Surroundings } from '~/lib/surroundings';
import { t } from '~/text';
import classes from './Topology.module.css';

interface Props {
  of: Surroundings;
  root: string;
  picked: string;
  pick: (key: string) => void;
}

/** Graph draws thousands of things on a canvas. It is large, and fetched when it is first looked at. */
export default function Graph({ of, root, picked, pick }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const graph = useRef<Core>(undefined);
  const scheme = useComputedColorScheme();
  const navigate = useNavigate();
  const latest = useRef(pick);
  latest.current = pick;
  const children = useMemo(() => below(of), [of]);
  useEffect(() => {
    if (!host.current) return;
    const many = of.things.size > 800;
    const cy = cytoscape({
      container: host.current, elements: elements(of), style: looks(host.current), layout: { name: 'preset', fit: true, padding: 40 },
      minZoom: 0.02, maxZoom: 3, boxSelectionEnabled: false, autoungrabify: true, autounselectify: true,
      textureOnViewport: many, hideEdgesOnViewport: many, pixelRatio: many ? 1 : 'auto',
    });
    if (cy.zoom() > 1.2) (cy.zoom(1.2), cy.center());
    cy.on('tap', 'node', (e) => latest.current((e.target as { id: () => string }).id()));
    graph.current = cy;
    host.current.dataset.things = String(cy.nodes().length);
    return () => cy.destroy();
  }, [of, scheme]);
  useEffect(() => {
    const cy = graph.current;
    if (!cy) return;
    cy.batch(() => {
      cy.elements('.picked, .near').removeClass('picked near');
      const one = cy.getElementById(picked);
      one.addClass('picked');
      one.connectedEdges().addClass('near');
    });
    keepInSight(cy, picked);
  }, [picked, of, scheme]);
  const zoom = (by: number) => {
    const cy = graph.current;
    cy?.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  };
  const fit = () => graph.current?.fit(undefined, 40);
  const onKeyDown = (e: KeyboardEvent) => {
    const parent = of.things.get(picked)?.parent;
    const siblings = (parent ? children.get(parent) : [of.things.get(root)!]) ?? [];
    const at = siblings.findIndex((x) => x.key === picked);
    const beside = (by: number) => siblings[(at + by + siblings.length) % siblings.length]?.key;
    const to: Record<string, () => string | undefined> = {
      ArrowRight: () => children.get(picked)?.[0]?.key, ArrowLeft: () => parent, ArrowDown: () => beside(1), ArrowUp: () => beside(-1), Home: () => root,
    };
    const other: Record<string, () => void> = { Enter: () => void navigate(pathOf(picked)), '+': () => zoom(1.3), '-': () => zoom(1 / 1.3), 0: fit };
    if (!to[e.key] && !other[e.key]) return;
    e.preventDefault();
    const next = to[e.key]?.();
    if (next) pick(next);
    other[e.key]?.();
  };
  return (
    <div className={classes.graph}>
      <div ref={host} className={classes.canvas} role="application" aria-label={t.topology.graphLabel(of.things.size)} aria-roledescription={t.topology.graph} tabIndex={0} onKeyDown={onKeyDown} />
      <div className={classes.tools}>
        <ActionIcon variant="default" aria-label={t.topology.closer} onClick={() => zoom(1.3)}><IconPlus size={15} /></ActionIcon>
        <ActionIcon variant="default" aria-label={t.topology.further} onClick={() => zoom(1 / 1.3)}><IconMinus size={15} /></ActionIcon>
        <ActionIcon variant="default" aria-label={t.topology.fit} onClick={fit}><IconFocusCentered size={15} /></ActionIcon>
      </div>
      <ul className={classes.legend} aria-label={t.topology.kinds}>
        {(['domain', 'host', 'ip_range', 'port', 'website'] as const).map((k) => <li key={k}><span className={classes.dot} data-kind={k} />{t.topology.names[k]}</li>)}
      </ul>
      <span className={classes.keys}>{t.topology.keys}</span>
    </div>
  );
}

function elements(of: Surroundings): ElementDefinition[] {
  const places = radial(of);
  const things = [...of.things.values()].map((x): ElementDefinition => ({
    data: { id: x.key, label: x.label }, position: places.get(x.key) ?? { x: 0, y: 0 }, classes: `${x.kind}${x.depth === 0 ? ' root' : ''}${x.blocked || x.closed ? ' gone' : ''}`,
  }));
  return [...things, ...of.links.map(([source, target]): ElementDefinition => ({ data: { id: `${source}\n${target}`, source, target } }))];
}

/** keepInSight moves the view as little as it can. */
function keepInSight(cy: Core, key: string) {
  const at = cy.getElementById(key).renderedPosition();
  if (at && (at.x < 20 || at.y < 20 || at.x > cy.width() - 20 || at.y > cy.height() - 20)) cy.center(cy.getElementById(key));
}

/** looks takes the colours of the page, which a canvas cannot inherit. */
function looks(host: HTMLElement): StylesheetJson {
  const font = getComputedStyle(document.documentElement).getPropertyValue('--mantine-font-family-monospace').replace(/'/g, '');
  const of = (name: string) => {
    // a new element each time: one that changes its colour has the old one while it changes
    const probe = document.createElement('span');
    probe.style.color = `var(${name})`;
    host.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  const text = of('--mantine-color-text');
  const [line, accent, surface] = [of('--faint'), of('--mantine-primary-color-filled'), of('--surface')];
  const colours = ['domain', 'host', 'ip_range', 'port', 'website'].map((k) => [k, of(`--kind-${k}`)] as const);
  return [
    {
      selector: 'node',
      style: {
        width: 14, height: 14, label: 'data(label)', color: text, 'font-size': 11, 'font-family': font || 'monospace', 'min-zoomed-font-size': 8,
        'text-valign': 'bottom', 'text-margin-y': 3, 'text-background-color': surface, 'text-background-opacity': 0.75, 'text-background-padding': '1px', 'text-max-width': '180px', 'text-wrap': 'ellipsis',
      },
    },
    { selector: 'edge', style: { width: 1, 'line-color': line, 'curve-style': 'haystack', opacity: 0.45 } },
    ...colours.map(([k, colour]) => ({ selector: `.${k}`, style: { 'background-color': colour } })),
    { selector: '.ip_range', style: { shape: 'round-rectangle' } },
    { selector: '.port', style: { shape: 'diamond', width: 11, height: 11 } },
    { selector: '.website', style: { shape: 'round-triangle' } },
    { selector: '.gone', style: { opacity: 0.45 } },
    { selector: '.root', style: { width: 24, height: 24, 'font-size': 13, 'font-weight': 600, 'min-zoomed-font-size': 0 } },
    { selector: '.near', style: { 'line-color': accent, width: 2, opacity: 1 } },
    { selector: '.picked', style: { 'border-width': 3, 'border-color': accent, 'border-opacity': 1, 'min-zoomed-font-size': 0, 'z-index': 10 } },
  ];
}
