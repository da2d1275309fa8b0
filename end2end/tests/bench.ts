// What tests of the workshop share: opening it awake, reading a figure of its bar, its history and its parts.
import { expect, type Locator, type Page } from "@playwright/test";

export const bar = (page: Page) => page.getByRole("region", { name: /^The design in figures/ });
export const notes = (page: Page) => page.getByRole("region", { name: "Notes", exact: true });
export const tree = (page: Page) => page.getByRole("navigation", { name: "Parts of the design" });
export const views = (page: Page) => page.getByRole("navigation", { name: "Views of the design" });
export const inspector = (page: Page) => page.getByRole("complementary");
export const undo = (page: Page) => page.getByRole("button", { name: /^Undo/ });
export const redo = (page: Page) => page.getByRole("button", { name: /^Redo/ });
export const floor = (page: Page) => page.getByRole("group", { name: /^Racks of the hall/ });
export const history = (page: Page) => page.getByRole("group", { name: "Changes" });

/** A figure of the bar, by the words over it. */
export async function figure(page: Page, words: string | RegExp): Promise<Locator> {
  await expect(bar(page).getByRole("term").last()).toBeVisible();
  const terms = await bar(page).getByRole("term").allInnerTexts();
  const at = terms.findIndex((term) => (typeof words === "string" ? term.trim() === words : words.test(term)));
  expect(at, `the bar has ${words} among ${terms.join(", ")}`).toBeGreaterThanOrEqual(0);
  return bar(page).getByRole("definition").nth(at);
}

/** Waits until the engine has answered here: the bar has the cost of a year, which only the browser works out. */
export async function awake(page: Page) {
  await expect(await figure(page, /^Cost/)).toHaveText(/\$/, { timeout: 30_000 });
}

/** Opens a workshop and waits for it. */
export async function open(page: Page, path: string) {
  await page.goto(path);
  await awake(page);
}

/** Selects a part in the tree: `power group ups`. */
export async function select(page: Page, part: RegExp) {
  await tree(page).getByRole("link", { name: part }).first().click();
}

/** Fills a field of the inspector and leaves it. */
export async function set(page: Page, label: string | RegExp, value: string) {
  const field = inspector(page).getByLabel(label, { exact: typeof label === "string" });
  await field.fill(value);
  await field.press("Tab");
}

/** Saves what is open as one's own design and waits for its page; its path. */
export async function own(page: Page): Promise<string> {
  const before = new URL(page.url()).pathname;
  await page.getByRole("button", { name: "Save as my own" }).click();
  await expect(page).not.toHaveURL(new RegExp(`${before}(\\?|$)`));
  await expect(page.getByRole("button", { name: "Save a version" })).toBeVisible();
  await awake(page);
  return new URL(page.url()).pathname;
}
