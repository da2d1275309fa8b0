// The hall in 3D: it is drawn, says by its colours what it is told to, is clicked, turned, saved and linked; and where a
// browser can't draw it, the page says so and shows the same otherwise.
import type { Locator, Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { awake, floor, inspector, tree, undo, views } from "./bench";
import { expect, test } from "./quiet";

const HALL = "/designs/facility-100mw?view=3d";
const picture = (page: Page) => page.getByRole("img", { name: /^Hall .* in 3D: 224 racks in 16 rows/ });
const colourBy = (page: Page) => page.getByLabel("Colour by");
const look = (page: Page, from: string) => page.getByRole("group", { name: "Look from" }).getByRole("button", { name: from });
const frames = async (page: Page) => Number(await picture(page).getAttribute("data-frames"));

async function open(page: Page, path = HALL) {
  await page.goto(path);
  await awake(page);
  await expect(page.getByRole("button", { name: "Save this picture" })).toBeEnabled({ timeout: 30_000 });
  await expect(picture(page)).toBeVisible();
}

/** Nothing is drawn any more, so what is shown is what was asked for. */
async function atRest(page: Page) {
  await expect
    .poll(async () => {
      const before = await frames(page);
      await page.waitForTimeout(300);
      return (await frames(page)) - before;
    })
    .toBe(0);
}

/** Saves the picture and counts its colours. */
async function saved(page: Page): Promise<{ name: string; size: [number, number]; colours: Map<string, number> }> {
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save this picture" }).click();
  const download = await coming;
  const bytes = readFileSync(await download.path());
  expect(bytes.subarray(1, 4).toString()).toBe("PNG");
  const { size, colours } = await page.evaluate(async (base64) => {
    const blob = new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/png" });
    const bitmap = await createImageBitmap(blob);
    const flat = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
    flat.drawImage(bitmap, 0, 0);
    const { data } = flat.getImageData(0, 0, bitmap.width, bitmap.height);
    const colours = new Map<string, number>();
    for (let at = 0; at < data.length; at += 4) {
      const colour = `${data[at]},${data[at + 1]},${data[at + 2]}`;
      colours.set(colour, (colours.get(colour) ?? 0) + 1);
    }
    return { size: [bitmap.width, bitmap.height] as [number, number], colours: [...colours] };
  }, bytes.toString("base64"));
  return { name: download.suggestedFilename(), size, colours: new Map(colours) };
}

/** Moves the pointer over the picture until a rack is under it, from the middle outwards. */
async function findRack(page: Page): Promise<[number, number]> {
  const box = (await picture(page).boundingBox())!;
  for (let step = 0; step < 200; step++) {
    const [x, y] = [box.width * (0.5 + 0.0017 * step * Math.cos(step)), box.height * (0.5 + 0.0017 * step * Math.sin(step))];
    await picture(page).hover({ position: { x, y } });
    if ((await picture(page).getAttribute("data-over")) !== null) return [x, y];
  }
  throw new Error("no rack is in the middle of the picture");
}

const alike = (a: Map<string, number>, b: Map<string, number>) => {
  let [shared, all] = [0, 0];
  for (const [colour, count] of a) [shared, all] = [shared + Math.min(count, b.get(colour) ?? 0), all + count];
  return shared / all;
};

test.beforeEach(async ({ page }) => page.emulateMedia({ reducedMotion: "reduce", colorScheme: "light" }));

test("the picture is drawn when something changed, says what it is coloured by, and is saved", async ({ page }) => {
  await open(page);
  await expect(picture(page)).toHaveAccessibleName(/coloured by provisioned power from 0 to 142\s?kW\.$/);
  await atRest(page);
  const power = await saved(page);
  expect(power.name).toBe("facility-100mw building provisioned.png");
  expect(power.size[0]).toBeGreaterThan(600);
  expect(power.colours.size).toBeGreaterThan(50); // not blank
  await colourBy(page).selectOption("kind");
  await expect(page).toHaveURL(/colour=kind/);
  await expect(picture(page)).toHaveAccessibleName(/coloured by what they are for/);
  await atRest(page);
  const kind = await saved(page);
  expect(alike(power.colours, kind.colours)).toBeLessThan(0.95);
  await page.emulateMedia({ colorScheme: "dark" });
  await atRest(page);
  expect(alike(kind.colours, (await saved(page)).colours)).toBeLessThan(0.3);
});

test("a click on a rack selects it everywhere", async ({ page }) => {
  await open(page);
  await look(page, "Above").click();
  await atRest(page);
  const [x, y] = await findRack(page);
  await picture(page).click({ position: { x, y } });
  await expect(page).toHaveURL(/at=hall\/0\/row\/0\/rack\/\d/);
  await expect(inspector(page).getByText("Racks, ", { exact: false }).first()).toBeVisible();
  await expect(tree(page).locator("[aria-current]").last()).toContainText(/rack|nvl72/);
  await expect(look(page, "Selected rack")).toBeEnabled();
  await views(page).getByRole("link", { name: "Floor" }).click();
  await expect(floor(page).locator('[aria-pressed="true"]').first()).toBeVisible();
});

test("keys turn the picture and move no rack, and the address keeps where one looks from", async ({ page }) => {
  await open(page, `${HALL}&at=hall/0/row/0/rack/0`);
  const before = await frames(page);
  await picture(page).focus();
  for (const key of ["ArrowLeft", "ArrowUp", "+", "Shift+ArrowRight"]) await picture(page).press(key);
  await expect(page).toHaveURL(/camera=[-\d.,]+/);
  expect(await frames(page)).toBeGreaterThan(before);
  await expect(undo(page)).toBeDisabled();
  await atRest(page);
  const here = await saved(page);
  const address = page.url();
  await picture(page).press("2");
  await expect(page).toHaveURL(/camera=[^&]*,90\.0,[\d.]+(&|$)/);
  await open(page, address);
  await atRest(page);
  expect(alike(here.colours, (await saved(page)).colours)).toBeGreaterThan(0.9);
});

test("the table has the racks of the picture, and selects them too", async ({ page }) => {
  await open(page);
  await page.getByText("The same as a table").click();
  const rows = page.getByRole("region", { name: "Racks of the hall, row by row" }).getByRole("row");
  await expect(rows).toHaveCount(6);
  await expect(rows.nth(1)).toContainText(/unit\s*16\s*GB300 NVL72\s*compute\s*8\s*142\s?kW/);
  await colourBy(page).selectOption("tokens");
  await expect(rows.nth(2)).toContainText("— has no GPUs");
  await rows.nth(2).getByRole("button").click();
  await expect(page).toHaveURL(/at=hall\/0\/row\/0\/rack\/1/);
});

async function seesTheSameOtherwise(page: Page, why: RegExp): Promise<Locator> {
  const failure = page.getByRole("alert").filter({ hasText: "can't be shown in 3D" });
  await expect(failure).toContainText(why, { timeout: 30_000 });
  await expect(page.getByRole("region", { name: "Racks of the hall, row by row" })).toBeVisible();
  return failure;
}

test("without WebGL2 the page says so, and the floor plan is a link away", async ({ page }) => {
  await page.addInitScript(() => {
    HTMLCanvasElement.prototype.getContext = () => null;
  });
  await page.goto(HALL);
  await awake(page);
  const failure = await seesTheSameOtherwise(page, /no WebGL2/);
  await expect(page.getByRole("button", { name: "Save this picture" })).toBeDisabled();
  await failure.getByRole("link", { name: "Open the floor plan" }).click();
  await expect(floor(page)).toBeVisible();
});

test("graphics that the browser takes back are said, and can be had again", async ({ page }) => {
  await open(page);
  await picture(page).evaluate((canvas: HTMLCanvasElement) =>
    canvas.getContext("webgl2")!.getExtension("WEBGL_lose_context")!.loseContext(),
  );
  const failure = await seesTheSameOtherwise(page, /took the graphics back/);
  await failure.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("button", { name: "Save this picture" })).toBeEnabled({ timeout: 30_000 });
  await expect(failure).toHaveCount(0);
});
