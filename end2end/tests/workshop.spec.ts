// The workshop around one design: every change answered at once and taken back at will, parts moved and copied, failures
// tried out, versions kept, states shared, files taken out and in. By mouse and by the keys it names.
import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { awake, figure, floor, inspector, notes, open, own, redo, select, set, tree, undo, views } from "./bench";
import { expect, test } from "./quiet";

const BIG = "/designs/facility-100mw";
const SMALL = "/designs/one-rack-gb200";

const nameOf = (page: Page, row: RegExp) => floor(page).getByText(row).first();
const mends = (page: Page) => notes(page).getByRole("button", { name: /^Mend it/ });
const versions = (page: Page) => page.getByRole("region", { name: "Versions and files" });

/** A hall with three rows, the rack in the first. */
async function threeRows(page: Page) {
  await page.setViewportSize({ width: 1280, height: 1800 }); // all of the hall in view, to be dragged over
  await open(page, SMALL);
  await select(page, /^hall room/);
  await inspector(page).getByRole("button", { name: "Add a row" }).click();
  await expect(tree(page).getByRole("link", { name: /^row / })).toHaveCount(2);
  await inspector(page).getByRole("button", { name: "Add a row" }).click();
  await expect(tree(page).getByRole("link", { name: /^row / })).toHaveCount(3);
}

/** Drags racks with the mouse, in steps as a hand does, to the rows of these names one after the other. */
async function drag(page: Page, racks: RegExp, over: RegExp[]) {
  const box = async (of: Locator) => {
    const found = await of.boundingBox();
    expect(found).not.toBeNull();
    return { x: found!.x + found!.width / 2, y: found!.y + found!.height / 2 };
  };
  // Rows may run across the drawing or down it: their names say which way one gets from row to row.
  const [first, last] = [await box(nameOf(page, /^row$/)), await box(nameOf(page, /^row 2$/))];
  const across = Math.abs(last.y - first.y) > Math.abs(last.x - first.x);
  const at = await box(floor(page).getByRole("button", { name: racks }).first());
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  for (const name of over) {
    const to = await box(nameOf(page, name));
    await page.mouse.move(across ? at.x : to.x, across ? to.y : at.y, { steps: 8 });
  }
  await page.mouse.up();
}

/** In which row of the tree the racks stand: the tree has each row followed by its racks. */
async function rowOf(page: Page, racks: RegExp): Promise<number> {
  const names = await tree(page).getByRole("link").allInnerTexts();
  const at = names.findIndex((name) => racks.test(name.replaceAll(/\s+/g, " ")));
  return names.slice(0, Math.max(at, 0)).filter((name) => /^row\s/.test(name)).length;
}

// What a page does to the house that renders it does not show every time: each view is asked for many times.
for (const view of ["floor", "rack", "one-line", "cooling", "year", "drivers", "record"]) {
  test(`the view ${view} comes every time it is asked for`, async ({ request }) => {
    const failed: string[] = [];
    for (let time = 0; time < 30; time++) {
      const answer = await request.get(`${BIG}?view=${view}`).catch((error: Error) => error);
      if (answer instanceof Error) failed.push(`${time}: ${answer.message.split("\n")[0]}`);
      else if (answer.status() !== 200) failed.push(`${time}: status ${answer.status()}`);
    }
    expect(failed).toEqual([]);
  });
}

test("selecting a part keeps the drawing that is open, with where one was in it", async ({ page }) => {
  await open(page, SMALL);
  const drawn = await floor(page).elementHandle();
  await select(page, /^power group ups/);
  await expect(inspector(page).getByRole("heading", { name: "ups" })).toBeVisible();
  expect(await drawn!.evaluate((drawing) => drawing.isConnected)).toBe(true);
});

