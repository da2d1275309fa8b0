// The workshop's drawings as text. A change that is meant is accepted with `npx playwright test golden --update-snapshots`.
import type { Page } from "@playwright/test";
import { open } from "./bench";
import { expect, test } from "./quiet";

const SMALL = "/designs/one-rack-gb200";
const ROW = "/designs/h200-air-row";

/** The markup of a part of the page, a line for each element, without what the framework marks it with. */
async function markup(page: Page, selector: string): Promise<string> {
  const found = page.locator(selector).first();
  await expect(found).toBeVisible();
  const html = await found.evaluate((element) => element.outerHTML);
  return `${html.replaceAll(/<!--.*?-->/g, "").replaceAll("><", ">\n<")}\n`;
}

for (const [name, path, selector] of [
  ["floor.svg", `${ROW}?view=floor`, "svg.floor"],
  ["rack-front.svg", `${SMALL}?view=rack&at=hall/0/row/0/rack/0`, "svg.rack"],
  ["rack-cabinet.svg", `${ROW}?view=rack&at=hall/0/row/0/rack/0`, "svg.rack"],
  ["one-line.svg", `${SMALL}?view=one-line`, "svg.one-line"],
  ["cooling.html", `${SMALL}?view=cooling`, "section.drawing"],
  ["tree.html", ROW, "nav.tree"],
  ["inspector.html", `${SMALL}?at=loop/0`, ".inspector"],
] as const) {
  test(`golden ${name}`, async ({ page }) => {
    await open(page, path);
    expect(await markup(page, selector)).toMatchSnapshot(name);
  });
}
