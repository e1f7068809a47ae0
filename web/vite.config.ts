import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The agent embeds this folder: it has to be there also where nothing was built.
const dist = join(import.meta.dirname, "../internal/console/dist");

// files lists what lies below a folder, as paths from it.
const files = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile())
    .map((f) => join(f.parentPath, f.name));

// pack leaves each file in the folder compressed only: the binary carries it once,
// and nearly every browser takes it so.
const pack = (): Plugin => ({
  name: "datakit:pack",
  apply: "build",
  buildStart() {
    mkdirSync(dist, { recursive: true });
    for (const name of readdirSync(dist)) {
      if (name !== ".gitignore") rmSync(join(dist, name), { recursive: true });
    }
  },
  closeBundle() {
    for (const path of files(dist)) {
      if (path.endsWith(".gitignore") || path.endsWith(".gz")) continue;
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
      rmSync(path);
    }
  },
});

export default defineConfig({
  plugins: [pack()],
  build: {
    outDir: dist,
    emptyOutDir: false, // pack does, and leaves .gitignore
    assetsInlineLimit: 0, // the policy of the page allows no data but images
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    // make run beside it: the pages are ours, the rest is the agent's.
    proxy: {
      "/v1": "http://localhost:9529",
      "/metrics": "http://localhost:9529",
      "/plain": "http://localhost:9529",
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"], restoreMocks: true },
});