test.describe("a change", () => {
  test("is answered at once: the bar's figures and the notes follow the field", async ({ page }) => {
    await open(page, BIG);
    await expect(notes(page)).toContainText("Nothing was found wrong");
    await expect(await figure(page, "To build")).toHaveText(/^\$2\.70/);
    await select(page, /^power group ups/);
    await expect(inspector(page).getByRole("heading", { name: "ups" })).toBeVisible();
    await set(page, "Units", "40");
    await expect(notes(page)).toContainText(/ups.*asked for .* MW, but can promise/);
    await expect(await figure(page, "To build")).toHaveText(/^\$2\.6\d/);
    // What changed stands beside the figure, and the count of the notes is in the bar.
    await expect(await figure(page, "Notes")).toHaveText(/1 error/);
    await expect(await figure(page, /^Cost/)).not.toHaveText(/\$/);
    await expect(page.getByRole("button", { name: /^Run the year/ })).toBeDisabled();
    await expect(page.getByRole("status").filter({ hasText: /Units: 40/ })).toBeVisible();
  });

  test("shows beside a figure by how much it moved it", async ({ page }) => {
    await open(page, BIG);
    await select(page, /^power group ups/);
    await set(page, "Units", "64");
    await expect(await figure(page, "To build")).toHaveText(/\+\$\d/);
  });

  test("that is out of range is refused beside the field, and the design stays", async ({ page }) => {
    await open(page, BIG);
    await select(page, /^cooling loop warm/);
    await set(page, "Supply set-point", "90");
    await expect(inspector(page).getByRole("alert").filter({ hasText: /5 to 60/ })).toBeVisible();
    await expect(undo(page)).toBeDisabled();
    await set(page, "Supply set-point", "38");
    await expect(inspector(page).getByRole("alert").filter({ hasText: /\S/ })).toHaveCount(0);
    await expect(undo(page)).toBeEnabled();
  });

  test("that breaks the design is mended by the note's button", async ({ page }) => {
    await open(page, BIG);
    await select(page, /^power group ups/);
    await set(page, "Units", "40");
    await expect(mends(page)).toHaveCount(1);
    await mends(page).click();
    await expect(notes(page)).toContainText("Nothing was found wrong");
    await expect(inspector(page).getByLabel("Units", { exact: true })).toHaveValue("50");
    await awake(page);
  });

  test("that a note is about is one press away: the note's place selects it", async ({ page }) => {
    await open(page, SMALL);
    await notes(page).getByRole("button", { name: 'power "pdu"' }).click();
    await expect(inspector(page).getByRole("heading", { name: "pdu" })).toBeVisible();
    await expect(page).toHaveURL(/at=power\/2/);
  });

  test("of several parts at once sets them all", async ({ page }) => {
    await open(page, SMALL);
    await select(page, /^power group entrance/);
    await tree(page).getByRole("link", { name: /^power group ups/ }).click({ modifiers: ["Control"] });
    await expect(inspector(page).getByRole("heading", { name: /entrance and 1 more/ })).toBeVisible();
    await set(page, "Units", "3");
    await expect(tree(page).getByRole("link", { name: /^power group (entrance|ups) × 3/ })).toHaveCount(2);
    await undo(page).click();
    await expect(tree(page).getByRole("link", { name: /^power group .* × 3/ })).toHaveCount(0);
  });
});

test.describe("undo", () => {
  async function twoChanges(page: Page) {
    await open(page, SMALL);
    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    await expect(tree(page).getByRole("link", { name: /^power group ups × 2/ })).toBeVisible();
    await select(page, /^power group pdu/);
    await set(page, "Units", "3");
    await expect(tree(page).getByRole("link", { name: /^power group pdu × 3/ })).toBeVisible();
  }
  const changed = (page: Page) => tree(page).getByRole("link", { name: /^power group (ups × 2|pdu × 3)/ });

  test("takes changes back one by one and does them again, by button", async ({ page }) => {
    await twoChanges(page);
    await undo(page).click();
    await expect(changed(page)).toHaveCount(1);
    await undo(page).click();
    await expect(changed(page)).toHaveCount(0);
    await expect(undo(page)).toBeDisabled();
    await redo(page).click();
    await redo(page).click();
    await expect(changed(page)).toHaveCount(2);
    await expect(redo(page)).toBeDisabled();
  });

  test("works by Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y", async ({ page }) => {
    await twoChanges(page);
    await select(page, /^hall room/); // out of the field, whose own text Ctrl+Z takes back
    await page.keyboard.press("Control+z");
    await expect(changed(page)).toHaveCount(1);
    await page.keyboard.press("Control+z");
    await expect(changed(page)).toHaveCount(0);
    await page.keyboard.press("Control+Shift+Z");
    await expect(changed(page)).toHaveCount(1);
    await page.keyboard.press("Control+y");
    await expect(changed(page)).toHaveCount(2);
  });

  test("by button to the first state leaves the keys working", async ({ page }) => {
    await twoChanges(page);
    await undo(page).click();
    await undo(page).click();
    await expect(undo(page)).toBeDisabled();
    await page.keyboard.press("Control+Shift+Z");
    await expect(changed(page)).toHaveCount(1);
  });

  test("is undo with Caps Lock on too", async ({ page }) => {
    await twoChanges(page);
    await select(page, /^hall room/);
    await page.keyboard.press("Control+Z"); // Caps Lock gives the capital without Shift
    await expect(changed(page)).toHaveCount(1);
  });

  test("survives a reload, what was undone too", async ({ page }) => {
    await twoChanges(page);
    await undo(page).click();
    await expect(changed(page)).toHaveCount(1);
    await page.reload();
    await expect(changed(page)).toHaveCount(1);
    await expect(page.getByRole("status").filter({ hasText: /unsaved changes are here again/ })).toBeVisible();
    await redo(page).click();
    await expect(changed(page)).toHaveCount(2);
    await undo(page).click();
    await undo(page).click();
    await expect(changed(page)).toHaveCount(0);
    await page.reload();
    await awake(page);
    await expect(changed(page)).toHaveCount(0);
  });

  test("tells its steps apart: the same keys on two parts are two steps", async ({ page }) => {
    await open(page, SMALL);
    for (const part of ["ups", "pdu"]) {
      await select(page, new RegExp(`^power group ${part}`));
      await page.keyboard.press("+");
      await expect(tree(page).getByRole("link", { name: new RegExp(`^power group ${part} × 2`) })).toBeVisible();
    }
    await undo(page).click();
    await expect(tree(page).getByRole("link", { name: /^power group pdu × 2/ })).toHaveCount(0);
    await expect(tree(page).getByRole("link", { name: /^power group ups × 2/ })).toBeVisible();
  });
});

