//! The canvas: its size, pointer and keys, and what is told to the page about them. A page hears it as events of the canvas,
//! each with its words as `detail`: `scene-picked` (the id that was clicked), `scene-over` (the id under the pointer, or
//! nothing), `scene-looked` (where the eye came to rest, as JSON), `scene-theme` (colours are to be handed over anew) and
//! `scene-lost` (why there is no picture any more).

mod stage;

use stage::{Shared, Stage};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

/// A hall on a canvas.
#[wasm_bindgen]
pub struct Handle {
    stage: RefCell<Option<Shared>>,
}

/// Draws a hall, `model::scene::Scene` as JSON, on a canvas; why it can't, in words.
#[wasm_bindgen]
pub async fn start(canvas: HtmlCanvasElement, json: String) -> Result<Handle, JsValue> {
    tell_of_faults(&canvas);
    let stage = Stage::new(canvas, &json).await.map_err(JsValue::from)?;
    Ok(Handle { stage: RefCell::new(Some(stage)) })
}

thread_local! {
    /// Where a fault is told: what was drawn on last.
    static SHOWN: RefCell<Option<HtmlCanvasElement>> = const { RefCell::new(None) };
}

/// A fault of our own is said where a developer looks for it, and the page hears that there is no picture any more.
fn tell_of_faults(canvas: &HtmlCanvasElement) {
    SHOWN.set(Some(canvas.clone()));
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
        if let Some(canvas) = SHOWN.take() {
            stage::tell(&canvas, "scene-lost", "the drawing stopped on a fault of its own");
        }
    }));
}

#[wasm_bindgen]
impl Handle {
    /// Takes a changed hall; the eye stays where it is.
    pub fn update(&self, json: &str) -> Result<(), JsValue> {
        let Some(stage) = self.stage() else { return Ok(()) };
        stage.borrow_mut().update(json).map_err(JsValue::from)?;
        stage::draw_soon(&stage);
        Ok(())
    }

    /// Looks from a bookmark, by its name, or from a camera as JSON; false where the hall has no such place.
    pub fn look(&self, place: &str) -> bool {
        self.stage().is_some_and(|stage| stage::look(&stage, place))
    }

    /// Where the eye is, as JSON; empty once it was stopped.
    pub fn camera(&self) -> String {
        self.stage().map(|stage| stage.borrow().camera()).unwrap_or_default()
    }

    /// The id of the rack at a place of the canvas, CSS pixels from its top left.
    pub fn pick(&self, x: f64, y: f64) -> Option<String> {
        self.stage()?.borrow().pick(x, y)
    }

    /// The picture as a PNG in a `data:` address.
    pub fn picture(&self) -> Result<String, JsValue> {
        let stage = self.stage().ok_or("the drawing was stopped")?;
        let mut stage = stage.borrow_mut();
        // A browser keeps no picture once it was shown, so it is drawn and read in one go.
        stage.draw().map_err(JsValue::from)?;
        stage.canvas.to_data_url_with_type("image/png")
    }

    /// Draws no more and hears no more.
    pub fn stop(&self) {
        if let Some(stage) = self.stage.take() {
            // One that a fault stopped half way holds itself for ever.
            if let Ok(mut stage) = stage.try_borrow_mut() {
                stage.stop();
            }
        }
    }

    fn stage(&self) -> Option<Shared> {
        self.stage.borrow().as_ref().map(Rc::clone)
    }
}
