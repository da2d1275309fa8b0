//! The bundle that draws in 3D, as the page sees it: loaded when it is first asked for, a handle on what it draws, and the
//! colours of the theme to draw it with.

#[cfg(feature = "hydrate")]
use crate::paths;
#[cfg(feature = "hydrate")]
use leptos::web_sys;
use leptos::web_sys::{CustomEvent, HtmlCanvasElement};
use model::scene::{Camera, Colours};
#[cfg(feature = "hydrate")]
use wasm_bindgen::prelude::*;

/// Something drawn on a canvas, until it is dropped. It goes between threads, as signals do where the server renders a page;
/// what it stands for stays with the browser's one.
pub(crate) struct Drawn {
    #[cfg(feature = "hydrate")]
    number: u32,
}

#[cfg(feature = "hydrate")]
thread_local! {
    /// What is drawn, by number, and the next number.
    static HANDLES: std::cell::RefCell<(Vec<(u32, js::Handle)>, u32)> = const { std::cell::RefCell::new((Vec::new(), 0)) };
}

#[cfg(feature = "hydrate")]
mod js {
    use super::{HtmlCanvasElement, wasm_bindgen};
    use wasm_bindgen::JsValue;

    #[wasm_bindgen]
    extern "C" {
        pub(super) type Bundle;
        #[wasm_bindgen(method, catch)]
        pub(super) async fn start(this: &Bundle, canvas: &HtmlCanvasElement, json: &str) -> Result<JsValue, JsValue>;

        #[derive(Clone)]
        pub(super) type Handle;
        #[wasm_bindgen(method, catch)]
        pub(super) fn update(this: &Handle, json: &str) -> Result<(), JsValue>;
        #[wasm_bindgen(method)]
        pub(super) fn look(this: &Handle, place: &str) -> bool;
        #[wasm_bindgen(method)]
        pub(super) fn camera(this: &Handle) -> String;
        #[wasm_bindgen(method, catch)]
        pub(super) fn picture(this: &Handle) -> Result<String, JsValue>;
        #[wasm_bindgen(method)]
        pub(super) fn stop(this: &Handle);
    }
}

/// Draws a hall, `model::scene::Scene` as JSON; why it can't, in words.
pub(crate) async fn start(canvas: &HtmlCanvasElement, json: &str) -> Result<Drawn, String> {
    #[cfg(feature = "hydrate")]
    {
        let bundle = load().await.ok_or("the part of Millwright that draws in 3D could not be loaded")?;
        let handle = bundle.start(canvas, json).await.map_err(|error| words(&error))?;
        Ok(HANDLES.with_borrow_mut(|(handles, next)| {
            let number = *next;
            *next = next.wrapping_add(1);
            handles.push((number, handle.unchecked_into()));
            Drawn { number }
        }))
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (canvas, json);
        std::future::ready(Err("only a browser draws in 3D".into())).await
    }
}

#[cfg_attr(
    not(feature = "hydrate"),
    expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "without a browser nothing is drawn")
)]
impl Drawn {
    #[cfg(feature = "hydrate")]
    fn handle(&self) -> Option<js::Handle> {
        HANDLES.with_borrow(|(handles, _)| {
            handles.iter().find(|(number, _)| *number == self.number).map(|(_, handle)| handle.clone())
        })
    }

    /// Takes a changed hall; the eye stays where it is.
    pub(crate) fn update(&self, json: &str) -> Result<(), String> {
        #[cfg(feature = "hydrate")]
        return self.handle().map_or(Ok(()), |handle| handle.update(json).map_err(|error| words(&error)));
        #[cfg(not(feature = "hydrate"))]
        {
            let _ = json;
            Ok(())
        }
    }

    /// Looks from a bookmark by its name.
    pub(crate) fn look(&self, bookmark: &str) {
        #[cfg(feature = "hydrate")]
        // A hall without such a place is looked at as before.
        let _ = self.handle().is_some_and(|handle| handle.look(bookmark));
        #[cfg(not(feature = "hydrate"))]
        let _ = bookmark;
    }