test.describe("racks", () => {
  const RACK = /^racks gb200-nvl72/;
  const ON_FLOOR = /gb200-nvl72/;

  test("are dragged over rows to another, and one undo brings them back", async ({ page }) => {
    await threeRows(page);
    expect(await rowOf(page, RACK)).toBe(1);
    await drag(page, ON_FLOOR, [/^row 1$/, /^row 2$/]);
    await expect.poll(() => rowOf(page, RACK)).toBe(3);
    await undo(page).click();
    await expect.poll(() => rowOf(page, RACK)).toBe(1);
    await redo(page).click();
    await expect.poll(() => rowOf(page, RACK)).toBe(3);
  });

  test("dragged twice are brought back drag by drag", async ({ page }) => {
    await threeRows(page);
    await drag(page, ON_FLOOR, [/^row 1$/]);
    await expect.poll(() => rowOf(page, RACK)).toBe(2);
    await drag(page, ON_FLOOR, [/^row 2$/]);
    await expect.poll(() => rowOf(page, RACK)).toBe(3);
    await undo(page).click();
    await expect.poll(() => rowOf(page, RACK)).toBe(2);
  });

  test("stay where they are when only clicked", async ({ page }) => {
    await threeRows(page);
    await floor(page).getByRole("button", { name: ON_FLOOR }).first().click();
    await expect(inspector(page).getByRole("heading", { name: "gb200-nvl72" })).toBeVisible();
    expect(await rowOf(page, RACK)).toBe(1);
  });

  test("move by the arrow keys, one undo a press", async ({ page }) => {
    await threeRows(page);
    await select(page, RACK);
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => rowOf(page, RACK)).toBe(2);
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => rowOf(page, RACK)).toBe(3);
    await page.keyboard.press("ArrowDown");
    await expect(page.getByRole("status").filter({ hasText: /nothing beyond/ })).toBeVisible();
    await undo(page).click();
    await expect.poll(() => rowOf(page, RACK)).toBe(2);
  });

  test("are more or fewer by + and −", async ({ page }) => {
    await open(page, SMALL);
    await select(page, RACK);
    await page.keyboard.press("+");
    await expect(await figure(page, "Racks")).toHaveText(/^2/);
    await page.keyboard.press("-");
    await expect(await figure(page, "Racks")).toHaveText(/^1(?!\d)/);
  });

  test("that do not fit the hall are said to, and the bar does not count them as none", async ({ page }) => {
    await open(page, SMALL);
    await select(page, RACK);
    await set(page, "In each row", "3");
    await expect(notes(page)).toContainText(/error/);
    await expect(tree(page).getByRole("link", { name: /gb200-nvl72 × 3/ })).toBeVisible();
    await expect(await figure(page, "Racks")).toHaveText(/^(3|—)/);
  });

  test("are copied into another row by Ctrl+C and Ctrl+V", async ({ page }) => {
    await threeRows(page);
    await select(page, RACK);
    await page.keyboard.press("Control+c");
    await expect(page.getByRole("status").filter({ hasText: /^Copied/ })).toBeVisible();
    await select(page, /^row row 2/);
    await page.keyboard.press("Control+v");
    await expect(tree(page).getByRole("link", { name: RACK })).toHaveCount(2);
    await expect(await figure(page, "Racks")).toHaveText(/^2/);
    await expect(await figure(page, "GPUs")).toHaveText(/^144/);
    await page.keyboard.press("Control+z");
    await expect(tree(page).getByRole("link", { name: RACK })).toHaveCount(1);
  });

  test("whole rows and halls are copied too, under names of their own", async ({ page }) => {
    await open(page, SMALL);
    await select(page, /^row row/);
    await page.keyboard.press("Control+c");
    await page.keyboard.press("Control+v");
    await expect(tree(page).getByRole("link", { name: /^row row 1/ })).toBeVisible();
    await select(page, /^hall room/);
    await inspector(page).getByRole("button", { name: "Copy beside it" }).click();
    await expect(tree(page).getByRole("link", { name: /^hall room 1/ })).toBeVisible();
    await expect(await figure(page, "Racks")).toHaveText(/^4/);
  });

  test("fill every row of a hall at one press", async ({ page }) => {
    await threeRows(page);
    await select(page, /^hall room/);
    await set(page, "Rack positions", "40");
    await set(page, "Floor", "200");
    await inspector(page).getByLabel("Racks to add").selectOption("gb200-nvl72");
    await inspector(page).getByLabel(/^Fill every row with/).fill("4");
    await inspector(page).getByRole("button", { name: "Fill", exact: true }).click();
    await expect(await figure(page, "Racks")).toHaveText(/^12/);
    await undo(page).click();
    await expect(await figure(page, "Racks")).toHaveText(/^1(?!\d)/);
  });

  test("are removed by Delete, and undo brings them back", async ({ page }) => {
    await open(page, SMALL);
    await select(page, RACK);
    await page.keyboard.press("Delete");
    await expect(tree(page).getByRole("link", { name: RACK })).toHaveCount(0);
    await page.keyboard.press("Control+z");
    await expect(tree(page).getByRole("link", { name: RACK })).toHaveCount(1);
    await awake(page);
  });
});

