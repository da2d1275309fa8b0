//! What only a browser has: its clock, its store of choices, its live events. Without one (on the server, in a test) the
//! same calls answer that there is nothing.

use model::run::RunState;

/// A clock for measuring, in milliseconds; 0 where there is none.
pub(crate) fn now_ms() -> f64 {
    #[cfg(feature = "hydrate")]
    if let Some(clock) = web_sys::window().and_then(|window| window.performance()) {
        return clock.now();
    }
    0.0
}

/// The theme that a person chose: `light` or `dark`.
pub(crate) fn theme() -> Option<String> {
    #[cfg(feature = "hydrate")]
    return web_sys::window()?.local_storage().ok()??.get_item("theme").ok()?;
    #[cfg(not(feature = "hydrate"))]
    None
}

/// Keeps a theme and shows it; anything but `light` and `dark` follows the system.
pub(crate) fn set_theme(theme: &str) {
    #[cfg(feature = "hydrate")]
    {
        let Some(window) = web_sys::window() else { return };
        let chosen = matches!(theme, "light" | "dark");
        if let Ok(Some(store)) = window.local_storage() {
            // A browser that refuses to keep the choice still shows it.
            let _kept = if chosen { store.set_item("theme", theme) } else { store.remove_item("theme") };
        }
        if let Some(page) = window.document().and_then(|document| document.document_element()) {
            let _shown =
                if chosen { page.set_attribute("data-theme", theme) } else { page.remove_attribute("data-theme") };
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = theme;
}

/// The title of the page that is shown.
pub(crate) fn title() -> String {
    #[cfg(feature = "hydrate")]
    return web_sys::window().and_then(|window| window.document()).map(|page| page.title()).unwrap_or_default();
    #[cfg(not(feature = "hydrate"))]
    String::new()
}

/// A connection to live events, closed when dropped.
pub(crate) struct Events {
    #[cfg(feature = "hydrate")]
    source: web_sys::EventSource,
    #[cfg(feature = "hydrate")]
    _on_message: wasm_bindgen::closure::Closure<dyn FnMut(web_sys::MessageEvent)>,
    #[cfg(feature = "hydrate")]
    _on_error: wasm_bindgen::closure::Closure<dyn FnMut()>,
}

#[cfg(feature = "hydrate")]
impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Listens to a run. `on_state` gets each state, and `None` each time that the connection is lost; the browser connects
/// again by itself.
pub(crate) fn listen(path: &str, on_state: impl Fn(Option<RunState>) + Clone + 'static) -> Option<Events> {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        use wasm_bindgen::closure::Closure;
        let source = web_sys::EventSource::new(path).ok()?;
        let lost = on_state.clone();
        let on_message = Closure::<dyn FnMut(_)>::new(move |message: web_sys::MessageEvent| {
            let state = message.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
            if state.is_some() {
                on_state(state);
            }
        });
        let on_error = Closure::<dyn FnMut()>::new(move || lost(None));
        source.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Events { source, _on_message: on_message, _on_error: on_error })
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (path, on_state);
        None
    }
}

/// Says a panic where a developer looks for it; the page itself stays as it was rendered.
#[cfg(feature = "hydrate")]
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
}