    /// Looks from where a camera is, unless it does so already.
    pub(crate) fn look_from(&self, camera: &Camera) {
        #[cfg(feature = "hydrate")]
        if self.handle().is_some_and(|handle| read_camera(&handle.camera()) != Some(*camera)) {
            self.look(&serde_json::to_string(camera).unwrap_or_default());
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = camera;
    }

    /// The picture as a PNG in a `data:` address.
    pub(crate) fn picture(&self) -> Result<String, String> {
        #[cfg(feature = "hydrate")]
        return self
            .handle()
            .map_or(Err("there is none".into()), |handle| handle.picture().map_err(|error| words(&error)));
        #[cfg(not(feature = "hydrate"))]
        Ok(String::new())
    }
}

#[cfg(feature = "hydrate")]
impl Drop for Drawn {
    fn drop(&mut self) {
        let handle = self.handle();
        HANDLES.with_borrow_mut(|(handles, _)| handles.retain(|(number, _)| *number != self.number));
        handle.iter().for_each(js::Handle::stop);
    }
}

/// A camera as the bundle tells it, to the tenth that an address has.
pub(crate) fn read_camera(json: &str) -> Option<Camera> {
    serde_json::from_str::<Camera>(json).ok()?.to_string().parse().ok()
}

/// The words that an event of the canvas came with.
pub(crate) fn words_of(event: &CustomEvent) -> String {
    #[cfg(feature = "hydrate")]
    return event.detail().as_string().unwrap_or_default();
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = event;
        String::new()
    }
}

/// The colours of `tokens.css` as the theme has them now.
pub(crate) fn colours(canvas: &HtmlCanvasElement) -> Colours {
    // A token may be another colour in each theme; only what has it for its own colour knows which it is now. A canvas shows
    // no text, so for a moment it has each of them.
    let colour = |token: &str| {
        #[cfg(feature = "hydrate")]
        {
            let style = canvas.style();
            let set = style.set_property("color", &format!("var(--{token})"));
            let found = web_sys::window()
                .filter(|_| set.is_ok())
                .and_then(|window| window.get_computed_style(canvas).ok().flatten())
                .and_then(|computed| computed.get_property_value("color").ok());
            // What can't be taken away does no harm.
            let _ = style.remove_property("color");
            found.unwrap_or_default()
        }
        #[cfg(not(feature = "hydrate"))]
        {
            let _ = (canvas, token);
            String::new()
        }
    };
    Colours {
        ground: colour("ground"),
        floor: colour("ground-raised"),
        line: colour("line"),
        chosen: colour("text"),
        missing: ["rail", "line-strong"].map(colour),
        aisles: ["cool-soft", "heat-soft"].map(colour),
        column: colour("text-soft"),
        busway: colour("line-strong"),
        pipe: colour("heat"),
        kinds: ["tokens", "power", "carbon", "money"].map(colour).into(),
        shades: (0..=8).map(|shade| colour(&format!("shade-{shade}"))).collect(),
    }
}

#[cfg(feature = "hydrate")]
fn words(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| "the drawing stopped on a fault of its own".into())
}

/// The bundle, loaded and awake; none where it can't be had.
#[cfg(feature = "hydrate")]
async fn load() -> Option<js::Bundle> {
    use wasm_bindgen_futures::JsFuture;
    const NAME: &str = "millwrightScene";
    let awake = || js_sys::Reflect::get(&js_sys::global(), &NAME.into()).ok().filter(|found| !found.is_undefined());
    if awake().is_none() {
        let page = web_sys::window()?.document()?;
        let script: web_sys::HtmlScriptElement = page.create_element("script").ok()?.dyn_into().ok()?;
        script.set_type("module");
        script.set_src(paths::SCENE);
        let loaded = js_sys::Promise::new(&mut |done, failed| {
            script.set_onload(Some(&done));
            script.set_onerror(Some(&failed));
        });
        page.head()?.append_child(&script).ok()?;
        let loaded = JsFuture::from(loaded).await;
        // Once it was read it is not needed; one that failed makes room for another try.
        script.remove();
        loaded.ok()?;
    }
    let promise: js_sys::Promise = awake()?.dyn_into().ok()?;
    let bundle = JsFuture::from(promise).await;
    if bundle.is_err() {
        // A bundle that could not wake may do so when it is asked for again.
        let _ = js_sys::Reflect::delete_property(&js_sys::global(), &NAME.into());
    }
    bundle.ok().map(JsCast::unchecked_into)
}
