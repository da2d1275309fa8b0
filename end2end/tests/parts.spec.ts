// What a planner brings and builds piece by piece: NetBox types become parts, parts get a price of their own, trays find
// their units by hand and by keys.
import { readFile } from "node:fs/promises";
import { expect, test } from "./quiet";
import { figure, inspector, notes, open, own, select, set, tree, undo, views } from "./bench";
import type { Page } from "@playwright/test";

const ROW = "/designs/h200-air-row";

const SERVER = `---
manufacturer: Acme
model: Edge 2
slug: acme-edge-2
u_height: 2.0
is_full_depth: true
weight: 44
weight_unit: lb
power-ports:
  - name: PSU1
    type: iec-60320-c14
    maximum_draw: 500
  - name: PSU2
    type: iec-60320-c14
    maximum_draw: 500
`;
const RACK = `---
manufacturer: Acme
model: Deep 48
slug: acme-deep-48
form_factor: 4-post-cabinet
width: 19
u_height: 48
starting_unit: 1
`;
/** Our own rows: a half-width node and a shallow switch. */
const TOML = ["node", "switch"]
  .map(
    (id) => `[[tray]]
id = "acme-${id}"
name = "Acme ${id}"
maker = "Acme"
rated_power_w = 300
overhead_idle_w = 100
overhead_busy_w = 300
liquid_fraction = 0
height_units = 1
${id === "node" ? 'width = "half"' : 'depth = "half"'}
mass_kg = 9
price_usd = 4000
source = "data sheet of the maker"
as_of = "2026-11"
`,
  )
  .join("\n");

const bring = (page: Page, name: string, text: string) =>
  page.getByLabel(/^Bring parts/).setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
const said = (page: Page, words: string | RegExp) => page.getByRole("status").filter({ hasText: words }).first();
const front = (page: Page) => page.getByRole("group", { name: "The rack from the front" });
const rear = (page: Page) => page.getByRole("group", { name: "The rack from the rear" });

/** Brings parts, and opens the rack of cabinets that has room. */
async function cabinet(page: Page, name: string, text: string) {
  await open(page, `${ROW}?view=record`);
  await bring(page, name, text);
  await expect(tree(page).getByRole("heading", { name: "Own parts" })).toBeVisible();
  await select(page, /^racks cabinet-48u-air/);
  await views(page).getByRole("link", { name: "Rack", exact: true }).click();
}

async function putIn(page: Page, name: string) {
  await page.getByLabel(/^Tray to put in/).selectOption({ label: name });
  await page.getByRole("button", { name: "Put it in" }).click();
}

test("NetBox types become parts of the design, with what was estimated said", async ({ page }) => {
  await open(page, `${ROW}?view=record`);
  await bring(page, "acme.yaml", SERVER + RACK);
  await expect(said(page, "rated at 1.00 kW, the sum of its 2 inlets")).toBeVisible();
  await expect(said(page, "no outer depth: taken as 1.20 m")).toBeVisible();
  await expect(tree(page).getByRole("link", { name: /^own (tray|rack) Acme/ })).toHaveCount(2);
  await select(page, /^own tray Acme Edge 2/);
  await expect(inspector(page).getByLabel("Rated power")).toHaveValue("1");
  await expect(inspector(page).getByLabel("Mass")).toHaveValue(/^19\.958/);
  await undo(page).click();
  await expect(tree(page).getByRole("heading", { name: "Own parts" })).toHaveCount(0);
});

test("a broken type file is refused with its line, and nothing is taken", async ({ page }) => {
  await open(page, `${ROW}?view=record`);
  await bring(page, "acme.yaml", SERVER.replace("u_height: 2.0", "u_height: tall"));
  await expect(said(page, /acme\.yaml, line 5: .*in `u_height`/)).toBeVisible();
  await bring(page, "rows.toml", TOML.replace("rated_power_w = 300", "rated_power_w = -300"));
  await expect(said(page, /rated_power_w is -300/)).toBeVisible();
  await expect(undo(page)).toBeDisabled();
});

test("an own part's price moves the cost, and its design is kept and run with it", async ({ page }) => {
  await cabinet(page, "acme.yaml", SERVER);
  await putIn(page, "Acme Edge 2");
  await expect(front(page).getByRole("button", { name: "Acme Edge 2 at unit 33" })).toBeVisible();
  const before = await (await figure(page, "To build")).innerText();
  await select(page, /^own tray Acme/);
  await set(page, "Price of one", "900000");
  await expect(await figure(page, "To build")).not.toHaveText(before, { useInnerText: true });
  await own(page);
  await expect(tree(page).getByRole("link", { name: /^own tray Acme Edge 2/ })).toBeVisible();
  await page.getByRole("button", { name: /^Run the year/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: /A year of/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "The answer" })).toBeVisible({ timeout: 60_000 });
});

