// A planner finds the best way to serve a model, sees how sure that is, and what careless choices cost.
import { expect, test } from "./quiet";

test("the best way is found within the targets, beside what was measured", async ({ page }) => {
  await page.goto("/serving?gpu=b200-sxm&model=llama-3.1-70b&precision=fp8");
  await expect(page.getByRole("heading", { level: 1, name: "Serving" })).toBeVisible();
  await expect(page.getByText(/Llama 3.1 70B on \d+ B200 SXM/)).toBeVisible();
  await expect(page.getByText("Points of this GPU with this model were measured")).toBeVisible();
  await expect(page.getByRole("figure")).toHaveCount(2);
  await page.getByLabel("Between tokens, ms").fill("1");
  await page.getByRole("button", { name: "Find the best way" }).click();
  await expect(page.getByRole("heading", { name: "No way was found" })).toBeVisible();
  await expect(page).toHaveURL(/tpot=1(&|$)/);
});

test("every public point stands beside its prediction", async ({ page }) => {
  await page.goto("/models");
  await expect(page.getByRole("heading", { level: 1, name: "Predicted and measured" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Errors on what was left out" }).getByRole("row")).toHaveCount(8);
  await page.getByRole("link", { name: "Model qwen3-32b left out" }).click();
  await expect(page).toHaveURL(/model=qwen3-32b/);
  await expect(page.getByRole("figure").first()).toContainText(/Points of qwen3-32b: .* predicted within a fifth/);
});

test("a workload says what a task takes and what careless choices add", async ({ page }) => {
  await page.goto("/workloads");
  await page.getByRole("navigation", { name: "Kinds of work" }).getByRole("link", { name: "Agent's loop" }).click();
  await expect(page.getByRole("cell", { name: /×$/ }).first()).toBeVisible();
  await page.getByLabel("Tenants and their shares").fill("search 40, code 60");
  await page.getByRole("button", { name: "Work it out" }).click();
  await expect(page.getByRole("region", { name: "Budgets" }).getByRole("row")).toHaveCount(3);
  const sheet = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the review (CSV)" }).click();
  expect((await sheet).suggestedFilename()).toBe("review-agent.csv");
});
