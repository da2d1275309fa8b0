// Compresses every file of a folder once, at the highest level, so that no server has to: x.br and x.gz beside x. What has
// not changed since is left as it is. Modules are left compressed alone, as uncompressed they would be an eighth of the program.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = process.argv[2];
const changed = (name) => {
  const made = ["br", "gz"].map((end) => join(folder, `${name}.${end}`));
  return made.some((path) => !existsSync(path) || statSync(path).mtimeMs < statSync(join(folder, name)).mtimeMs);
};
for (const name of readdirSync(folder).filter((name) => !/\.(br|gz)$/.test(name) && changed(name))) {
  const bytes = readFileSync(join(folder, name));
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(join(folder, `${name}.br`), brotli);
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  if (name.endsWith(".wasm")) rmSync(join(folder, name));
  console.log(`${name}: ${bytes.length} bytes, ${brotli.length} as brotli`);
}
