import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runDemo } from './server';
import { shot, type World } from './world';

export const lab = 'Demo lab';

/** first is the way of somebody who never saw the product, in one piece: no address is typed but the first. */
export function first(w: () => World) {
  it('sets up, adds a project, watches a scan, finds the certificate, subscribes a job, exports', { timeout: 420_000 }, async () => {
    const page = await w().open();
    await page.goto('/hosts');
    await page.waitForURL('**/setup');
    await page.getByLabel('Code').fill('WRONG');
    await page.getByLabel('Name').fill('Ada Lovelace');
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.locator('[autocomplete=new-password]').fill('correct horse battery');
    await shot(page, 'setup-light-1440');
    await page.getByRole('button', { name: 'Create and log in' }).click();
    await page.getByRole('alert').getByText('code is wrong').waitFor();
    await page.getByLabel('Code').fill(w().server.code);
    await page.getByRole('button', { name: 'Create and log in' }).click();

    // an empty product says what comes next
    await page.getByText('What do you want to watch?').waitFor();
    await page.getByText('stalker demo').waitFor();
    await shot(page, 'welcome-light-1440');
    await w().remember(page);
    await page.getByRole('button', { name: 'Create a project' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Acme');
    await page.getByRole('dialog').getByRole('button', { name: 'New project' }).click();
    await page.getByRole('heading', { level: 1, name: 'Acme' }).waitFor();
    expect(page.url()).toContain('project=');
    await page.getByRole('heading', { name: 'Nothing is watched here yet' }).waitFor();
    await shot(page, 'first-project-light-1440');
    await page.getByRole('button', { name: 'Add the first targets' }).click();
    await page.getByRole('dialog').getByLabel('Domains, addresses and networks').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Show all projects' }).click();

    // the scan, live
    const scan = runDemo(w().server, lab);
    scan.catch(() => undefined); // awaited below
    const running = page.getByRole('region', { name: 'Running now' });
    await running.waitFor();
    await shot(page, 'running-light-1440');
    await page.getByRole('navigation').getByRole('link', { name: 'Executions' }).click();
    await page.getByRole('region', { name: 'Executions' }).getByRole('link', { name: /Job$/ }).first().click();
    await page.getByRole('log').getByText('attempt 1 of').waitFor();
    await scan;
    await page.getByRole('link', { name: 'Stalker, to the dashboard' }).click();
    // other services of this machine that listen everywhere are found as well
    const { websites } = await w().server.get<{ websites: number }>('/counts');
    expect(websites).toBeGreaterThanOrEqual(25);
    await page.getByRole('main').getByRole('link', { name: /^Websites/ }).getByText(String(websites), { exact: true }).waitFor();

    // the certificate that ends soon
    const certificates = page.getByRole('region', { name: 'Certificates' });
    await certificates.getByText(/^expires in [1-5] days?$/).first().waitFor();
    await certificates.getByRole('link', { name: /^https:/ }).first().click();
    const card = page.getByRole('article').filter({ hasText: 'Not after' });
    await card.waitFor();

    // a job that looks at every such finding from now on
    await card.getByRole('link', { name: 'Subscribe a job' }).click();
    await page.getByText('Choose a job, and the document writes itself').waitFor();
    await page.getByRole('textbox', { name: 'Job' }).click();
    await page.getByRole('option', { name: 'BannerGrabbingJob' }).click();
    await page.getByText('correct', { exact: true }).waitFor();
    await page.getByText('Runs BannerGrabbingJob when somebody says: CertificateFinding.').waitFor();
    expect(await page.getByText('You changed the document').count()).toBe(0);
    await shot(page, 'subscribe-light-1440');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: 'Certificate to BannerGrabbingJob' }).waitFor();
    await page.getByText('It acts on what is found from now on').waitFor();

    // and what was found, as a file
    await page.getByRole('navigation').getByRole('link', { name: 'Dashboard' }).click();
    await certificates.getByRole('link', { name: 'Show in the list' }).click();
    const rows = page.locator('[role=rowgroup] [role=row]');
    await rows.first().waitFor();
    await page.getByRole('button', { name: 'Export what is shown' }).click();
    const saving = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    const [head = '', ...lines] = readFileSync(await (await saving).path(), 'utf8').trim().split(/\r?\n/);
    expect(head).toContain('certificateExpires');
    expect(lines).toHaveLength(await rows.count());
    await w().remember(page);
    await page.context().close();
  });
}
