// The workshop by the keyboard alone, as one does it who has no mouse: every control is reached with Tab, worked with Enter,
// the space bar and the arrows, and what has the focus keeps it or hands it on.
import type { Locator, Page } from "@playwright/test";
import { awake, figure, floor, inspector, open, redo, tree, undo, views } from "./bench";
import { expect, test } from "./quiet";

const SMALL = "/designs/one-rack-gb200";
const TABS_MAX = 250;

/** Presses Tab until `wanted` has the focus. */
async function tabTo(page: Page, wanted: Locator) {
  await expect(wanted).toBeVisible();
  await expect(wanted).toBeEnabled();
  for (let press = 0; press < TABS_MAX; press++) {
    if (await wanted.evaluate((element) => element === document.activeElement, undefined, { timeout: 5_000 })) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${TABS_MAX} presses of Tab do not get to ${wanted}`);
}

const part = (page: Page, name: RegExp) => tree(page).getByRole("link", { name }).first();

test("a design is opened from the overview", async ({ page }) => {
  await page.goto("/");
  await tabTo(page, page.getByRole("link", { name: /GB200 NVL72/ }).first());
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(SMALL));
  await awake(page);
});

test("what was selected in the tree stays selected on the way over the floor to its fields", async ({ page }) => {
  await open(page, SMALL);
  await tabTo(page, part(page, /^power group ups/));
  await page.keyboard.press("Enter");
  await expect(inspector(page).getByRole("heading", { name: "ups" })).toBeVisible();
  await tabTo(page, inspector(page).getByLabel("Units", { exact: true }));
  await expect(inspector(page).getByRole("heading", { name: "ups" })).toBeVisible();
});

test("a part is selected, a field changed, and the change undone and done again", async ({ page }) => {
  await open(page, `${SMALL}?view=cooling`);
  await tabTo(page, part(page, /^power group ups/));
  await page.keyboard.press("Enter");
  await expect(inspector(page).getByRole("heading", { name: "ups" })).toBeVisible();

  const units = inspector(page).getByLabel("Units", { exact: true });
  await tabTo(page, units);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("3");
  await page.keyboard.press("Enter");
  await expect(part(page, /^power group ups × 3/)).toBeVisible();
  await expect(units).toBeFocused();
  await page.keyboard.press("ArrowUp"); // a number's own arrows
  await expect(part(page, /^power group ups × 4/)).toBeVisible();

  await tabTo(page, undo(page));
  await page.keyboard.press("Enter");
  await expect(part(page, /^power group ups × \d/)).toHaveCount(0);
  await tabTo(page, redo(page));
  await page.keyboard.press("Space");
  await expect(part(page, /^power group ups × 4/)).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(part(page, /^power group ups × \d/)).toHaveCount(0);
});

test("a choice is changed with the arrows", async ({ page }) => {
  await open(page, `${SMALL}?view=cooling`);
  await tabTo(page, part(page, /^power group ups/));
  await page.keyboard.press("Enter");
  const redundancy = inspector(page).getByLabel("Redundancy", { exact: true });
  await tabTo(page, redundancy);
  await page.keyboard.press("ArrowDown");
  await expect(redundancy).toHaveValue("n+1");
  await expect(undo(page)).toBeEnabled();
  await expect(redundancy).toBeFocused();
});

test("the part that was selected in the tree keeps the focus", async ({ page }) => {
  await open(page, SMALL);
  await tabTo(page, part(page, /^power group ups/));
  await page.keyboard.press("Enter");
  await expect(inspector(page).getByRole("heading", { name: "ups" })).toBeVisible();
  await expect(part(page, /^power group ups/)).toBeFocused();
  await page.keyboard.press("+");
  await expect(part(page, /^power group ups × 2/)).toBeVisible();
  await expect(part(page, /^power group ups/)).toBeFocused();
});

test("racks are selected on the floor with Enter, moved with the arrows, and keep the focus", async ({ page }) => {
  await open(page, `${SMALL}?view=cooling`);
  await tabTo(page, part(page, /^hall room/));
  await page.keyboard.press("Enter");
  await tabTo(page, inspector(page).getByRole("button", { name: "Add a row" }));
  await page.keyboard.press("Enter");
  await expect(tree(page).getByRole("link", { name: /^row / })).toHaveCount(2);

  await tabTo(page, views(page).getByRole("link", { name: "Floor" }));
  await page.keyboard.press("Enter");
  const racks = floor(page).getByRole("button", { name: /gb200-nvl72/ }).first();
  await tabTo(page, racks);
  await page.keyboard.press("Enter");
  await expect(inspector(page).getByRole("heading", { name: "gb200-nvl72" })).toBeVisible();
  await expect(racks).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page).toHaveURL(/at=hall\/0\/row\/1\/rack\/0/);
  await expect(racks).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(page).toHaveURL(/at=hall\/0\/row\/0\/rack\/0/);
});

test("the view is switched and the new one follows", async ({ page }) => {
  await open(page, SMALL);
  await tabTo(page, views(page).getByRole("link", { name: "Cooling" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Cooling loops" })).toBeVisible();
  await expect(views(page).getByRole("link", { name: "Cooling" })).toBeFocused();
  await tabTo(page, page.getByRole("region", { name: "Cooling loops" }).getByRole("button", { name: /^Heat in/ }).last());
  await page.keyboard.press("Enter");
  await expect(inspector(page).getByRole("heading", { name: "chilled" })).toBeVisible();
});

test("a unit is failed and mended", async ({ page }) => {
  await open(page, SMALL);
  await tabTo(page, views(page).getByRole("link", { name: "One-line" }));
  await page.keyboard.press("Enter");
  const fail = page.getByRole("button", { name: "Fail one of ups" });
  await tabTo(page, fail);
  await page.keyboard.press("Enter");
  const outcome = page.getByRole("region", { name: "One-line diagram" }).getByRole("status");
  await expect(outcome).toContainText(/go dark/);
  await expect(fail).toBeFocused();
  await tabTo(page, outcome.getByRole("button", { name: "Repair it" }));
  await page.keyboard.press("Enter");
  await expect(outcome).toHaveCount(0);
});

test("a box of the one-line is worked like the button it says it is, with the space bar too", async ({ page }) => {
  await open(page, `${SMALL}?view=one-line`);
  await tabTo(page, page.getByRole("button", { name: /^pdu/ }));
  await page.keyboard.press("Enter");
  await expect(inspector(page).getByRole("heading", { name: "pdu" })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: /^mechanical/ }));
  await page.keyboard.press("Space");
  await expect(inspector(page).getByRole("heading", { name: "mechanical" })).toBeVisible();
});

test("a design is saved as one's own, changed, and its year run", async ({ page }) => {
  await open(page, SMALL);
  await tabTo(page, page.getByRole("button", { name: "Save as my own" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: /mine/ })).toBeVisible();
  await awake(page);
  await tabTo(page, views(page).getByRole("link", { name: "Year" }));
  await page.keyboard.press("Enter");
  await tabTo(page, part(page, /^power group ups/));
  await page.keyboard.press("Enter");
  await tabTo(page, inspector(page).getByLabel("Units", { exact: true }));
  await page.keyboard.press("ArrowUp");
  await expect(part(page, /^power group ups × 2/)).toBeVisible();
  await tabTo(page, page.getByLabel("Name of the version"));
  await page.keyboard.type("by keys");
  await tabTo(page, page.getByRole("button", { name: "Save a version" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Saved as version 2" })).toBeVisible();

  await tabTo(page, page.getByRole("button", { name: /^Run the year/ }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/runs\/[^/]+$/);
  await expect(page.getByRole("region", { name: "The answer" })).toBeVisible({ timeout: 60_000 });
});

test("what has the focus is never hidden behind the bar", async ({ page }) => {
  await open(page, `${SMALL}?view=one-line`);
  const bar = page.getByRole("region", { name: /^The design in figures/ });
  for (const name of ["entrance", "ups", "pdu", "mechanical"]) {
    const button = page.getByRole("button", { name: `Fail one of ${name}` });
    await tabTo(page, button);
    const [own, over] = [await button.boundingBox(), await bar.boundingBox()];
    expect(own!.y + own!.height, `${name} is above the bar`).toBeLessThanOrEqual(over!.y + 1);
  }
  expect(await (await figure(page, "Racks")).innerText()).toMatch(/^1/);
});
