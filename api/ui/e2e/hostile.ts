import { expect, it } from 'vitest';
import { settled, type World } from './world';

const markup = "<script>alert('lab')</script>";

/** hostile looks at the host of the lab that sends markup wherever it can. */
export function hostile(w: () => World) {
  it('are shown as they are, and never run', async () => {
    const page = await w().open();
    await page.goto('/websites?q=hostile');
    await settled(page);
    await page.getByRole('row').filter({ hasText: 'hostile.lab.test' }).getByText(markup).waitFor();
    await page.getByRole('link', { name: /hostile\.lab\.test/ }).first().click();
    await page.getByText(markup).first().waitFor();
    await settled(page);
    expect(await page.locator('script:not([src])').count()).toBe(0);
    await page.context().close();
    expect(w().complaints).toEqual([]);
  });

  it('meet a policy that would refuse them anyway', async () => {
    const page = await w().open();
    await page.goto('/');
    await settled(page);
    const ran = await page.evaluate(() => {
      const s = document.createElement('script');
      s.textContent = 'window.ran = true';
      document.body.append(s);
      return 'ran' in window;
    });
    expect(ran).toBe(false);
    w().complaints.length = 0; // the refusal itself
    await page.context().close();
  });
}
