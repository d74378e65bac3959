import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const dist = resolve(import.meta.dirname, '../dist');
const limit = 300;

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
}

/** what a browser fetches before it shows the dashboard, compressed as it is sent */
export function size() {
  it(`is at most ${limit} kB`, () => {
    const manifest = JSON.parse(readFileSync(`${dist}/.vite/manifest.json`, 'utf8')) as Record<string, Chunk>;
    const files = new Set(['index.html', 'icon.svg']);
    const add = (name: string) => {
      const chunk = manifest[name];
      if (!chunk || files.has(chunk.file)) return;
      [chunk.file, ...(chunk.css ?? [])].forEach((f) => files.add(f));
      chunk.imports?.forEach(add);
    };
    ['index.html', 'src/pages/Dashboard.tsx'].forEach(add);
    // of the fonts a browser takes only the subsets a page needs
    Object.values(manifest).filter((c) => /-latin-(wght|400)-normal.*\.woff2$/.test(c.file)).forEach((c) => files.add(c.file));
    const bytes = [...files].reduce((n, f) => n + statSync(existsSync(`${dist}/${f}.gz`) ? `${dist}/${f}.gz` : `${dist}/${f}`).size, 0);
    console.log(`first load: ${Math.round(bytes / 1000)} kB compressed, limit ${limit} kB`);
    expect(bytes).toBeLessThanOrEqual(limit * 1000);
  });
}
