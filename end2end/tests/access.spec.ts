// Everyone can read and use every page: no serious finding of axe against WCAG 2.2 AA in either theme, nothing wider than a
// phone, and nothing asked of any other machine.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { awake } from "./bench";
import { expect, test } from "./quiet";

const DESIGN = "/designs/facility-100mw";
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Every page with the heading it opens with; `RUN` stands for a finished run. A design's page is waited for besides. */
const ROUTES: [path: string, heading: RegExp][] = [
  ["/", /^Overview$/],
  ["/designs", /^Designs$/],
  ...["floor", "3d", "rack", "one-line", "cooling", "year", "drivers", "record"].map(
    (view): [string, RegExp] => [`${DESIGN}?view=${view}&at=hall/0`, /100 MW/],
  ),
  [`${DESIGN}?view=one-line&at=power/4&fail=4:20`, /100 MW/], // with a failure: its colours and words
  ["/designs/one-rack-gb200?view=floor&at=loop/1", /GB200/], // with notes
  ["/runs", /^Runs$/],
  ["/runs/RUN", /A year of/],
  ["/new", /./],
  ["/compare?runs=RUN", /./],
  ["/reports/RUN", /./],
  ["/optimize/superpod-gb200-su", /^Operating point$/],
  ["/power/superpod-gb200-su?limit=1.05", /^Power tree and steering$/],
  ["/sweeps", /^Sweeps$/],
  ["/serving?gpu=b200-sxm", /^Serving$/],
  ["/models", /^Predicted and measured$/],
  ["/workloads?kind=agent&tenants=search 40, code 60", /^Workloads$/],
];

let run = "";
test.beforeAll(async ({ browser, baseURL }) => {
  const page = await browser.newPage({ baseURL });
  await page.goto("/");
  await page.getByRole("button", { name: /^Run the year of 100 MW/ }).click();
  await expect(page).toHaveURL(/\/runs\/[^/]+$/);
  await expect(page.getByRole("region", { name: "The answer" })).toBeVisible({ timeout: 60_000 });
  run = new URL(page.url()).pathname.split("/").at(-1)!;
  await page.close();
});

async function visit(page: Page, path: string, heading: RegExp) {
  const answer = await page.goto(path.replace("RUN", run));
  expect(answer?.status()).toBe(200);
  await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
  if (path.startsWith("/designs/")) await awake(page);
  // Looked at while it wakes, its button would have the colours of one that can't be pressed and the state of one that can.
  if (path === "/new") await expect(page.getByRole("button", { name: "Create and open" })).toBeEnabled();
  if (path.includes("view=drivers")) {
    await page.getByRole("button", { name: "Work it out" }).click();
    await expect(page.getByRole("region", { name: "What drives the year" })).toBeVisible({ timeout: 60_000 });
  }
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [path, heading] of ROUTES) {
    test(`${path} can be used by everyone (${colorScheme})`, async ({ page }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await visit(page, path, heading);
      const { violations, passes } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
      expect(passes.length).toBeGreaterThan(5); // it looked at the page
      const grave = violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, impact, nodes }) =>
          nodes.map(({ html, any }) => `${id} (${impact}): ${html.slice(0, 160)} | ${any[0]?.message ?? ""}`),
        );
      expect(grave).toEqual([]);
    });
  }
}

for (const [path, heading] of ROUTES) {
  test(`${path} fits a phone without scrolling sideways`, async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await visit(page, path, heading);
    const wider = await page.evaluate(() => {
      const page = document.scrollingElement!;
      window.scrollTo(1000, 0);
      return { by: Math.max(0, page.scrollWidth - page.clientWidth), scrolled: window.scrollX };
    });
    expect(wider).toEqual({ by: 0, scrolled: 0 });
  });
}

for (const [path, heading] of ROUTES) {
  test(`${path} asks nothing of any other machine`, async ({ page, baseURL }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await visit(page, path, heading);
    const network = asked.filter((url) => /^(https?|wss?):/.test(url));
    expect(network.length).toBeGreaterThan(2); // the page, its style, its program
    expect(network.filter((url) => new URL(url).origin !== baseURL)).toEqual([]);
  });
}
