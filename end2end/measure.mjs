// The figures of the whole, measured on the release build: bundle, binary, start, idle memory, and the year in a browser.
// Prints one line a figure with the bar it must meet; exits with 1 where one is missed.
import { chromium } from "@playwright/test";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "target/release/millwright");
const data = mkdtempSync(join(tmpdir(), "millwright-measure-"));
const missed = [];

function tell(what, value, bar, unit) {
  const met = value <= bar;
  if (!met) missed.push(what);
  console.log(`${what}: ${value.toFixed(1)} ${unit} (at most ${bar})${met ? "" : "  MISSED"}`);
}

const bytes = (path) => statSync(join(root, path)).size;
const brotli = (names) => names.reduce((sum, name) => sum + bytes(`target/site/pkg/${name}.br`), 0) / 1e3;
tell("bundle of the first page, brotli", brotli(["millwright.js", "__wasm_split.js", "millwright_bg.wasm"]), 900, "kB");
const shared = readdirSync(join(root, "target/site/pkg")).filter((name) => /^chunk_\d+\.wasm\.br$/.test(name)).map((name) => name.slice(0, -3));
for (const room of ["workshop", "fleet"]) tell(`more for the ${room}, when it is opened`, brotli([`split_${room}.wasm`, ...shared]), 600, "kB");
tell("more for the 3D view, when it is opened", brotli(["scene-load.js", "scene.js", "scene_bg.wasm"]), 800, "kB");
tell("program", statSync(program).size / 1e6, 60, "MB");

const began = performance.now();
const server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "pipe", "ignore"] });
try {
  const address = await new Promise((resolve, reject) => {
    server.stdout.on("data", (text) => /http:\/\/[\d.:]+/.test(text) && resolve(/http:\/\/[\d.:]+/.exec(text)[0]));
    server.on("exit", (code) => reject(new Error(`the program ended with ${code}`)));
  });
  const first = await fetch(address);
  await first.text();
  tell("program to first page", (performance.now() - began) / 1e3, 10, "s");

  const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
  const page = await browser.newPage();
  await page.goto(address);
  const milliseconds = await page.evaluate(async () => {
    const engine = await import("/pkg/millwright.js");
    await engine.default({ module_or_path: "/pkg/millwright_bg.wasm" });
    const site = await (await fetch("/api/v1/designs/facility-100mw/site")).text();
    return JSON.parse(engine.simulate_year(site, 60, 1, 40)).milliseconds;
  });
  tell("year of the 100 MW design in Chromium, best of 40", milliseconds, 60, "ms");

  // Each frame from its beginning until its pixels are there to be read; the median, drawn by the processor alone.
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${address}/designs/facility-100mw?view=3d`);
  await page.locator('.scene[data-state="shown"]').waitFor();
  const frame = await page.locator(".scene canvas").evaluate(async (canvas) => {
    const gl = canvas.getContext("webgl2");
    const times = [];
    for (let n = 0; n < 61; n++) {
      times.push(await new Promise((done) => {
        let began;
        requestAnimationFrame(() => (began = performance.now()));
        canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true, cancelable: true }));
        requestAnimationFrame(() => {
          gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
          done(performance.now() - began);
        });
      }));
    }
    return times.sort((a, b) => a - b)[30];
  });
  tell("frame of a hall of 224 racks, without a graphics card", frame, 100, "ms");
  await browser.close();

  await new Promise((resolve) => setTimeout(resolve, 2000));
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1];
  tell("server at rest, resident", Number(resident) / 1e3, 80, "MB");
} finally {
  server.kill("SIGTERM");
  await new Promise((resolve) => server.on("exit", resolve));
  rmSync(data, { recursive: true, force: true });
}
process.exitCode = missed.length === 0 ? 0 : 1;
