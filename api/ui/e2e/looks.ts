import { expect, it } from 'vitest';
import { barriers } from './axe';
import { settled, shot, type View, type World } from './world';

const lists = ['domains', 'hosts', 'ip-ranges', 'ports', 'websites', 'findings', 'executions', 'jobs', 'subscriptions', 'sources', 'notifications', 'projects'];
const others = ['changes', 'schedule', 'jobs/new', 'subscriptions/new', 'notifications/new', 'secrets', 'users', 'groups', 'audit', 'settings', 'profile'];
const views: View[] = [
  { scheme: 'light', width: 1440 },
  { scheme: 'dark', width: 1440 },
  { scheme: 'light', width: 390 },
  { scheme: 'dark', width: 390 },
];

interface Items {
  items: { id: string }[];
}

/** the pages by the names of their pictures: every list, and one thing of each */
async function routes(w: World): Promise<[name: string, path: string][]> {
  const of = async (list: string): Promise<[string, string][]> => {
    const q = list === 'executions' ? '?q=job:HttpProbingJob' : list === 'hosts' || list === 'websites' || list === 'domains' ? '?q=lab.test' : '';
    const found = (await w.server.get<Items>(`/${list}${q}`)).items[0] ?? (await w.server.get<Items>(`/${list}`)).items[0];
    return found ? [[`${list}-one`, `/${list}/${found.id}`]] : [];
  };
  const details = lists.filter((l) => l !== 'findings').map(of);
  const lab = (await w.server.get<Items>('/domains?q=domain:lab.test')).items[0]?.id;
  const around: [string, string][] = ['graph', 'tree'].map((view) => [`topology-${view}`, `/domains/${lab}?tab=topology&view=${view}`]);
  return [['dashboard', '/'], ...around, ...[...lists, ...others].map((l): [string, string] => [l.replace('/', '-'), `/${l}`]), ...(await Promise.all(details)).flat(), ['not-found', '/nowhere']];
}

/** looks leaves a picture of every page, and checks each for barriers, overflow and complaints. */
export function looks(w: () => World) {
  it.each(views)('in $scheme at $width px', { timeout: 480_000 }, async (view) => {
    const page = await w().open(view);
    const problems: string[] = [];
    for (const [name, path] of await routes(w())) {
      await page.goto(path);
      await settled(page);
      await shot(page, `${name}-${view.scheme}-${view.width}`);
      for (const b of await barriers(page)) problems.push(`${path}: ${b}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) problems.push(`${path} is ${wide} px wider than the screen`);
    }
    await page.context().close();
    expect(problems).toEqual([]);
    expect(w().complaints).toEqual([]);
  });
}