test("a catalog part made one's own can be given another price", async ({ page }) => {
  await open(page, ROW);
  await select(page, /^power group ups/);
  await inspector(page).getByRole("button", { name: "Make the part my own" }).click();
  await expect(inspector(page).getByLabel("Source")).toHaveValue(/^own figures; began as ups/);
  const before = await (await figure(page, "To build")).innerText();
  await set(page, "Price of one", "5000000");
  await expect(await figure(page, "To build")).not.toHaveText(before, { useInnerText: true });
  await select(page, /^power group ups/);
  await expect(inspector(page).getByLabel("Part", { exact: true })).toHaveValue(/-own$/);
});

test("trays are moved by keys to the next free unit, and taken back", async ({ page }) => {
  await cabinet(page, "acme.yaml", SERVER);
  await putIn(page, "Acme Edge 2");
  const tray = (unit: number) => front(page).getByRole("button", { name: `Acme Edge 2 at unit ${unit}` });
  await tray(33).focus();
  await page.keyboard.press("ArrowUp");
  await expect(tray(34)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(said(page, "There is no room below it.")).toBeVisible();
  await expect(tray(33)).toBeVisible();
  await set(page, "Lowest unit", "47");
  await expect(tray(47)).toBeVisible();
  await set(page, "Lowest unit", "48");
  await expect(notes(page)).toContainText(/finds no room/);
  await notes(page).getByRole("button", { name: /^Mend it/ }).first().click();
  await expect(tray(33)).toBeVisible();
  await page.keyboard.press("Delete");
  await expect(tray(33)).toHaveCount(0);
  await undo(page).click();
  await expect(tray(33)).toBeVisible();
});

test("what is put in stays chosen, and in a full rack a tray may take the place of another", async ({ page }) => {
  await cabinet(page, "acme.yaml", SERVER);
  await putIn(page, "Acme Edge 2");
  await page.getByRole("button", { name: "Put it in" }).click();
  await expect(front(page).getByRole("button", { name: /^Acme Edge 2 at unit/ })).toHaveCount(2);
  await select(page, /^trays dgx-h200/);
  const other = inspector(page).getByLabel("Tray", { exact: true }).getByRole("option", { name: "DGX H100" });
  await expect(other).toBeEnabled();
});

test("trays are dragged to a unit in one step of undo", async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 1400 });
  await cabinet(page, "acme.yaml", SERVER);
  await putIn(page, "Acme Edge 2");
  const tray = (unit: number) => front(page).getByRole("button", { name: `Acme Edge 2 at unit ${unit}` });
  const box = (await tray(33).boundingBox())!;
  const unit = box.height / 2;
  await page.mouse.move(box.x + 40, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 40, box.y + box.height / 2 - 6 * unit, { steps: 12 });
  await page.mouse.up();
  await expect(tray(39)).toBeVisible();
  await undo(page).click();
  await expect(tray(33)).toBeVisible();
});

test("half-width trays stand side by side, half-depth ones back to back", async ({ page }) => {
  await cabinet(page, "rows.toml", TOML);
  await putIn(page, "Acme node");
  await set(page, "In each rack", "2");
  const nodes = front(page).getByRole("button", { name: "Acme node at unit 33" });
  await expect(nodes).toHaveCount(2);
  const [left, right] = [(await nodes.first().boundingBox())!, (await nodes.last().boundingBox())!];
  expect(left.x + left.width).toBeLessThan(right.x + 1);
  expect(Math.abs(left.y - right.y)).toBeLessThan(1);
  await putIn(page, "Acme switch");
  await inspector(page).getByLabel("Mounted at").selectOption("rear");
  await expect(rear(page).getByRole("button", { name: /^Acme switch/ })).toBeVisible();
  await expect(front(page).getByRole("button", { name: /^Acme switch/ })).toHaveCount(0);
});

test("what can't be put in is greyed and says why; the drawing can be saved", async ({ page }) => {
  await cabinet(page, "acme.yaml", SERVER);
  const choice = page.getByLabel(/^Tray to put in/).getByRole("option", { name: /DGX H200/ });
  await expect(choice).toBeDisabled();
  await expect(choice).toHaveText(/kW.*to spare/);
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download SVG" }).click();
  const text = await readFile((await (await coming).path())!, "utf8");
  expect(text).toMatch(/^<svg xmlns=/);
  expect(text.match(/<svg /g)?.length).toBe(3); // front and rear in one
  expect(text).toMatch(/fill="rgb/);
  expect(text).not.toContain("class=");
});
