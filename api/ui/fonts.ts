// Cuts the characters nearly every page needs out of the fonts, so that the first
// load carries those alone (src/app/fonts.css).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import subset from 'subset-font';

const require = createRequire(import.meta.url);
const into = resolve(import.meta.dirname, 'node_modules/.stalker-fonts');
const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
const characters = `${ascii}\u00a0·×–—’“”…`;

const fonts = [
  { to: 'inter-basic.woff2', from: '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2', axes: { wght: { min: 400, max: 600, default: 400 } } },
  { to: 'mono-basic.woff2', from: '@fontsource/jetbrains-mono/files/jetbrains-mono-latin-400-normal.woff2', axes: undefined },
];

export async function cutFonts(): Promise<void> {
  mkdirSync(into, { recursive: true });
  for (const f of fonts) {
    const file = resolve(into, f.to);
    if (existsSync(file)) continue;
    const whole = readFileSync(require.resolve(f.from));
    writeFileSync(file, await subset(whole, characters, { targetFormat: 'woff2', variationAxes: f.axes }));
  }
}
