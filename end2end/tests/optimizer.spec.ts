// A planner finds a design's operating point, looks into it, applies it, runs a year of both and compares them; steers its tree;
// and sweeps what is not decided yet.
import { test as loud, type Page } from "@playwright/test";
import { expect, test } from "./quiet";

async function runYear(page: Page) {
  await page.getByRole("button", { name: /Run the year/ }).click();
  await expect(page).toHaveURL(/\/runs\/[^/]+$/);
  const answer = page.getByRole("region", { name: "The answer" });
  await expect(answer.getByText(/tok\/s\/MW/).first()).toBeVisible({ timeout: 60_000 });
  return new URL(page.url()).pathname.split("/").pop()!;
}

test("the operating point is found, looked into, applied, run and compared", async ({ page }) => {
  await page.goto("/designs/superpod-gb200-su");
  const before = await runYear(page);
  await page.goto("/designs/superpod-gb200-su");
  await page.getByRole("link", { name: "Operating point" }).click();
  await expect(page).toHaveURL(/\/optimize\/superpod-gb200-su$/);
  await expect(page.getByRole("heading", { level: 1, name: "Operating point" })).toBeVisible();

  await page.getByLabel("Power at most, MW").fill("1.1");
  await page.getByRole("combobox", { name: /^And/ }).selectOption("least cost of a token");
  await page.getByRole("button", { name: "Find the best" }).click();
  await expect(page).toHaveURL(/power=1\.1/);
  // The answer before stays until the new one is there.
  const choices = page.getByRole("region", { name: "Choices of the frontier" });
  await expect(choices.getByRole("columnheader", { name: "Cost of a million output tokens" })).toBeVisible();
  for (const heading of ["The frontier", "The power limit as a dial", "What holds it where it is", "Does it stand?", "More GPUs in the same megawatts?", "Stranded power, before and after"]) {
    await expect(page.getByRole("heading", { name: heading })).toBeVisible();
  }

  // A range typed on an axis keeps fewer choices, and is let go again.
  const all = await choices.getByText(/choices? lies? within the ranges/).textContent();
  await page.getByText("Ranges as numbers").click();
  const tokens = page.getByRole("group", { name: "tokens a second" });
  const least = await tokens.getByLabel("to", { exact: true }).getAttribute("placeholder");
  await tokens.getByLabel("from").fill(least!);
  await tokens.getByLabel("from").blur();
  await expect(choices.getByText(/lies? within the ranges/)).not.toHaveText(all!);
  await page.getByRole("button", { name: "Show all choices" }).click();
  await expect(choices.getByText(/within the ranges/)).toHaveText(all!);

  await page.getByRole("button", { name: "Apply the best choice to the design" }).click();
  await expect(page.getByText("Kept as a design of your own:")).toBeVisible();
  await page.getByRole("status").getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1, name: /racks at/ })).toBeVisible();
  const after = await runYear(page);
  await page.goto(`/compare?runs=${before},${after}`);
  await expect(page.getByRole("columnheader", { name: /racks at/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /^Tokens per facility MW/ }).first()).toBeVisible();
});

test("a power tree is steered, and its moments can be gone through", async ({ page }) => {
  await page.goto("/power/superpod-gb200-su?limit=1.05");
  await expect(page.getByText(/no node is ever above its limit/)).toBeVisible();
  const row = page.getByRole("row", { name: /^utility contract/ });
  const drawn = async () => (await row.getByRole("cell").first().textContent())!;
  const first = await drawn();
  const slider = page.getByRole("slider", { name: "Moment" });
  await slider.fill("0");
  await expect(page.getByText(/^After 5/)).toBeVisible();
  expect(await drawn()).not.toBe(first);
  await page.getByLabel("Grid event, % of the limit").fill("90");
  await page.getByRole("button", { name: "Steer it" }).click();
  await expect(page.getByText(/The cut is met/)).toBeVisible();
  await expect(page.getByRole("figure")).toHaveCount(3);
});

// A refusal is a line in the console, which no page can help.
loud("a sweep is started, followed and read", async ({ page }) => {
  await page.goto("/sweeps?design=hgx-b200-5mw");
  await page.getByRole("button", { name: "Power limits and water" }).click();
  await page.getByLabel("Varied, a field to a line").fill("cap=700..1000:50\nwatre=30,40");
  await page.getByRole("button", { name: "Start the sweep" }).click();
  await expect(page.getByText(/did you mean water/)).toBeVisible();
  await page.getByLabel("Varied, a field to a line").fill("cap=700..1000:50\nmodel=llama-3.1-70b,deepseek-r1");
  await page.getByRole("button", { name: "Start the sweep" }).click();
  await expect(page).toHaveURL(/\/sweeps\/[^/]+$/);
  await expect(page.getByText("Done", { exact: true })).toBeVisible({ timeout: 30_000 });
  for (const heading of ["The best", "By model", "By cap", "What none beats"]) {
    await expect(page.getByRole("heading", { name: heading })).toBeVisible();
  }
  await expect(page.getByRole("link", { name: "Every row (CSV)" })).toBeVisible();
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/sweeps$/);
});
