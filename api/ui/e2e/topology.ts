import { expect, it } from 'vitest';
import { settled, type World } from './world';

const many = 3000;

interface Items<T> {
  items: T[];
}

/** topology looks at what is around resources of the lab, with the keyboard and without, and at very much. */
export function topology(w: () => World) {
  it('draws what is around a domain, and walks through it with the keyboard', async () => {
    const page = await w().open();
    await page.goto('/domains?q=lab.test');
    await page.getByRole('link', { name: 'lab.test', exact: true }).click();
    await page.getByRole('button', { name: 'Topology' }).click();
    await page.waitForURL(/tab=topology/);
    const graph = page.getByRole('application');
    await graph.waitFor();
    await page.waitForFunction(() => Number(document.querySelector<HTMLElement>('[role=application]')?.dataset.things) > 20);
    const chosen = page.getByRole('region', { name: 'Chosen' });
    await chosen.getByText('lab.test', { exact: true }).waitFor();
    await graph.focus();
    await page.keyboard.press('ArrowRight');
    await chosen.getByText('admin.lab.test', { exact: true }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await chosen.getByText('lab.test', { exact: true }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'admin.lab.test' }).waitFor();
    await page.context().close();
  });

  it('holds the same as a tree, filtered, and the address keeps all of that', async () => {
    const page = await w().open();
    const { items } = await w().server.get<Items<{ id: string; name: string }>>('/domains?q=domain:lab.test');
    await page.goto(`/domains/${items[0]?.id}?tab=topology&view=tree`);
    const tree = page.getByRole('tree');
    await tree.getByRole('treeitem', { name: /^admin\.lab\.test domain/ }).waitFor();
    await tree.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await tree.getByRole('treeitem').count()).toBe(1);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('region', { name: 'Chosen' }).getByText('admin.lab.test', { exact: true }).waitFor();
    await tree.getByText(/website at 127\./).first().waitFor();
    await page.getByText(/^Websites \d/).click();
    await page.waitForURL(/without=website/);
    await tree.getByText(/website at 127\./).first().waitFor({ state: 'detached' });
    await page.reload();
    await tree.getByRole('treeitem', { name: /^admin\.lab\.test domain/ }).waitFor();
    expect(await tree.getByText(/website at/).count()).toBe(0);
    await page.context().close();
  });

  it(`draws ${many} neighbours`, async () => {
    const page = await w().open();
    const { items } = await w().server.get<Items<{ id: string; correlationKey: string }>>('/hosts');
    const host = items[0]!;
    await page.route(/\/api\/v1\/ports\?.*host%3Aany/, (route) => {
      const q = new URL(route.request().url()).searchParams;
      const from = Number(q.get('cursor') || 0);
      const n = Math.min(Number(q.get('limit')), many - from);
      const ports = Array.from({ length: n }, (_, i) => ({ correlationKey: `${host.correlationKey};port:${from + i + 1};protocol:udp` }));
      return route.fulfill({ json: { items: ports, total: many, next: from + n < many ? String(from + n) : undefined } });
    });
    const began = performance.now();
    await page.goto(`/hosts/${host.id}?tab=topology&depth=1`);
    await page.waitForFunction((n) => Number(document.querySelector<HTMLElement>('[role=application]')?.dataset.things) > n, many);
    console.log(`graph of ${many} resources: drawn ${Math.round(performance.now() - began)} ms after the page was asked for`);
    await page.getByText('Tree', { exact: true }).click();
    const tree = page.getByRole('tree');
    await tree.getByRole('treeitem').first().waitFor();
    expect(await tree.getByRole('treeitem').count()).toBeLessThan(100);
    await tree.focus();
    await page.keyboard.press('End');
    await page.getByRole('region', { name: 'Chosen' }).getByText(`:${many}/udp`).waitFor();
    await settled(page);
    await page.context().close();
  });
}
