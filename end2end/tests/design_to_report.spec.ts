// A planner's whole way: from the overview to a design, a year of it, and its report. In both themes.
import { test as loud } from "@playwright/test";
import { expect, test } from "./quiet";

for (const colorScheme of ["light", "dark"] as const) {
  test(`a planner gets from the overview to a report (${colorScheme})`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto("/");
    await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();

    const designs = page.getByRole("region", { name: "Designs", exact: true });
    await designs.getByRole("link", { name: /100 MW/ }).first().click();
    await expect(page).toHaveURL(/\/designs\/facility-100mw$/);
    const bar = page.getByRole("region", { name: "The design in figures, everything busy" });
    await expect(bar.getByText(/tok\/s\/MW/)).toBeVisible();

    // The browser has run the year itself by now, without asking the server to.
    await page.getByRole("link", { name: "Year", exact: true }).click();
    const instant = page.getByRole("region", { name: "The year", exact: true }).first();
    await expect(instant.getByText(/worked out here in/)).toBeVisible();
    await expect(instant.getByText(/tok\/s\/MW/).first()).toBeVisible();

    await page.getByLabel("Length of a step").selectOption("5-minute steps");
    await page.getByRole("button", { name: /Run the year/ }).click();
    await expect(page).toHaveURL(/\/runs\/[^/]+$/);
    await expect(page.getByRole("heading", { level: 1, name: /A year of/ })).toBeVisible();

    const answer = page.getByRole("region", { name: "The answer" });
    await expect(answer.getByText(/tok\/s\/MW/).first()).toBeVisible({ timeout: 60_000 });
    await expect(answer.getByText(/[±−]\s?\d+\s?%/).first()).toBeVisible();
    for (const picture of [/reaches GPU boards/, /takes the most energy/, /of its contract/]) {
      await expect(page.getByRole("img", { name: picture })).toBeVisible();
    }
    await expect(page.getByRole("heading", { name: "Money" })).toBeVisible();

    // The same report from the server, without a script having made it.
    await page.reload();
    await expect(answer.getByText(/tok\/s\/MW/).first()).toBeVisible();

    // And as an executive prints it.
    await page.getByRole("link", { name: "Report to print" }).click();
    await expect(page.getByRole("heading", { level: 1, name: /from each megawatt at its meter/ })).toBeVisible();
    await expect(page.getByRole("heading", { name: "What to do next" })).toBeVisible();
    await expect(page.getByRole("heading", { name: "Beside business as usual" })).toBeVisible();
  });
}

test("a run under way shows how far it is, and finishes", async ({ page }) => {
  await page.goto("/designs/facility-100mw");
  await page.getByLabel("Length of a step").selectOption("5-minute steps");
  await page.getByRole("button", { name: /Run the year/ }).click();
  await expect(page).toHaveURL(/\/runs\//);
  // A fast machine may be done before the bar is seen; either is right, an empty page is not.
  const bar = page.getByRole("progressbar");
  const answer = page.getByRole("region", { name: "The answer" });
  await expect(bar.or(answer)).toBeVisible();
  await expect(answer).toBeVisible({ timeout: 60_000 });
});

test("the theme that was chosen is kept and does not flash", async ({ page }) => {
  await page.goto("/");
  const theme = page.getByLabel("Theme");
  await expect(page.getByRole("button", { name: /Run the year/ }).first()).toBeEnabled(); // awake
  await theme.selectOption("Dark theme");
  await page.goto("/designs", { waitUntil: "commit" });
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(theme).toHaveValue("dark");
});

test("every page can be reached by keyboard alone", async ({ page }) => {
  await page.goto("/");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Designs", exact: true })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Designs" })).toBeVisible();
});

// Not a quiet test: the browser itself logs every status of 404.
loud("an address that leads nowhere says so", async ({ page }) => {
  const response = await page.goto("/no/such/page");
  expect(response?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1, name: "There is no such page" })).toBeVisible();
  await page.getByRole("link", { name: "See all designs" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Designs" })).toBeVisible();
});
