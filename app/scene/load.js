// Wakes the 3D bundle for the page that asked for it, by a script element, so that no page pays for it unasked and the
// page's policy needs no more than 'self'.
import wake, { start } from "/pkg/scene.js";

globalThis.millwrightScene = wake({ module_or_path: "/pkg/scene_bg.wasm" }).then(() => ({ start }));
