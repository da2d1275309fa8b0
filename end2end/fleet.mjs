// Measures the live fleet as a whole program, beside VictoriaMetrics and Prometheus where they are installed.
//
//   node fleet.mjs ingest     the same pages of metrics scraped by each: samples kept, processor time of each
//                             (WARM 300 s before, SECONDS 120 measured, TARGETS 2,083 nodes, BESIDE victoria-metrics,prometheus)
//   node fleet.mjs steady     12,000 readings/s (10,000 GPUs) for MINUTES (20): share of a core, drift of memory
//   node fleet.mjs query      24 h of one GPU's 10 metrics; the fleet's page of 10,000 GPUs
//   node fleet.mjs viewers    from a reading to 50 viewers, and to the pixels of a page; memory of 250 idle viewers
//   node fleet.mjs crash      kill -9 while readings are sent: none that was acknowledged may be missing (CYCLES, 200)
//   node fleet.mjs faults     the building's broker killed, its link cut for 30 s, a tenth of packets lost for 60 s: each is told,
//                             and got over within 10 s (as root, with nftables; in networks of its own)
//
// Everything listens on loopback, on free ports, and is stopped by process id. Figures are printed as JSON lines.
import { spawn, spawnSync } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const BIN = process.env.MILLWRIGHT_BIN ?? path.join(here, '../target/release/millwright');
const TICKS_PER_S = Number(spawnSync('getconf', ['CLK_TCK']).stdout.toString()) || 100;
const PAGE_BYTES = Number(spawnSync('getconf', ['PAGESIZE']).stdout.toString()) || 4096;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const say = (row) => console.log(JSON.stringify(row));

/** A free port of loopback. */
const freePort = () =>
  new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** Processor seconds and resident bytes of a process. */
function usage(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const resident = Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  return { cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S, resident };
}

function get(port, where) {
  return new Promise((done, fail) => {
    http.get({ host: '127.0.0.1', port, path: where }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('end', () => done({ status: answer.statusCode, body: Buffer.concat(parts) }));
    }).on('error', fail);
  });
}

function post(port, where, body, type) {
  return new Promise((done, fail) => {
    const headers = { 'content-type': type, 'content-length': body.length };
    const asked = http.request({ host: '127.0.0.1', port, path: where, method: 'POST', headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('end', () => done({ status: answer.statusCode, body: Buffer.concat(parts) }));
    });
    asked.on('error', fail).end(body);
  });
}

async function answers(port, where) {
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      if ((await get(port, where)).status === 200) return;
    } catch { /* not yet */ }
    await sleep(100);
  }
  throw new Error(`nothing answers at 127.0.0.1:${port}${where}`);
}

// Whatever still runs at the end, also where that came early.
const started = new Set();
process.on('exit', () => started.forEach((child) => child.kill('SIGKILL')));

/** Runs a program until `stop`. */
function run(program, args) {
  const log = fs.openSync(path.join(os.tmpdir(), `millwright-bench-${path.basename(program)}.log`), 'w');
  const child = spawn(program, args, { stdio: ['ignore', log, log] });
  fs.closeSync(log);
  started.add(child);
  child.once('exit', () => started.delete(child));
  const stop = (signal = 'SIGTERM') => new Promise((done) => { child.once('exit', done); child.kill(signal); });
  return { pid: child.pid, stop };
}

async function millwright(folder, fleet) {
  const port = await freePort();
  const args = ['serve', '--listen', `127.0.0.1:${port}`, '--data', folder];
  if (fleet) {
    fs.writeFileSync(path.join(folder, 'fleet.toml'), fleet);
    args.push('--fleet', path.join(folder, 'fleet.toml'));
  }
  const running = run(BIN, args);
  await answers(port, '/healthz');
  return { ...running, port };
}

const temp = () => fs.mkdtempSync(path.join(os.tmpdir(), 'millwright-bench-'));

