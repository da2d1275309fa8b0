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
  // The button has no name, so it has no place in the address.
  expect(new URL(page.url()).searchParams.has("")).toBe(false);
});

test("what of an address is not understood is said, with what is used instead", async ({ page }) => {
  await page.goto("/serving?count=many&precision=fp12&gpu=h900-sxm&engine=steam&model=llama-3.1-71b");
  const said = page.getByRole("alert").filter({ hasText: "Not all of the address is understood" });
  for (const words of [
    "“count=many”: GPUs in all must be a whole number from 1 to 100\u202f000. 64 is used instead.",
    "“precision=fp12”: Number format must be one of bf16, fp8, fp4, int4. fp8 is used instead.",
    "“engine=steam”: Engine must be one of trtllm, vllm, sglang. vllm is used instead.",
    "“gpu=h900-sxm”: GPU must be one of the catalog, nearest to it are",
    "“model=llama-3.1-71b”: Model must be one of the catalog, nearest to it are llama-3.1-70b",
  ]) {
    await expect(said).toContainText(words);
  }
  await expect(page.getByLabel("GPUs in all")).toHaveValue("64");
  await page.goto("/workloads?turns=0&gpu=abacus");
  await expect(said).toContainText("“turns=0”: Turns of a task must be a whole number from 1 to 1000. 6 is used instead.");
  await expect(said).toContainText("“gpu=abacus”");
  await page.goto("/models?gpu=h900");
  await expect(said).toContainText("“gpu=h900”: GPU must be one that was measured");
  await page.goto("/replay?again=nothing");
  await expect(said).toContainText("“again=nothing”: The replay to run again must be one of those below");
  await page.goto("/serving");
  await expect(page.getByText(/make .* within the targets/)).toBeVisible();
  await expect(said).toHaveCount(0);
});

test("a format that a GPU can not compute in is told", async ({ page }) => {
  await page.goto("/serving?gpu=a100-sxm&model=llama-3.1-8b&precision=fp8&count=8&tpot=100");
  await expect(page.getByText(/has no FP8 arithmetic: such weights are read as they are and computed in 16 bits/)).toBeVisible();
});

for (const where of ["/serving?gpu=b200-sxm&model=llama-3.1-70b&precision=fp8", "/models"]) {
  test(`pictures fit a phone (${where.split("?")[0]})`, async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(where);
    const pictures = page.getByRole("figure").getByRole("img");
    await expect(pictures).toHaveCount(2);
    for (const picture of await pictures.all()) {
      const fits = await picture.evaluate((svg) => {
        const frame = svg.closest(".scroll")!;
        const words = [...svg.querySelectorAll("text")].map((text) => text.getBoundingClientRect().height);
        return { wider: frame.scrollWidth - frame.clientWidth, smallest: Math.min(...words) };
      });
      expect(fits.wider).toBeLessThanOrEqual(0);
      expect(fits.smallest).toBeGreaterThan(10);
    }
  });
}

test("every public point stands beside its prediction", async ({ page }) => {
  await page.goto("/models");
  await expect(page.getByRole("heading", { level: 1, name: "Predicted and measured" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Errors on what was left out" }).getByRole("row")).toHaveCount(12);
  await page.getByRole("link", { name: "Model Qwen3 32B left out" }).click();
  await expect(page).toHaveURL(/model=qwen3-32b/);
  await expect(page.getByRole("figure").first()).toContainText(/Points of Qwen3 32B: .* predicted within a fifth/);
  const fitted = page.getByRole("region", { name: "Errors on the points that were fitted" });
  await expect(fitted.getByRole("rowheader").filter({ hasNotText: "Qwen3 32B" })).toHaveCount(0);
  await expect(page.getByText("The pictures and both tables are of Qwen3 32B alone")).toBeVisible();
  await page.getByLabel(/^GPU/).selectOption("b200-sxm");
  await page.getByLabel(/^Model/).selectOption("every model");
  await page.getByRole("button", { name: "Show these" }).click();
  await expect(page).toHaveURL(/gpu=b200-sxm/);
  await expect(fitted.getByRole("rowheader").filter({ hasNotText: "B200 SXM" })).toHaveCount(0);
  expect(await fitted.getByRole("rowheader").count()).toBeGreaterThan(2);
  await page.getByRole("link", { name: "Show all points" }).click();
  await expect(page.getByRole("region", { name: "Errors on what was left out" }).getByRole("row")).toHaveCount(12);
});

test("a workload says what a task takes and what careless choices add", async ({ page }) => {
  await page.goto("/workloads");
  await page.getByRole("navigation", { name: "Kinds of work" }).getByRole("link", { name: "Agent's loop" }).click();
  await expect(page.getByRole("cell", { name: /×$/ }).first()).toBeVisible();
  await page.getByLabel("Tenants and their shares").fill("search 40, code 60");
  await page.getByRole("button", { name: "Work it out" }).click();
  await expect(page.getByRole("region", { name: "Budgets" }).getByRole("row")).toHaveCount(3);
  await page.getByLabel("Tenants and their shares").fill("search 40, code");
  await page.getByRole("button", { name: "Work it out" }).click();
  await expect(page.getByRole("alert")).toContainText("Tenant 2, “code”: it has no share. Write a name and a number above 0");
  await expect(page.getByLabel("Tenants and their shares")).toHaveValue("search 40, code");
  await expect(page.getByRole("region", { name: "Budgets" }).getByRole("row")).toHaveCount(0);
  const sheet = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the review (CSV)" }).click();
  expect((await sheet).suggestedFilename()).toBe("review-agent.csv");
});
