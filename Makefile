# Millwright's commands. `make help` lists them. Needs rustup, a C compiler, make and Node; the rest is set up here.

SHELL := /bin/bash
.DELETE_ON_ERROR:

BINDGEN_VERSION := $(shell sed -n 's/^wasm-bindgen = "=\([0-9.]*\)".*/\1/p' Cargo.toml)
BINDGEN := target/tools/bin/wasm-bindgen-$(BINDGEN_VERSION)
SPLIT_VERSION := 0.2.4
SPLIT := target/tools/bin/wasm-split-cli-$(SPLIT_VERSION)
BUNDLE := target/site/pkg/millwright.js
BINARY := target/release/millwright
BUNDLE_SOURCES := $(shell find app server/sim -path app/scene -prune -o \( -name '*.rs' -o -name Cargo.toml \) -print) Cargo.toml Cargo.lock
SCENE := target/site/pkg/scene.js
SCENE_SOURCES := $(shell find app/scene app/model -type f) Cargo.toml Cargo.lock
WASM := --target wasm32-unknown-unknown --no-default-features --features hydrate
WASM_SCENE := --target wasm32-unknown-unknown
LISTEN ?= 127.0.0.1:8080
SECONDS ?= 600

.PHONY: help run build test check bench bundle browser calibrate oracle peers fuzz fuzz-api crash clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

run: build ## build if needed, then serve http://127.0.0.1:8080 (LISTEN=ADDRESS for another)
	$(BINARY) serve --listen $(LISTEN)

build: $(BUNDLE) $(SCENE) ## one release binary, target/release/millwright, that carries the site inside it
	cargo build --release -p server

bundle: $(BUNDLE) $(SCENE) ## the browser bundles alone: the pages, and the 3D hall

# The linker's relocations tell where the bundle may be split: at the rooms of app/src/lazy.rs, which are loaded when they are
# opened. Compressed before it counts as made, so that a broken build leaves nothing half-made.
$(BUNDLE): $(BUNDLE_SOURCES) $(BINDGEN) $(SPLIT)
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
	cargo rustc -p app --lib --crate-type cdylib --profile wasm-release $(WASM) -- -C link-args=--emit-relocs -C strip=symbols
	rm -rf target/split && mkdir -p target/split target/site/pkg
	$(SPLIT) target/wasm32-unknown-unknown/wasm-release/app.wasm target/split --out-name millwright
	$(BINDGEN) --target web --no-typescript --keep-lld-exports --remove-name-section --remove-producers-section \
		--out-dir target/site/pkg --out-name millwright target/split/millwright.wasm
	rm -f target/split/millwright.wasm target/site/pkg/{chunk,split}_* && mv target/split/* target/site/pkg
	node end2end/compress.mjs target/site/pkg

# Loaded by the 3D view alone; after the other, as cargo would wait for itself anyway.
$(SCENE): $(SCENE_SOURCES) $(BINDGEN) | $(BUNDLE)
	cargo build -p scene --lib --profile wasm-release $(WASM_SCENE)
	$(BINDGEN) --target web --no-typescript --out-dir target/site/pkg --out-name scene \
		target/wasm32-unknown-unknown/wasm-release/scene.wasm
	cp app/scene/load.js target/site/pkg/scene-load.js
	node end2end/compress.mjs target/site/pkg

# Of exactly the version that Cargo.toml locks: bundle and glue must match.
$(BINDGEN):
	cargo install wasm-bindgen-cli --version $(BINDGEN_VERSION) --root target/tools
	mv target/tools/bin/wasm-bindgen $@

# Of a version that reads what leptos' `wasm_split_helpers` writes; Cargo.lock has 0.2 of it.
$(SPLIT):
	cargo install wasm_split_cli_support --version $(SPLIT_VERSION) --features build-binary --root target/tools
	mv target/tools/bin/wasm-split-cli $@

test: build browser peers ## every test: rooms, pages, and the whole in a real browser
	cargo test --workspace
	cd end2end && npx playwright test

check: $(BUNDLE) $(SCENE) ## formatting, lints native and wasm, documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p app $(WASM) -- -D warnings
	cargo clippy -p scene $(WASM_SCENE) -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

calibrate: ## fit the serving model to the measured points anew, with its error bands and validation report
	cargo run --release -p sim --example calibrate
	cargo fmt -p sim

# HiGHS is run here alone: the tests read what it said.
oracle: ## problems of placement, dispatch and sizing with what HiGHS says of each, for the optimizer's tests (needs python3)
	@test -x target/oracle/bin/python || python3 -m venv target/oracle
	target/oracle/bin/pip install --quiet highspy==1.16.0 numpy==2.4.6
	target/oracle/bin/python server/optimize/tests/oracle/problems.py server/optimize/tests/oracle/problems.json

bench: build browser ## the figures of the README: engine natively and as wasm, bundle, binary, memory
	cargo bench -p sim -p optimize
	cargo run --release -p optimize --example million
	node end2end/measure.mjs
	cd end2end && MILLWRIGHT_SPEED=1 npx playwright test tests/speed.spec.ts
	for what in query viewers ingest crash faults steady; do node end2end/fleet.mjs $$what || exit 1; done

# An installed Chromium, else the system's package where that is possible, else Playwright's own.
browser: end2end/node_modules/.package-lock.json
	@bash end2end/browser.sh

# Real brokers and stores of readings, where they can be installed.
peers:
	@bash end2end/peers.sh

end2end/node_modules/.package-lock.json: end2end/package-lock.json
	cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund

crash: build ## kill the program 200 times under load: nothing that it said was kept may be lost
	MILLWRIGHT_CRASH_CYCLES=200 MILLWRIGHT_BIN=$(abspath $(BINARY)) cargo test -p server --test crash -- --nocapture

fuzz: ## fuzz each parser of live telemetry, guided by coverage, for SECONDS=600 (needs a C++ compiler); PARSER=NAME for one
	bash server/telemetry/fuzz/run.sh $(SECONDS) $(PARSER)

fuzz-api: build ## ask the API whatever its description allows, and more, from a fixed seed (needs python3)
	bash end2end/fuzz/run.sh

clean: ## remove everything that was built
	rm -rf target end2end/node_modules end2end/test-results end2end/playwright-report