test.describe("the one-line", () => {
  const outcome = (page: Page) => page.getByRole("region", { name: "One-line diagram" }).getByRole("status");

  test("tells what is overloaded when a side fails, and mending clears it", async ({ page }) => {
    await open(page, BIG);
    await select(page, /^power group transformers/);
    await set(page, "Units", "48");
    await views(page).getByRole("link", { name: "One-line" }).click();
    await page.getByRole("button", { name: "Fail a side of transformers" }).click();
    await expect(outcome(page)).toContainText(/24 of 48 units of .transformers. failed/);
    await expect(outcome(page)).toContainText(/transformers would be overloaded/);
    await expect(page.getByRole("button", { name: /^transformers/ })).toContainText(/too many/);
    await expect(page).toHaveURL(/fail=2:24/);
    await outcome(page).getByRole("button", { name: "Repair it" }).click();
    await expect(outcome(page)).toHaveCount(0);
    await expect(page).not.toHaveURL(/fail=/);
    await expect(page.getByRole("button", { name: /^transformers/ })).not.toContainText(/too many/);
  });

  test("tells which racks go dark when there is nothing to spare", async ({ page }) => {
    await open(page, `${SMALL}?view=one-line`);
    await page.getByRole("button", { name: "Fail one of ups" }).click();
    await expect(outcome(page)).toContainText(/ups, pdu go dark, and with them 1 rack of 1/);
    await expect(page.getByRole("button", { name: /^pdu/ })).toContainText("dark");
    await expect(page.getByRole("button", { name: /^mechanical/ })).not.toContainText("dark");
  });

  test("tells that two whole sides carry on without one", async ({ page }) => {
    await open(page, `${BIG}?view=one-line`);
    await page.getByRole("button", { name: "Fail a side of busway" }).click();
    await expect(outcome(page)).toContainText(/56 of 112 units of .busway. failed, everything carries on/);
  });

  test("keeps a failure while parts change, and answers for the changed design", async ({ page }) => {
    await open(page, `${SMALL}?view=one-line&fail=1:1`);
    await expect(outcome(page)).toContainText(/go dark/);
    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    await expect(outcome(page)).toContainText(/1 of 2 units/);
    await expect(outcome(page)).toContainText(/everything carries on/);
  });
});

