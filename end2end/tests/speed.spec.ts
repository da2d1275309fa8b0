// How fast the workshop answers, told and never asserted: from an edit to the bar and to the year, on a design of 2,000 racks
// drawn compactly and written out row by row; and from a cold load to a page that is awake.
import type { Page, TestInfo } from "@playwright/test";
import { bar, awake, figure, inspector, notes, open, own, select, set, tree, views } from "./bench";
import { expect, test } from "./quiet";

const EDITS = 30;
const LOADS = 5;
const BIG = "/designs/facility-100mw";

function tell(info: TestInfo, what: string, times: number[]) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)].toFixed(1);
  const words = `${what}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${at(1)} ms of ${times.length}`;
  console.log(words);
  info.annotations.push({ type: "time", description: words });
}

/** Nine halls in place of four, everything that is then too small mended note by note. */
async function twoThousandRacks(page: Page) {
  await open(page, BIG);
  await own(page);
  await select(page, /^hall building/);
  await set(page, "Halls like it", "9");
  await expect(await figure(page, "Racks")).toHaveText(/^2.?016/);
  const mend = notes(page).getByRole("button", { name: /^Mend it/ });
  for (let round = 0; round < 30 && (await mend.count()) > 0; round++) {
    const before = await notes(page).innerText();
    await mend.first().click();
    await expect(notes(page)).not.toHaveText(before, { useInnerText: true });
  }
  await awake(page);
}

/** The same racks, every hall and row written out; `text` is the design as TOML. */
function writtenOut(text: string): string {
  const from = text.indexOf("[[hall]]");
  const [head, hall] = [text.slice(0, from), text.slice(from)];
  const [about, ...rows] = hall.split("[[hall.row]]");
  expect(rows.length).toBe(1);
  const one = (h: number) =>
    about.replace(/name = ".*"/, `name = "hall ${h}"`).replace(/\ncount = \d+/, "\ncount = 1") +
    Array.from({ length: 16 }, (_, r) => {
      const [own, ...racks] = rows[0].split("[[hall.row.rack]]");
      const row = own.replace(/name = ".*"/, `name = "row ${r + 1}"`).replace(/count = \d+/, "count = 1");
      return ["[[hall.row]]" + row, ...racks].join("[[hall.row.rack]]");
    }).join("\n");
  return head + Array.from({ length: 9 }, (_, h) => one(h + 1)).join("\n");
}

/** Edits the units of the UPS, and times each from the event to the bar changed, painted, and the year's cost changed. */
async function edits(page: Page) {
  await select(page, /^power group ups/);
  const field = await inspector(page).getByLabel("Units", { exact: true }).elementHandle();
  const region = await bar(page).elementHandle();
  const cost = await (await figure(page, /^Cost/)).elementHandle();
  const first = Number(await inspector(page).getByLabel("Units", { exact: true }).inputValue());
  return await page.evaluate(
    async ({ field, region, cost, first, count }) => {
      const input = field as HTMLInputElement;
      const changed = (node: Node, until: () => boolean) =>
        new Promise<number>((done, failed) => {
          setTimeout(() => failed(new Error("no answer to an edit in 30 s")), 30_000);
          const watch = new MutationObserver(() => {
            if (!until()) return;
            watch.disconnect();
            done(performance.now());
          });
          watch.observe(node, { childList: true, characterData: true, subtree: true });
        });
      const painted = () => new Promise<number>((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
      const found = { bar: [] as number[], paint: [] as number[], year: [] as number[] };
      for (let edit = 1; edit <= count; edit++) {
        const before = (cost as HTMLElement).innerText;
        input.value = String(first + (edit % 2) * 400); // so many that the cost of the year shows it
        const seen = changed(region!, () => true);
        const year = changed(region!, () => (cost as HTMLElement).innerText !== before);
        const began = performance.now();
        input.dispatchEvent(new Event("change", { bubbles: true }));
        found.bar.push((await seen) - began);
        found.paint.push((await painted()) - began);
        found.year.push((await year) - began);
        await new Promise((rest) => requestAnimationFrame(rest));
      }
      return found;
    },
    { field, region, cost, first, count: EDITS },
  );
}

for (const drawn of ["as halls and rows alike", "written out, every row by itself"] as const) {
  test(`the answer to an edit of 2,000 racks ${drawn}`, async ({ page }, info) => {
    test.setTimeout(300_000);
    await twoThousandRacks(page);
    if (drawn.startsWith("written")) {
      await views(page).getByRole("link", { name: "Versions and files" }).click();
      const text = page.getByLabel(/^The design as TOML/);
      await text.fill(writtenOut(await text.inputValue()));
      await page.getByRole("button", { name: "Use this text" }).click();
      await expect(tree(page).getByRole("link", { name: /^row / })).toHaveCount(144, { timeout: 60_000 });
      await views(page).getByRole("link", { name: "Floor" }).click();
    }
    await expect(await figure(page, "Racks")).toHaveText(/^2.?016/);
    await awake(page);
    const { bar: seen, paint, year } = await edits(page);
    expect(seen.length).toBe(EDITS);
    tell(info, `edit to bar, 2,016 racks ${drawn}`, seen);
    tell(info, `edit to bar painted, 2,016 racks ${drawn}`, paint);
    tell(info, `edit to year, 2,016 racks ${drawn}`, year);
  });
}

for (const path of ["/", BIG]) {
  test(`the time until ${path} is awake, loaded cold`, async ({ browser, baseURL }, info) => {
    const times: number[] = [];
    for (let load = 0; load < LOADS; load++) {
      const page = await browser.newPage({ baseURL }); // a context of its own: nothing is cached
      await page.goto(path, { waitUntil: "commit" });
      const button = page.getByRole("button", { name: /^Run the year/ }).first();
      times.push(
        await button.evaluate(
          (button) =>
            new Promise<number>((done) => {
              const told = () => !(button as HTMLButtonElement).disabled && done(performance.now());
              new MutationObserver(told).observe(button, { attributes: true });
              told();
            }),
        ),
      );
      await page.close();
    }
    expect(times.length).toBe(LOADS);
    tell(info, `cold load of ${path} to awake`, times);
  });
}
