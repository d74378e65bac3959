// What the tests share: a server, a browser, and the eyes that watch both.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { Provider } from './provider';
import { startServer, type Server } from './server';

export const results = resolve(import.meta.dirname, '../test-results');
export const patience = 60_000;

export interface View {
  scheme: 'light' | 'dark';
  width: number;
}

export class World {
  /** what went wrong in any page: errors, dialogs, refused content */
  readonly complaints: string[] = [];
  private session: Awaited<ReturnType<BrowserContext['storageState']>> | undefined;

  private constructor(
    readonly server: Server,
    readonly provider: Provider,
    private readonly browser: Browser,
  ) {}

  static async start(): Promise<World> {
    mkdirSync(results, { recursive: true });
    const provider = await Provider.start();
    const server = await startServer(provider.env());
    provider.server = server.url;
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    return new World(server, provider, browser);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    this.provider.stop();
  }

  /** open gives a page that is logged in as whoever was remembered, or as nobody. */
  async open({ scheme, width }: View = { scheme: 'light', width: 1440 }, known = true): Promise<Page> {
    const context = await this.browser.newContext({
      baseURL: this.server.url,
      colorScheme: scheme,
      viewport: { width, height: width < 600 ? 844 : 900 },
      reducedMotion: 'reduce',
      storageState: known ? this.session : undefined,
    });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    page.on('pageerror', (e) => this.complaints.push(`${page.url()}: ${e.message}`));
    page.on('dialog', (d) => {
      this.complaints.push(`${page.url()}: dialog ${d.message()}`);
      void d.dismiss();
    });
    // refusals are looked at by the tests; interfaces that come and go on this machine are not the page's doing
    page.on('console', (m) => {
      if (m.type() === 'error' && !/status of 4\d\d|ERR_NETWORK_CHANGED/.test(m.text())) this.complaints.push(`${page.url()}: ${m.text()}`);
    });
    return page;
  }

  async remember(page: Page): Promise<void> {
    this.session = await page.context().storageState();
  }
}

/** settled waits until nothing on the page is loading. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('main [role=status], main [aria-label=Loading]'));
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

export async function shot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${results}/${name}.png`, animations: 'disabled' });
}