test.describe("a link", () => {
  test("holds the view, what is selected and what has failed, and reopens them", async ({ page, context }) => {
    await open(page, SMALL);
    await select(page, /^power group ups/);
    await views(page).getByRole("link", { name: "One-line" }).click();
    await page.getByRole("button", { name: "Fail one of ups" }).click();
    await expect(page).toHaveURL(/view=one-line/);
    await expect(page).toHaveURL(/at=power\/1/);
    await expect(page).toHaveURL(/fail=1:1/);
    const again = await context.newPage();
    await again.goto(page.url());
    await expect(again.getByRole("region", { name: "One-line diagram" }).getByRole("status")).toContainText(/go dark/);
    await expect(inspector(again).getByRole("heading", { name: "ups" })).toBeVisible();
    await expect(views(again).getByRole("link", { name: "One-line" })).toHaveAttribute("aria-current", "page");
    await expect(tree(again).getByRole("link", { name: /^power group ups/ })).toHaveAttribute("aria-current", "true");
  });

  for (const [view, words] of [["floor", "Floor"], ["3d", "3D"], ["rack", "Rack"], ["one-line", "One-line"], ["cooling", "Cooling"], ["year", "Year"], ["drivers", "What drives it"], ["record", "Versions and files"]] as const) {
    test(`opens the view ${words}`, async ({ page }) => {
      await open(page, `${BIG}?view=${view}&at=hall/0/row/0/rack/0`);
      await expect(views(page).getByRole("link", { name: words, exact: true })).toHaveAttribute("aria-current", "page");
      await expect(inspector(page).getByRole("heading", { name: "gb300-nvl72" })).toBeVisible();
    });
  }

  test("to a place that is no more opens the site", async ({ page }) => {
    await open(page, `${SMALL}?view=cooling&at=hall/7/row/2`);
    await expect(inspector(page).getByRole("heading", { name: /GB200/ })).toBeVisible();
  });
});

test.describe("a part that can't be", () => {
  test("is greyed among racks with the reason: no liquid loop, water too warm", async ({ page }) => {
    await open(page, SMALL);
    await select(page, /^hall room/);
    const choice = () => inspector(page).getByLabel("Racks to add").getByRole("option", { name: /GB200 NVL72/ }).first();
    await expect(choice()).toBeEnabled();
    await inspector(page).getByLabel("Liquid loop").selectOption({ label: "none" });
    await expect(choice()).toBeDisabled();
    await expect(choice()).toContainText(/no liquid loop/);
    await undo(page).click();
    await expect(choice()).toBeEnabled();
    await select(page, /^cooling loop warm/);
    await set(page, "Supply set-point", "58");
    await select(page, /^hall room/);
    await expect(choice()).toBeDisabled();
    await expect(choice()).toContainText(/takes water of at most \d+ °C, and the loop supplies 58 °C/);
  });

  test("is greyed among chillers with the reason", async ({ page }) => {
    await open(page, SMALL);
    await select(page, /^cooling loop chilled/);
    const chillers = inspector(page).getByLabel("Chillers", { exact: true });
    await expect(chillers.getByRole("option", { name: /not a chiller/ }).first()).toBeDisabled();
    const greyed = await chillers.getByRole("option", { name: /not a chiller/ }).count();
    const all = await chillers.getByRole("option").count();
    expect(greyed).toBeGreaterThan(0);
    expect(all - greyed).toBeGreaterThan(1);
    await expect(chillers.getByRole("option", { name: /chiller/i, disabled: false }).first()).toBeEnabled();
  });

  test("is greyed where a power group would feed itself", async ({ page }) => {
    await open(page, SMALL);
    await select(page, /^power group ups/);
    const own = inspector(page).getByLabel("Fed by").getByRole("option", { name: /feed itself/ });
    await expect(own).toHaveCount(1);
    await expect(own).toBeDisabled();
  });
});

