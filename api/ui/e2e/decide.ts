import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { settled, type World } from './world';

const rowsOf = (page: Page) => page.locator('[role=rowgroup] [role=row]');

async function limitTo(page: Page, project: string) {
  await page.goto('/');
  await page.getByRole('button', { name: /choose a project$/ }).click();
  await page.getByRole('option', { name: project }).click();
  await page.getByRole('heading', { level: 1, name: project }).waitFor();
}

async function manage(page: Page, what: string) {
  await page.getByRole('button', { name: 'Manage' }).click();
  await page.getByRole('menuitem', { name: what, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: what, exact: true }).click();
}

/** decide is what people decide about what was found. */
export function decide(w: () => World) {
  it('merges websites that are one, and takes them apart', async () => {
    const page = await w().open();
    await page.goto('/websites?q=domain:shop.lab.test');
    await settled(page);
    await rowsOf(page).nth(0).getByRole('checkbox').click();
    await rowsOf(page).nth(1).getByRole('checkbox').click();
    await page.getByRole('toolbar', { name: '2 chosen' }).getByRole('button', { name: 'Merge', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Merge', exact: true }).click();
    await page.getByText('1 merged').waitFor();
    await page.goto('/websites?q=is:merged');
    await rowsOf(page).first().getByText('merged', { exact: true }).waitFor();
    await rowsOf(page).first().getByRole('link').first().click();
    await manage(page, 'Unmerge');
    await page.getByText('1 taken apart').waitFor();
    await page.goto('/websites?q=is:merged');
    await page.getByText('No websites match').waitFor();
    await page.context().close();
  });

  it('blocks a domain, unblocks it, and deletes one', async () => {
    const page = await w().open();
    await page.goto('/domains?q=domain:gone.lab.test');
    await page.getByRole('link', { name: 'gone.lab.test', exact: true }).click();
    await manage(page, 'Block');
    await page.getByText('1 blocked', { exact: true }).waitFor();
    await page.locator('header').getByText('blocked', { exact: true }).waitFor();
    await manage(page, 'Unblock');
    await page.locator('header').getByText('blocked', { exact: true }).waitFor({ state: 'detached' });
    await page.goto('/domains?q=domain:api.import.test');
    await page.getByRole('link', { name: 'api.import.test', exact: true }).click();
    await manage(page, 'Delete');
    await page.getByText('1 deleted').waitFor();
    await page.waitForURL((u) => u.pathname === '/domains');
    await page.goto('/domains?q=domain:api.import.test');
    await page.getByText('No domains match').waitFor();
    await page.context().close();
  });

  it('runs a job for what is chosen, and says first how many that are', async () => {
    const page = await w().open();
    await limitTo(page, 'Demo lab');
    await page.getByRole('navigation').getByRole('link', { name: 'Hosts' }).click();
    await settled(page);
    await rowsOf(page).nth(0).getByRole('checkbox').click();
    await rowsOf(page).nth(1).getByRole('checkbox').click();
    await page.getByRole('toolbar', { name: '2 chosen' }).getByRole('button', { name: 'Run a job' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Job' }).click();
    await page.getByRole('option', { name: 'GreetingJob' }).click();
    await dialog.getByRole('textbox', { name: 'who' }).fill('${ip}');
    await dialog.getByText('Starts 2 executions for 2 of them.').waitFor();
    await dialog.getByText(/who=(127\.|::1)/).waitFor();
    await dialog.getByRole('button', { name: 'Start 2' }).click();
    await page.getByText('2 executions are queued').waitFor();
    await page.waitForURL(/executions.*GreetingJob/);
    await rowsOf(page).filter({ hasText: 'GreetingJob' }).nth(1).waitFor();
    await page.context().close();
  });

  it('tags what findings are about', async () => {
    const page = await w().open();
    await page.goto('/findings?q=key:CertificateFinding');
    await settled(page);
    await rowsOf(page).nth(0).getByRole('checkbox').click();
    await page.getByRole('toolbar', { name: '1 chosen' }).getByRole('button', { name: 'Tag', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Tag').fill('Look at it');
    await page.getByRole('dialog').getByRole('button', { name: 'Tag', exact: true }).click();
    await page.getByText('1 tagged').waitFor();
    await page.goto('/websites?q=tag:"Look at it"');
    await rowsOf(page).first().getByText('Look at it').waitFor();
    expect(await rowsOf(page).count()).toBe(1);
    await page.context().close();
  });

  it('tells why a job ran, and what subscriptions made of a finding', async () => {
    const page = await w().open();
    await page.goto('/executions?q=job:HttpProbingJob');
    await page.getByRole('region', { name: 'Executions' }).getByRole('link', { name: 'HttpProbingJob' }).first().click();
    const why = page.getByRole('region', { name: 'Why it ran' });
    await why.getByText('started a job').first().waitFor();
    await why.getByRole('link', { name: /^(Tcp|Udp|Banner)\w+Job$/ }).first().waitFor();
    await page.goto('/findings?q=key:CertificateFinding');
    await rowsOf(page).first().click({ position: { x: 120, y: 10 } });
    const drawer = page.getByRole('dialog', { name: 'Finding' });
    await drawer.getByRole('button', { name: 'What did subscriptions make of it?' }).click();
    await drawer.getByRole('link', { name: 'Certificate to BannerGrabbingJob' }).waitFor();
    await page.context().close();
  });

  it('tries a subscription on the past', async () => {
    const page = await w().open();
    await page.goto('/subscriptions?q=Certificate to BannerGrabbingJob');
    await page.getByRole('link', { name: 'Certificate to BannerGrabbingJob' }).click();
    const past = page.getByRole('region', { name: 'Over the last 30 days' });
    await past.getByRole('button', { name: 'Try it' }).click();
    await past.getByText(/^It would have started [1-9]\d* jobs for/).waitFor();
    await past.getByRole('img', { name: 'Over the last 30 days' }).waitFor();
    await page.context().close();
  });

  it('compares two times', async () => {
    const page = await w().open();
    await page.goto('/changes');
    await page.getByText('Between two times').click();
    await page.waitForURL(/period=between/);
    await page.getByText('What is not as it was').waitFor();
    await page.getByRole('region', { name: 'Changes' }).getByText('website appeared').first().waitFor();
    await page.context().close();
  });

  it('keeps a secret that nobody reads again', async () => {
    const page = await w().open();
    await page.goto('/secrets');
    await page.getByRole('button', { name: 'New secret' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('SHODAN_KEY');
    await dialog.locator('[autocomplete=new-password]').fill('hunter2-hunter2');
    await dialog.getByRole('button', { name: 'Save' }).click();
    const row = page.getByRole('row').filter({ hasText: '${secrets.SHODAN_KEY}' });
    await row.waitFor();
    expect(await page.content()).not.toContain('hunter2');
    await row.getByRole('button', { name: 'Replace' }).click();
    await page.getByRole('dialog').locator('[autocomplete=new-password]').fill('hunter3-hunter3');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await row.getByRole('button', { name: 'Delete SHODAN_KEY' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No secrets').waitFor();
    await page.context().close();
  });
}