/** Metrics of a DCGM exporter's page: name, and its value for a GPU at a time. */
const METRICS = [
  ['DCGM_FI_DEV_SM_CLOCK', (g, t) => 1980 - 15 * ((g + t) % 4)],
  ['DCGM_FI_DEV_MEM_CLOCK', () => 2619],
  ['DCGM_FI_DEV_GPU_TEMP', (g, t) => 52 + ((g * 7 + t) % 3)],
  ['DCGM_FI_DEV_MEMORY_TEMP', (g, t) => 61 + ((g * 5 + t) % 3)],
  ['DCGM_FI_DEV_POWER_USAGE', (g, t) => (512000 + ((g * 7919 + t * 104729) % 9000)) / 1000],
  ['DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION', (g, t) => 1e12 + g * 1e6 + t * 5120000],
  ['DCGM_FI_DEV_GPU_UTIL', (g, t) => 96 + ((g + t) % 4)],
  ['DCGM_FI_DEV_MEM_COPY_UTIL', (g, t) => 41 + ((g * 3 + t) % 5)],
  ['DCGM_FI_DEV_FB_USED', (g) => 70000 + g],
  ['DCGM_FI_DEV_FB_FREE', (g) => 11000 - g],
  ['DCGM_FI_DEV_XID_ERRORS', () => 0],
  ['DCGM_FI_DEV_PCIE_REPLAY_COUNTER', () => 0],
];