test.describe("versions", () => {
  /** Someone else's browser on the same design: it makes a change and saves it. */
  async function someoneElse(page: Page, path: string, label: string, value: string) {
    const other = await page.context().browser()!.newContext({ baseURL: new URL(page.url()).origin });
    const theirs = await other.newPage();
    await open(theirs, path);
    await select(theirs, /^power group pdu/);
    await set(theirs, label, value);
    await theirs.getByRole("button", { name: "Save a version" }).click();
    await expect(theirs.getByRole("status").filter({ hasText: "Saved as version 2" })).toBeVisible();
    await other.close();
  }
  const together = (page: Page) => page.getByRole("alert").filter({ hasText: "Someone saved version 2 meanwhile" });

  test("what someone else saved meanwhile goes together with one's own, where it can", async ({ page }) => {
    await open(page, SMALL);
    const path = await own(page);
    await select(page, /^power group ups/);
    await set(page, "Units", "3");
    await someoneElse(page, path, "Units", "7");
    await page.getByRole("button", { name: "Save a version" }).click();
    await expect(together(page)).toContainText("touch different fields");
    await set(page, "Units", "4"); // one goes on working while it is asked
    await together(page).getByRole("button", { name: "Take both" }).click();
    await expect(together(page)).toHaveCount(0);
    await expect(tree(page).getByRole("link", { name: /^power group pdu × 7/ })).toBeVisible();
    await expect(tree(page).getByRole("link", { name: /^power group ups × 4/ })).toBeVisible();
    await page.getByRole("button", { name: "Save a version" }).click();
    await expect(page.getByRole("status").filter({ hasText: "Saved as version 3" })).toBeVisible();
  });

  test("where both changed the same, both are shown, and nothing is lost by either choice", async ({ page }) => {
    await open(page, SMALL);
    const path = await own(page);
    await select(page, /^power group pdu/);
    await set(page, "Units", "3");
    await someoneElse(page, path, "Units", "7");
    await page.getByRole("button", { name: "Save a version" }).click();
    await expect(together(page).getByRole("row", { name: /pdu › units 1 7 3/ })).toBeVisible();
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1280, height: 900 });
    await together(page).getByRole("button", { name: "Keep mine there" }).click();
    await page.getByRole("button", { name: "Save a version" }).click();
    await expect(page.getByRole("status").filter({ hasText: "Saved as version 3" })).toBeVisible();
    await views(page).getByRole("link", { name: "Versions and files" }).click();
    await versions(page).getByRole("button", { name: "Bring back version 2" }).click();
    await expect(tree(page).getByRole("link", { name: /^power group pdu × 7/ })).toBeVisible();
  });

  test("what is put off or chosen in a merge survives a reload, and is undone to their version, never behind it", async ({ page }) => {
    await open(page, SMALL);
    const path = await own(page);
    await select(page, /^power group pdu/);
    await set(page, "Units", "3");
    await someoneElse(page, path, "Units", "7");
    const units = inspector(page).getByLabel("Units", { exact: true });
    const save = page.getByRole("button", { name: "Save a version" });
    await save.click();
    await together(page).getByRole("button", { name: "Decide later" }).click();
    await page.reload();
    await awake(page);
    await expect(page.getByRole("status").filter({ hasText: "Your unsaved changes to version 1 are here again" })).toBeVisible();
    await expect(units).toHaveValue("3");
    await save.click();
    await together(page).getByRole("button", { name: "Keep mine there" }).click();
    await page.reload();
    await awake(page);
    await expect(units).toHaveValue("3");
    await undo(page).click();
    await expect(units).toHaveValue("7");
    await expect(undo(page)).toBeDisabled();
    await redo(page).click();
    await save.click();
    await expect(page.getByRole("status").filter({ hasText: "Saved as version 3" })).toBeVisible();
  });

  test("a reference design becomes one's own, is saved by name, compared and brought back", async ({ page }) => {
    await open(page, SMALL);
    const path = await own(page);
    expect(path).toMatch(/^\/designs\/.+/);
    await expect(page.getByRole("heading", { level: 1, name: /GB200.*mine/ })).toBeVisible();

    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    await expect(page.getByText(/unsaved changes, kept in this browser/)).toBeVisible();
    await page.getByLabel("Name of the version").fill("two UPS");
    await page.getByRole("button", { name: "Save a version" }).click();
    await expect(page.getByRole("status").filter({ hasText: "Saved as version 2" })).toBeVisible();
    await expect(page.getByText(/unsaved changes/)).toHaveCount(0);
    await expect(page.getByRole("button", { name: "Save a version" })).toBeDisabled();

    await views(page).getByRole("link", { name: "Versions and files" }).click();
    await expect(versions(page).getByRole("row", { name: /Version 2 two UPS/ })).toBeVisible();
    await expect(versions(page).getByRole("row", { name: /^Version 1 / })).toBeVisible();
    await expect(versions(page)).toContainText(/Nothing differs/);

    await set(page, "Units", "3");
    const parts = versions(page).getByRole("table", { name: "Parts" });
    await expect(versions(page).getByRole("heading", { name: "What differs from version 2" })).toBeVisible();
    await expect(parts.getByRole("row", { name: /ups › units 2 3$/ })).toBeVisible();
    await expect(parts.getByRole("row")).toHaveCount(2);
    await expect(versions(page).getByRole("table", { name: /^Figures/ }).getByRole("row", { name: /^To build.*\+/ })).toBeVisible();

    await versions(page).getByRole("button", { name: "Bring back version 1" }).click();
    await expect(inspector(page).getByLabel("Units", { exact: true })).toHaveValue("1");
    await expect(parts.getByRole("row", { name: /ups › units 2 1$/ })).toBeVisible();
    await undo(page).click();
    await expect(inspector(page).getByLabel("Units", { exact: true })).toHaveValue("3");
    await redo(page).click();
    await page.getByRole("button", { name: "Save a version" }).click();
    await expect(page.getByRole("status").filter({ hasText: "Saved as version 3" })).toBeVisible();
    await page.reload();
    await awake(page);
    await expect(inspector(page).getByLabel("Units", { exact: true })).toHaveValue("1");
  });

  test("the year of one's own design is run as soon as it is saved", async ({ page }) => {
    await open(page, SMALL);
    await own(page);
    await page.getByRole("button", { name: /^Run the year/ }).click();
    await expect(page).toHaveURL(/\/runs\/[^/]+$/);
    await expect(page.getByRole("heading", { level: 1, name: /A year of/ })).toBeVisible();
    await expect(page.getByRole("region", { name: "The answer" })).toBeVisible({ timeout: 60_000 });
  });

  test("unsaved changes of a reference design go into one's own, and the reference stays", async ({ page }) => {
    await open(page, SMALL);
    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    await own(page);
    await expect(tree(page).getByRole("link", { name: /^power group ups × 2/ })).toBeVisible();
    await page.goto(SMALL);
    await awake(page);
    await expect(tree(page).getByRole("link", { name: /^power group ups × 2/ })).toHaveCount(0);
  });

  test("someone who saves on an old version loses nothing and is told", async ({ page, context }) => {
    await open(page, SMALL);
    const path = await own(page);
    const other = await context.newPage();
    await open(other, path);
    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    await page.getByRole("button", { name: "Save a version" }).click();
    await expect(page.getByRole("status").filter({ hasText: "Saved as version 2" })).toBeVisible();
    await select(other, /^power group pdu/);
    await set(other, "Units", "2");
    await other.getByRole("button", { name: "Save a version" }).click();
    await expect(other.getByRole("alert").filter({ hasText: /Someone saved version 2 meanwhile/ })).toBeVisible();
    await expect(tree(other).getByRole("link", { name: /^power group pdu × 2/ })).toBeVisible();
  });
});

