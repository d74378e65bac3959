import { expect, it } from 'vitest';
import { settled, type World } from './world';

const total = 100_000;

/** scroll gives the browser a list of 100,000 rows, made up here, and measures frames. */
export function scroll(w: () => World) {
  it(`of ${total} rows draws few and keeps scrolling`, async () => {
    const page = await w().open();
    await page.route(/\/api\/v1\/domains\?/, (route) => {
      const q = new URL(route.request().url()).searchParams;
      const from = Number(q.get('cursor') || 0);
      const n = Math.min(Number(q.get('limit')), total - from);
      const items = Array.from({ length: n }, (_, i) => row(from + i));
      return route.fulfill({ json: { items, total, next: from + n < total ? String(from + n) : undefined } });
    });
    await page.goto('/domains');
    await settled(page);
    const scroller = page.getByRole('region', { name: 'Domains' });
    const frames = await scroller.evaluate(async (el) => {
      const times: number[] = [];
      let last = performance.now();
      const end = last + 4000;
      await new Promise<void>((done) => {
        const step = (now: number) => {
          times.push(now - last);
          last = now;
          el.scrollTop += 120;
          if (now < end) requestAnimationFrame(step);
          else done();
        };
        requestAnimationFrame(step);
      });
      return times.slice(1).sort((a, b) => a - b);
    });
    const median = frames[Math.floor(frames.length / 2)] ?? 0;
    console.log(`scrolling ${total} rows: median frame ${median.toFixed(1)} ms, ${frames.length} frames in 4 s`);
    expect(await page.getByRole('row').count()).toBeLessThan(120);
    expect(await scroller.evaluate((el) => el.scrollTop)).toBeGreaterThan(3000);
    await page.context().close();
  });
}

function row(i: number) {
  const at = '2026-01-01T00:00:00Z';
  const id = i.toString(16).padStart(24, '0');
  const projectId = '0'.repeat(24);
  const name = `name-${String(i).padStart(6, '0')}.example.com`;
  return { id, projectId, correlationKey: `project:${projectId};domain:${name}`, name, hosts: ['192.0.2.1'], firstSeen: at, lastSeen: at, tags: [] };
}