/** Serves pages of `targets` nodes with 8 GPUs each, a new value each second. Pages are made before they are asked for. */
async function exporter(targets, variants = 8) {
  const page = (target, t) => {
    let text = '';
    for (const [name, value] of METRICS) {
      text += `# HELP ${name} as of dcgm-exporter\n# TYPE ${name} gauge\n`;
      for (let gpu = 0; gpu < 8; gpu++) {
        text += `${name}{gpu="${gpu}",UUID="GPU-${String(target).padStart(8, '0')}-0000-4000-8000-00000000000${gpu}",pci_bus_id="00000000:0${gpu}:00.0",device="nvidia${gpu}",modelName="NVIDIA H100 80GB HBM3",Hostname="node-${target}"} ${value(gpu, t)}\n`;
      }
    }
    return Buffer.from(text);
  };
  const pages = Array.from({ length: targets }, (_, target) => Array.from({ length: variants }, (_, t) => page(target, t)));
  const server = http.createServer((asked, answer) => {
    const target = Number(asked.url.slice(1));
    const all = pages[target];
    const body = all[Math.floor(Date.now() / 1000) % variants];
    answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': body.length });
    answer.end(body);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { port: server.address().port, samples: METRICS.length * 8, close: () => server.close() };
}

const scrapes = (port, targets, everyS) =>
  Array.from({ length: targets }, (_, target) =>
    `[[scrape]]\nname = "node-${target}"\nurl = "http://127.0.0.1:${port}/${target}"\nevery_s = ${everyS}\nlabels = { rack = "R${Math.floor(target / 4)}", hall = "H${Math.floor(target / 400)}" }\n`).join('');

/** What Millwright says that it has taken, from its own sources. */
async function taken(port) {
  const all = JSON.parse((await get(port, '/api/v1/fleet/sources')).body);
  return all.reduce((sum, source) => sum + source.readings, 0);
}

async function ingest() {
  const targets = Number(process.env.TARGETS ?? 2083), seconds = Number(process.env.SECONDS ?? 120), warm = Number(process.env.WARM ?? 300);
  const others = (process.env.BESIDE ?? 'victoria-metrics,prometheus').split(',');
  const pages = await exporter(targets, 4);
  const perS = targets * pages.samples;
  const measure = async (name, running, count) => {
    await sleep(warm * 1000); // every series has been met, and what is put away in stretches of time has begun to be
    const [before, from] = [usage(running.pid), await count()];
    await sleep(seconds * 1000);
    const [after, to] = [usage(running.pid), await count()];
    const row = { what: 'ingest', name, offered_per_s: perS, kept_per_s: Math.round((to - from) / seconds), cores: (after.cpu - before.cpu) / seconds, us_per_sample: ((after.cpu - before.cpu) * 1e6) / (to - from), resident_mib: Math.round(after.resident / 2 ** 20) };
    say(row);
    return row;
  };
  const rows = [];
  {
    const folder = temp(), house = await millwright(folder, scrapes(pages.port, targets, 1));
    rows.push(await measure('millwright', house, () => taken(house.port)));
    await house.stop();
    const bytes = ['telemetry.db', 'telemetry.db-wal'].map((file) => path.join(folder, file)).filter(fs.existsSync).reduce((sum, file) => sum + fs.statSync(file).size, 0);
    say({ what: 'disk', name: 'millwright', bytes });
    fs.rmSync(folder, { recursive: true });
  }
  const jobs = (folder) => {
    const list = Array.from({ length: targets }, (_, target) => `      - targets: ["127.0.0.1:${pages.port}"]\n        labels: { __metrics_path__: "/${target}", node: "${target}" }`).join('\n');
    const file = path.join(folder, 'scrape.yml');
    fs.writeFileSync(file, `global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n  - job_name: fleet\n    static_configs:\n${list}\n`);
    return file;
  };
  const counter = (port, name) => async () => {
    const text = (await get(port, '/metrics')).body.toString();
    return text.split('\n').filter((line) => line.startsWith(name)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  if (others.includes('victoria-metrics') && spawnSync('sh', ['-c', 'command -v victoria-metrics']).status === 0) {
    const folder = temp(), port = await freePort();
    const store = run('victoria-metrics', [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${folder}/data`, `-promscrape.config=${jobs(folder)}`, '-retentionPeriod=1y']);
    await answers(port, '/health');
    rows.push(await measure('victoria-metrics', store, counter(port, 'vm_rows_inserted_total{type="promscrape"}')));
    await store.stop();
    fs.rmSync(folder, { recursive: true });
  }
  if (others.includes('prometheus') && spawnSync('sh', ['-c', 'command -v prometheus']).status === 0) {
    const folder = temp(), port = await freePort();
    const store = run('prometheus', [`--web.listen-address=127.0.0.1:${port}`, `--storage.tsdb.path=${folder}/data`, `--config.file=${jobs(folder)}`]);
    await answers(port, '/-/ready');
    rows.push(await measure('prometheus', store, counter(port, 'prometheus_tsdb_head_samples_appended_total')));
    await store.stop();
    fs.rmSync(folder, { recursive: true });
  }
  for (const row of rows.slice(1)) say({ what: 'ratio', of: row.name, cpu_per_sample_over_ours: row.us_per_sample / rows[0].us_per_sample });
  pages.close();
}

async function steady() {
  const minutes = Number(process.env.MINUTES ?? 20), targets = 1250;
  const pages = await exporter(targets, 4);
  const folder = temp(), house = await millwright(folder, scrapes(pages.port, targets, 10));
  await sleep(Math.min(960, minutes * 48) * 1000); // every series has been sealed once: the oldest reading waits 15 minutes
  const [first, from] = [usage(house.pid), await taken(house.port)];
  let most = 0;
  for (let minute = 0; minute < minutes; minute++) {
    await sleep(60_000);
    most = Math.max(most, usage(house.pid).resident);
  }
  const [last, to] = [usage(house.pid), await taken(house.port)];
  say({ what: 'steady', minutes, readings_per_s: Math.round((to - from) / minutes / 60), share_of_a_core: (last.cpu - first.cpu) / (minutes * 60), resident_mib: Math.round(first.resident / 2 ** 20), drift: last.resident / first.resident - 1, most_mib: Math.round(most / 2 ** 20) });
  await house.stop();
  fs.rmSync(folder, { recursive: true });
  pages.close();
}

/** A whole number as protobuf, snappy and MQTT write it. */
function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  while (rest >= 128n) { bytes.push(Number(rest & 127n) | 128); rest >>= 7n; }
  return Buffer.from([...bytes, Number(rest)]);
}

/** A message of remote write: a list of [labels, [[ms, value], …]], packed as snappy packs what it can't shorten. */
function remoteWrite(series) {
  const field = (tag, bytes) => Buffer.concat([Buffer.from([tag]), varint(bytes.length), bytes]);
  const parts = series.map(([labels, samples]) => {
    const named = Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1));
    const all = named.map(([name, value]) => field(0x0a, Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(value))])));
    for (const [ms, value] of samples) {
      const number = Buffer.alloc(8);
      number.writeDoubleLE(value);
      all.push(field(0x12, Buffer.concat([Buffer.from([0x09]), number, Buffer.from([0x10]), varint(ms)])));
    }
    return field(0x0a, Buffer.concat(all));
  });
  const message = Buffer.concat(parts);
  const blocks = [varint(message.length)];
  for (let at = 0; at < message.length; at += 65536) {
    const part = message.subarray(at, at + 65536), length = part.length - 1;
    blocks.push(Buffer.from([61 << 2, length & 255, length >> 8]), part);
  }
  return Buffer.concat(blocks);
}

const percentile = (values, share) => values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) * share)];
const TEN = ['gpu_power_watts', 'gpu_temperature_celsius', 'gpu_memory_temperature_celsius', 'gpu_utilization_ratio', 'gpu_sm_clock_hertz', 'gpu_memory_clock_hertz', 'gpu_memory_used_bytes', 'gpu_memory_utilization_ratio', 'gpu_tensor_active_ratio', 'gpu_energy_joules_total'];

async function query() {
  const folder = temp(), house = await millwright(folder);
  const now = Date.now(), day = 86_400_000;
  const labels = (name, host, gpu) => ({ __name__: name, host, gpu: String(gpu), uuid: `GPU-${host}-${gpu}`, model: 'H100', rack: `R${host.slice(5) >> 2}`, hall: 'H1' });
  for (let from = now - day; from < now; from += day / 24) {
    const series = TEN.map((name, at) => [labels(name, 'node-0', 0), Array.from({ length: 360 }, (_, step) => [Math.floor(from + step * 10_000), name.endsWith('total') ? Math.floor(from / 1000 + step * 10) * 500 : 400 + at + (step % 17) / 10])]);
    const { status } = await post(house.port, '/api/v1/write', remoteWrite(series), 'application/x-protobuf');
    if (status !== 204) throw new Error(`write answered ${status}`);
  }
  const chart = JSON.stringify({ place: 'gpu:node-0/0', metrics: TEN, from_ms: now - day, to_ms: now, points: 300 });
  const timed = async (times, ask) => {
    const taken = [];
    for (let time = 0; time < times; time++) {
      const from = performance.now();
      const { status, body } = await ask();
      if (status !== 200) throw new Error(`answered ${status}: ${body}`);
      taken.push(performance.now() - from);
    }
    return { p50_ms: percentile(taken, 0.5), p95_ms: percentile(taken, 0.95) };
  };
  say({ what: 'query', of: '24 h of one GPU, 10 metrics, 300 points', ...(await timed(100, () => post(house.port, '/api/v1/fleet/chart', Buffer.from(chart), 'application/json'))) });
  const fine = JSON.stringify({ place: 'gpu:node-0/0', metrics: TEN, from_ms: now - day, to_ms: now, points: 2000 });
  say({ what: 'query', of: 'the same, 2,000 points', ...(await timed(100, () => post(house.port, '/api/v1/fleet/chart', Buffer.from(fine), 'application/json'))) });
  for (let node = 0; node < 1250; node += 125) {
    const series = [];
    for (let host = node; host < node + 125; host++) for (let gpu = 0; gpu < 8; gpu++) for (const name of TEN) series.push([labels(name, `node-${host}`, gpu), [[Date.now(), 400 + gpu]]]);
    await post(house.port, '/api/v1/write', remoteWrite(series), 'application/x-protobuf');
  }
  await sleep(2_000);
  say({ what: 'page', of: 'the fleet, 10,000 GPUs', ...(await timed(100, () => get(house.port, '/api/v1/fleet?metric=gpu_power_watts'))) });
  await house.stop();
  fs.rmSync(folder, { recursive: true });
}

/** A viewer of the live stream: tells each event's name, text and time. */
function viewer(port, heard) {
  return new Promise((done) => {
    const asked = http.get({ host: '127.0.0.1', port, path: '/api/v1/fleet/live?metric=gpu_power_watts', headers: { accept: 'text/event-stream' } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => {
        text += part;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          heard(text.slice(0, end), performance.now());
          text = text.slice(end + 2);
        }
      });
      done(() => asked.destroy());
    });
    asked.on('error', () => {});
  });
}

async function viewers() {
  const folder = temp(), house = await millwright(folder);
  const labels = (host, gpu) => ({ __name__: 'gpu_power_watts', host: `node-${host}`, gpu: String(gpu), uuid: `GPU-${host}-${gpu}`, model: 'H100' });
  const write = (hosts, values) => {
    const series = [];
    for (const host of hosts) for (let gpu = 0; gpu < 8; gpu++) series.push([labels(host, gpu), [[Date.now(), values.get(host)]]]);
    return post(house.port, '/api/v1/write', remoteWrite(series), 'application/x-protobuf');
  };
  const all = Array.from({ length: 1250 }, (_, host) => host), values = new Map(all.map((host) => [host, 100]));
  await write(all, values);
  await sleep(3_000);
  const waits = [], pixels = [];
  let marked = null;
  const leave = [];
  for (let at = 0; at < 49; at++) {
    leave.push(await viewer(house.port, (event, when) => {
      if (marked && event.includes('values') && event.includes(`,${marked.value}]`) && !marked.seen.has(at)) {
        marked.seen.add(at);
        waits.push(when - marked.from);
      }
    }));
  }
  // The fiftieth is a page, of whose heat-map every frame is compared with the one before.
  const { chromium } = await import('@playwright/test');
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find((file) => file && fs.existsSync(file));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`http://127.0.0.1:${house.port}/fleet`);
  await page.locator('canvas').waitFor();
  await page.evaluate(() => {
    const canvas = document.querySelector('canvas'), drawn = canvas.getContext('2d', { willReadFrequently: true });
    window.changes = [];
    let last = 0;
    const look = () => {
      let sum = 0;
      for (const pixel of new Uint32Array(drawn.getImageData(0, 0, canvas.width, canvas.height).data.buffer)) sum = (Math.imul(sum, 31) + pixel) | 0;
      if (sum !== last) window.changes.push(Date.now());
      last = sum;
      requestAnimationFrame(look);
    };
    look();
  });
  await sleep(1_500);
  for (let round = 0; round < 40; round++) {
    await write(all, values); // as a fleet does: everything again, most of it as it was
    await sleep(1_600 + (round * 131) % 700);
    const from = Date.now();
    values.set(round, 200 + round + 0.5);
    marked = { value: values.get(round), from: performance.now(), seen: new Set() };
    await write([round], values);
    await sleep(2_300);
    const shown = await page.evaluate((from) => window.changes.find((time) => time >= from), from);
    if (shown) pixels.push(shown - from);
  }
  // Dragged by a pointer that moves once a frame, drawn by the processor alone.
  await page.locator('canvas').press('+');
  await page.locator('canvas').press('+');
  const pan = await page.locator('canvas').evaluate(async (canvas) => {
    const drawn = canvas.getContext('2d'), box = canvas.getBoundingClientRect(), times = [];
    const point = (kind, by) => canvas.dispatchEvent(new PointerEvent(kind, { bubbles: true, button: 0, pointerId: 1, clientX: box.x + 300 + by, clientY: box.y + 200 + by / 2 }));
    const middle = () => drawn.getImageData(canvas.width / 4, canvas.height / 2, canvas.width / 2, 1).data.join();
    const before = middle();
    point('pointerdown', 0);
    for (let n = 1; n <= 300; n++) {
      times.push(await new Promise(requestAnimationFrame));
      point('pointermove', n < 150 ? n : 300 - n);
      if (n === 150 && middle() === before) throw new Error('the heat-map did not move');
    }
    return times.slice(1).map((time, at) => time - times[at]);
  });
  await browser.close();
  say({ what: 'pan', of: 'a frame of the heat-map of 10,000 GPUs while it is dragged, from one to the next', frames: pan.length, p50_ms: percentile(pan, 0.5), p95_ms: percentile(pan, 0.95) });
  const told = (of, waits, wanted) => say({ what: 'viewers', of, heard: waits.length, wanted, p50_ms: percentile(waits, 0.5), p95_ms: percentile(waits, 0.95), p99_ms: percentile(waits, 0.99) });
  told('50 viewers of 10,000 GPUs, from a reading sent to its event', waits, 40 * 49);
  told('a page among them, from a reading sent to its pixels', pixels, 40);
  leave.forEach((go) => go());
  await sleep(3_000);
  const before = usage(house.pid).resident, idle = [];
  for (let at = 0; at < 250; at++) idle.push(await viewer(house.port, () => {}));
  await sleep(8_000);
  say({ what: 'idle viewers', of: '250 open streams', kib_each: (usage(house.pid).resident - before) / 1024 / 250 });
  idle.forEach((go) => go());
  await house.stop();
  fs.rmSync(folder, { recursive: true });
}

async function crash() {
  const cycles = Number(process.env.CYCLES ?? 200), folder = temp(), kept = [];
  const base = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
  let next = 0, slowest = 0;
  const labels = { __name__: 'gpu_power_watts', host: 'node-1', gpu: '0', uuid: 'GPU-1', model: 'H100' };
  for (let cycle = 0; cycle < cycles; cycle++) {
    const from = performance.now();
    const house = await millwright(folder);
    slowest = Math.max(slowest, performance.now() - from);
    const until = Date.now() + 40 + Math.random() * 400;
    const write = async () => {
      while (Date.now() < until) {
        const number = next++;
        try {
          const { status } = await post(house.port, '/api/v1/write', remoteWrite([[labels, [[base + number, number]]]]), 'application/x-protobuf');
          if (status === 204) kept.push(number);
        } catch { return; }
      }
    };
    // One after the other: readings of a series come in the order of their times.
    const writing = write();
    await sleep(Math.max(0, until - Date.now() - 20));
    await house.stop('SIGKILL');
    await writing;
  }
  const house = await millwright(folder);
  let counted = 0;
  for (let from = 0; from <= next; from += 60_000) {
    const chart = JSON.stringify({ place: 'gpu:node-1/0', metrics: ['gpu_power_watts'], from_ms: base + from, to_ms: base + from + 60_000, points: 60 });
    const { body } = await post(house.port, '/api/v1/fleet/chart', Buffer.from(chart), 'application/json');
    for (const bucket of JSON.parse(body).series[0]?.buckets ?? []) counted += bucket.count;
  }
  await house.stop();
  say({ what: 'crash', cycles, acknowledged: kept.length, counted, sent: next, slowest_start_ms: Math.round(slowest) });
  fs.rmSync(folder, { recursive: true });
  if (counted < kept.length) { console.error('readings that were acknowledged are missing'); process.exit(1); }
}

/**
 * A building on the DSX Exchange: each second the power of eight racks, reading number n of each being n kW, so that each can
 * be told from the others. It reaches the broker by a socket file: only Millwright's way there is to suffer.
 */
function building(file) {
  const text = (words) => Buffer.concat([Buffer.from([words.length >> 8, words.length & 255]), Buffer.from(words)]);
  const packet = (kind, ...parts) => Buffer.concat([Buffer.from([kind]), varint(Buffer.concat(parts).length), ...parts]);
  const publish = (kind, what, point, said) => packet(kind, text(`BMS/v1/PUB/${what}/${point}`), Buffer.from(JSON.stringify(said)));
  const metadata = (point, said) => publish(0x31, 'Metadata', point, said);
  const value = (point, number, now) => publish(0x30, 'Value', point, { value: number, timestamp: now, quality: 1 });
  const racks = Array.from({ length: 8 }, (_, at) => `E0${at + 1}`);
  const power = (rack) => `Rack/RackPower/site/${rack}/power`, heart = 'System/HeartbeatTimestampBms/site/heart';
  const sent = []; // when each was sent, by its number
  let way = null;
  const connect = () => {
    const opened = net.connect(file, () => {
      opened.write(packet(0x10, text('MQTT'), Buffer.from([4, 2, 0, 0]), text('building')));
      opened.write(metadata(heart, { objectType: 'System', pointType: 'HeartbeatTimestampBms', objectName: 'BMS', objectId: 'BMS' }));
      for (const rack of racks) opened.write(metadata(power(rack), { objectType: 'Rack', pointType: 'RackPower', engUnit: 'kW', rackLocationName: rack, rackLocationId: rack }));
      way = opened;
    });
    opened.resume().on('error', () => {}).on('close', () => { way = null; setTimeout(connect, 100); });
  };
  connect();
  setInterval(() => {
    if (!way) return;
    const now = Date.now(), number = sent.push(now) - 1;
    for (const rack of racks) way.write(value(power(rack), number, now));
    if (number % 10 === 0) way.write(value(heart, now, now));
  }, 1_000);
  return { racks, sent };
}

/** Faults of the building's bus: what the source says meanwhile, what is kept, and how soon readings come again. */
async function faults() {
  const missing = ['unshare', 'nsenter', 'ip', 'nft', 'mosquitto'].filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (process.getuid() !== 0 || missing.length > 0) {
    console.error(`skipped: ${process.getuid() !== 0 ? 'networks are made by root alone' : `${missing.join(', ')} not installed (see peers.sh)`}`);
    process.exit(process.env.CI ? 1 : 0);
  }
  const end = () => process.exit(1);
  if (!process.env.OWN_NETWORK) {
    // In a network of its own, which ends with it: this host's is not touched.
    const inside = spawn('unshare', ['--net', process.execPath, ...process.argv.slice(1)], { stdio: 'inherit', env: { ...process.env, OWN_NETWORK: '1' } });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => inside.kill(signal));
    process.exit(await new Promise((done) => inside.once('exit', (code) => done(code ?? 1))));
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, end); // what was started ends with it
  setTimeout(() => { console.error('not done after 9 minutes'); end(); }, 540_000);

  const command = ([program, ...args], input = '') => {
    const { status, stdout, stderr } = spawnSync(program, args, { input });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    return stdout.toString();
  };
  // The broker's network must stand while there is no broker.
  const far = run('unshare', ['--net', 'sleep', '600']);
  const network = (pid) => fs.readlinkSync(`/proc/${pid}/ns/net`);
  while (network(far.pid) === network('self')) await sleep(10);
  const there = ['nsenter', '-t', String(far.pid), '-n'], sides = [[], there];
  command(['ip', 'link', 'add', 'bus', 'type', 'veth', 'peer', 'name', 'bus', 'netns', String(far.pid)]);
  sides.forEach((side, number) => {
    command([...side, 'ip', 'link', 'set', 'lo', 'up']);
    command([...side, 'ip', 'addr', 'add', `10.0.0.${number + 1}/30`, 'dev', 'bus']);
    command([...side, 'ip', 'link', 'set', 'bus', 'up']);
  });
  /** Drops packets, all or those that a condition picks: each side judges what reaches it. ARP passes, as where the fault is further away. */
  const drop = (which) => {
    const rules = `table netdev faults { chain arriving { type filter hook ingress device "bus" priority 0; meta protocol ip counter ${which} counter drop; }; }`;
    for (const side of sides) command([...side, 'nft', '-f', '-'], rules);
  };
  /** Lets all through again; tells how many packets there were, and how many of them were dropped. */
  const heal = () => {
    const table = ['table', 'netdev', 'faults'];
    const counts = sides.flatMap((side) => [...command([...side, 'nft', 'list', ...table]).matchAll(/packets (\d+)/g)].map(([, count]) => Number(count)));
    for (const side of sides) command([...side, 'nft', 'delete', ...table]);
    return { packets: counts[0] + counts[2], dropped: counts[1] + counts[3] };
  };

  const folder = temp(), file = path.join(folder, 'bus.sock'), settings = path.join(folder, 'mosquitto.conf');
  fs.writeFileSync(settings, `listener 1883 10.0.0.2\nlistener 0 ${file}\nallow_anonymous true\npersistence false\nuser root\n`);
  const start = () => run(there[0], [...there.slice(1), 'mosquitto', '-c', settings]);
  let broker = start();
  const { racks, sent } = building(file);
  const house = await millwright(folder, '[[exchange]]\nname = "bms"\nbroker = "mqtt://10.0.0.2:1883"\n');
  const begin = Date.now();
  /** Numbers of a rack's readings that are kept. Two at most are in a bucket of a second. */
  const kept = async (port, rack) => {
    const chart = JSON.stringify({ place: `rack:${rack}`, metrics: ['rack_power_watts'], from_ms: begin - 5_000, to_ms: Date.now() + 5_000, points: 2_000 });
    const { body } = await post(port, '/api/v1/fleet/chart', Buffer.from(chart), 'application/json');
    const numbers = (JSON.parse(body).series[0]?.buckets ?? []).flatMap(({ count, min, max }) => (count > 1 ? [min, max] : [min]));
    return new Set(numbers.map((watts) => Math.round(watts / 1_000)));
  };
  const states = []; // each that the source was in, since when
  const look = async () => {
    const { state, why } = JSON.parse((await get(house.port, '/api/v1/fleet/sources')).body)[0];
    const said = why ? `${state}: ${why}` : state;
    if (states.at(-1)?.said !== said) states.push({ at: Date.now(), state, said });
  };
  /** Waits until it is connected and keeps what was sent after a time. */
  const recovered = async (from) => {
    const found = { reading: null, connected: null };
    while (Date.now() < from + 60_000 && !(found.reading && found.connected)) {
      await sleep(100);
      await look();
      if (states.at(-1).state === 'connected') found.connected ??= Math.max(from, states.at(-1).at);
      else found.connected = null;
      for (const number of await kept(house.port, racks[0])) if (sent[number] >= from) found.reading ??= Date.now();
    }
    return found;
  };
  const wrong = [];
  const seconds = (time, from) => (time ? Math.round((time - from) / 100) / 10 : null);
  const seen = new Map(racks.map((rack) => [rack, new Set()]));
  const round = async (fault, lasts, breaks, mends) => {
    await sleep(5_000);
    const from = Date.now();
    await breaks();
    while (Date.now() < from + lasts * 1_000) {
      await look();
      await sleep(100);
    }
    const healed = Date.now(), counts = mends();
    const { reading, connected } = await recovered(healed);
    const told = states.find(({ at, state }) => at >= from && at < healed && state !== 'connected');
    await sleep(1_000); // what came late is kept too
    const during = (time) => time >= from && time < healed;
    let both = 0;
    for (const rack of racks) for (const number of await kept(house.port, rack)) {
      seen.get(rack).add(number);
      if (during(sent[number])) both++;
    }
    const published = sent.filter(during).length * racks.length;
    say({ what: 'faults', fault, seconds: lasts, told_after_s: seconds(told?.at, from), told: told?.said ?? null, reading_after_s: seconds(reading, healed), connected_after_s: seconds(connected, healed), published, kept: both, ...counts });
    if (!(Math.max(reading ?? Infinity, connected ?? Infinity) <= healed + 10_000)) wrong.push(`${fault}: not got over within 10 s`);
    return { fault, told, share: both / published };
  };
  if (!(await recovered(begin)).reading) throw new Error('no reading came before anything was wrong');
  const killed = await round('broker killed', 5, () => broker.stop('SIGKILL'), () => { broker = start(); });
  const cut = await round('link cut', 30, () => drop(''), heal);
  const lossy = await round('a tenth of packets lost', 60, () => drop('numgen random mod 100 < 10'), heal);
  for (const { fault, told } of [killed, cut]) if (!told) wrong.push(`${fault}: the source was said to be well`);
  if (!(lossy.share >= 0.99)) wrong.push(`${lossy.fault}: only ${lossy.share} of what was published was kept`);

  // A second is the longest that what is kept is not on disk.
  await sleep(1_500);
  await house.stop('SIGKILL');
  const again = await millwright(folder);
  let all = 0, gone = 0;
  for (const [rack, before] of seen) {
    const now = await kept(again.port, rack);
    all += before.size;
    for (const number of before) if (!now.has(number)) gone++;
  }
  await again.stop();
  say({ what: 'faults', kept_before_a_crash: all, gone_after_it: gone });
  if (gone > 0) wrong.push('readings that were kept are missing');
  for (const running of [broker, far]) await running.stop();
  fs.rmSync(folder, { recursive: true });
  wrong.forEach((words) => console.error(words));
  if (wrong.length > 0) process.exit(1);
}

const commands = { ingest, steady, query, viewers, crash, faults };
const chosen = commands[process.argv[2]];
if (!chosen) {
  console.error(`node fleet.mjs ${Object.keys(commands).join(' | ')}`);
  process.exit(2);
}
await chosen();
process.exit(0);