test.describe("a shared link", () => {
  async function share(page: Page): Promise<string> {
    await views(page).getByRole("link", { name: "Versions and files" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = page.getByRole("link", { name: /snapshot=/ });
    await expect(link).toBeVisible();
    return (await link.getAttribute("href"))!;
  }

  test("reopens exactly the state it was made of, for someone else", async ({ page, browser }) => {
    await open(page, SMALL);
    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    const cost = await (await figure(page, "To build")).innerText();
    const link = await share(page);
    const other = await (await browser.newContext()).newPage();
    await open(other, link);
    await expect(tree(other).getByRole("link", { name: /^power group ups × 2/ })).toBeVisible();
    expect((await (await figure(other, "To build")).innerText()).split(/[+−]/)[0].trim()).toBe(cost.split(/[+−]/)[0].trim());
    await other.context().close();
  });

  test("stays open while parts are selected and views changed", async ({ page, browser }) => {
    await open(page, SMALL);
    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    const link = await share(page);
    const other = await (await browser.newContext()).newPage();
    await open(other, link);
    await select(other, /^power group ups/);
    await views(other).getByRole("link", { name: "Cooling" }).click();
    await expect(other.getByRole("region", { name: "Cooling loops" })).toBeVisible();
    await expect(inspector(other).getByRole("heading", { name: "ups" })).toBeVisible();
    await expect(inspector(other).getByLabel("Units", { exact: true })).toHaveValue("2");
    await other.context().close();
  });

  test("shows the shared state to one who has unsaved changes of the same design", async ({ page }) => {
    await open(page, SMALL);
    await select(page, /^power group ups/);
    await set(page, "Units", "2");
    const link = await share(page);
    await set(page, "Units", "5");
    await expect(tree(page).getByRole("link", { name: /^power group ups × 5/ })).toBeVisible();
    await open(page, link);
    await expect(tree(page).getByRole("link", { name: /^power group ups × 2/ })).toBeVisible();
    // Nor is what was not saved lost by having looked.
    await open(page, SMALL);
    await expect(tree(page).getByRole("link", { name: /^power group ups × 5/ })).toBeVisible();
  });
});

test.describe("a file", () => {
  const importer = (page: Page) => page.getByLabel(/^Import TOML or JSON/);
  const file = (name: string, text: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
  async function download(page: Page, button: string): Promise<{ name: string; text: string }> {
    const [taken] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button }).click()]);
    return { name: taken.suggestedFilename(), text: await readFile(await taken.path(), "utf8") };
  }

  for (const format of ["TOML", "JSON"]) {
    test(`taken out as ${format} can be taken in again`, async ({ page }) => {
      await open(page, `${SMALL}?view=record`);
      await select(page, /^power group ups/);
      await set(page, "Units", "2");
      const { name, text } = await download(page, `Download ${format}`);
      expect(name).toBe(`one-rack-gb200.${format.toLowerCase()}`);
      expect(text).toContain("ups-250kw");
      await undo(page).click();
      await expect(inspector(page).getByLabel("Units", { exact: true })).toHaveValue("1");
      await importer(page).setInputFiles(file(name, text));
      await expect(inspector(page).getByLabel("Units", { exact: true })).toHaveValue("2");
      await expect(page.getByRole("status").filter({ hasText: `Import ${name}` })).toBeVisible();
      await undo(page).click();
      await expect(inspector(page).getByLabel("Units", { exact: true })).toHaveValue("1");
    });
  }

  const good = 'name = "Broken"\nlocation = "golden-co"\ncontract_power_w = 1e6\n';
  for (const [what, text, line] of [
    ["a value of the wrong kind", good.replace("1e6", '"much"'), 3],
    ["a line that is no TOML", `${good}house_power_w 5\n`, 4],
    ["an unknown name at the start of its line", `${good}\n[service]\nmodel = "gpt-oss-120b"\nfavourite_colour = "red"\n`, 7],
    ["a missing end of a quotation", good.replace('golden-co"', "golden-co"), 2],
    ["JSON with a comma too many", '{\n"name": "Broken",\n"location": "golden-co",,\n"contract_power_w": 1e6}', 3],
  ] as const) {
    test(`that is broken is refused with its line: ${what}`, async ({ page }) => {
      await open(page, `${SMALL}?view=record`);
      await importer(page).setInputFiles(file("broken.toml", text));
      await expect(page.getByRole("status").filter({ hasText: /broken\.toml/ })).toContainText(new RegExp(`line ${line}\\b`));
      await expect(page.getByRole("heading", { level: 1, name: /GB200/ })).toBeVisible();
      await expect(undo(page)).toBeDisabled();
    });
  }

  test("can be changed as text in the page", async ({ page }) => {
    await open(page, `${SMALL}?view=record`);
    const text = page.getByLabel(/^The design as TOML/);
    const toml = await text.inputValue();
    await text.fill(toml.replace('name = "One GB200 NVL72 rack"', 'name = "My rack"'));
    await page.getByRole("button", { name: "Use this text" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "My rack" })).toBeVisible();
    await text.fill("name = ");
    await page.getByRole("button", { name: "Use this text" }).click();
    await expect(page.getByRole("status").filter({ hasText: /can't be read: line 1/ })).toBeVisible();
    await page.getByRole("button", { name: "Leave it as it was" }).click();
    await expect(text).toHaveValue(/My rack/);
  });
});

test("text of the page that is marked is copied as text by Ctrl+C", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, SMALL);
  await page.getByRole("heading", { level: 1 }).selectText();
  await page.keyboard.press("Control+c");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("One GB200 NVL72 rack");
});
