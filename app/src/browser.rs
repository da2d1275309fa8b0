//! What only a browser has: its clock, its store of choices, its live events. Without one (on the server, in a test) the
//! same calls answer that there is nothing.

pub(crate) mod fleet;
pub(crate) mod scene;

#[cfg(feature = "hydrate")]
use crate::format;
use leptos::prelude::{Effect, GetValue, RwSignal, Set, SetValue, StoredValue, WithValue};
use leptos::web_sys;
use model::run::RunState;

/// A clock for measuring, in milliseconds; 0 where there is none.
pub(crate) fn now_ms() -> f64 {
    #[cfg(feature = "hydrate")]
    if let Some(clock) = web_sys::window().and_then(|window| window.performance()) {
        return clock.now();
    }
    0.0
}

/// The time as the machine has it that runs this, milliseconds since 1970 UTC.
pub(crate) fn wall_ms() -> i64 {
    #[cfg(feature = "hydrate")]
    return js_sys::Date::now() as i64;
    #[cfg(not(feature = "hydrate"))]
    {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Does something again and again while the page is looked at, for as long as the part of it that asked is there.
pub(crate) fn every(seconds: u64, act: impl Fn() + 'static) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::prelude::{on_cleanup, set_interval_with_handle};
        let looked_at = || web_sys::window().and_then(|window| window.document()).is_some_and(|page| !page.hidden());
        let act = move || {
            if looked_at() {
                act();
            }
        };
        if let Ok(clock) = set_interval_with_handle(act, std::time::Duration::from_secs(seconds)) {
            on_cleanup(move || clock.clear());
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (seconds, act);
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

/// What the browser keeps under a name.
pub(crate) fn kept(name: &str) -> Option<String> {
    #[cfg(feature = "hydrate")]
    return web_sys::window()?.local_storage().ok()??.get_item(name).ok()?;
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = name;
        None
    }
}

/// Keeps a text under a name; empty text keeps nothing. False where the browser has no room or refuses.
pub(crate) fn keep(name: &str, text: &str) -> bool {
    #[cfg(feature = "hydrate")]
    {
        let Some(Ok(Some(store))) = web_sys::window().map(|window| window.local_storage()) else { return false };
        let kept = if text.is_empty() { store.remove_item(name) } else { store.set_item(name, text) };
        kept.is_ok()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (name, text);
        false
    }
}

/// The address of the site, without a path: `http://127.0.0.1:8080`.
pub(crate) fn origin() -> String {
    #[cfg(feature = "hydrate")]
    return web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    #[cfg(not(feature = "hydrate"))]
    String::new()
}

/// Puts a text on the clipboard, where the browser lets it.
pub(crate) fn copy_text(text: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(window) = web_sys::window() {
        // Whether it was let is not told; the text stands on the page to be copied by hand.
        let _ = window.navigator().clipboard().write_text(text);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = text;
}

/// Hands a text to the reader as a file.
pub(crate) fn download(name: &str, text: &str, kind: &str) {
    #[cfg(feature = "hydrate")]
    download_from(name, &format!("data:{kind};charset=utf-8,{}", String::from(js_sys::encode_uri_component(text))));
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, text, kind);
}

/// Hands what is at an address to the reader as a file.
pub(crate) fn download_from(name: &str, address: &str) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let Some(page) = web_sys::window().and_then(|window| window.document()) else { return };
        let Ok(link) = page.create_element("a") else { return };
        let Ok(link) = link.dyn_into::<web_sys::HtmlAnchorElement>() else { return };
        link.set_href(address);
        link.set_download(name);
        link.click();
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, address);
}

/// What a drawing of the page needs of its styles to look the same elsewhere.
#[cfg(feature = "hydrate")]
const DRAWN_STYLES: [&str; 12] = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "opacity",
    "font-family",
    "font-size",
    "font-weight",
    "text-anchor",
    "dominant-baseline",
    "fill-opacity",
    "visibility",
];

/// Drawings of the page as one picture that needs no styles; none where there are no such drawings.
pub(crate) fn drawing(selector: &str) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        use std::fmt::Write;
        use wasm_bindgen::JsCast;
        let window = web_sys::window()?;
        let all = window.document()?.query_selector_all(selector).ok()?;
        let (mut inside, mut left, mut tall) = (String::new(), 0.0_f64, 0.0_f64);
        for at in 0..all.length() {
            let Ok(svg) = all.get(at)?.dyn_into::<web_sys::Element>() else { continue };
            let copy: web_sys::Element = svg.clone_node_with_deep(true).ok()?.dyn_into().ok()?;
            let (shown, copied) = (svg.query_selector_all("*").ok()?, copy.query_selector_all("*").ok()?);
            for index in 0..shown.length() {
                let (Some(from), Some(to)) = (shown.get(index), copied.get(index)) else { continue };
                let (Ok(from), Ok(to)) = (from.dyn_into::<web_sys::Element>(), to.dyn_into::<web_sys::Element>())
                else {
                    continue;
                };
                let Ok(Some(style)) = window.get_computed_style(&from) else { continue };
                for name in DRAWN_STYLES {
                    let value = style.get_property_value(name).unwrap_or_default();
                    if !value.is_empty() {
                        to.set_attribute(name, &value).ok()?;
                    }
                }
                for gone in ["class", "id", "tabindex", "role", "aria-pressed", "aria-label"] {
                    to.remove_attribute(gone).ok()?;
                }
            }
            let (width, height) = size_of(&svg);
            let view_box = svg.get_attribute("viewBox").unwrap_or_else(|| format!("0 0 {width} {height}"));
            // Writing to a string can't fail.
            let _ = write!(
                inside,
                r#"<svg x="{left}" y="0" width="{width}" height="{height}" viewBox="{view_box}">{}</svg>"#,
                copy.inner_html()
            );
            left += width + 16.0;
            tall = tall.max(height);
        }
        let ground = window
            .get_computed_style(window.document()?.body()?.as_ref())
            .ok()??
            .get_property_value("background-color")
            .ok()?;
        let wide = (left - 16.0).max(0.0);
        (all.length() > 0).then(|| {
            format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" viewBox="0 0 {wide} {tall}"><rect width="100%" height="100%" fill="{ground}"/>{inside}</svg>"#
            )
        })
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = selector;
        None
    }
}

/// Reads the file that a person chose or dropped, and hands its name and text on; longer than `limit` bytes, why not.
#[cfg(feature = "hydrate")]
pub(crate) fn read_file(file: &web_sys::File, limit: f64, then: impl FnOnce(String, Result<String, String>) + 'static) {
    let name = file.name();
    if file.size() > limit {
        then(
            name,
            Err(format!("The file has {}; at most {} are read.", format::bytes(file.size()), format::bytes(limit))),
        );
        return;
    }
    let promise = file.text();
    leptos::task::spawn_local(async move {
        let text = wasm_bindgen_futures::JsFuture::from(promise).await;
        then(name, text.ok().and_then(|text| text.as_string()).ok_or_else(|| "The file can't be read as text.".into()));
    });
}

/// Every file of an input, read one by one.
pub(crate) fn read_all_chosen(
    input: &web_sys::HtmlInputElement,
    limit: f64,
    then: impl Fn(String, Result<String, String>) + Copy + 'static,
) {
    #[cfg(feature = "hydrate")]
    {
        let files = input.files();
        let all = (0..files.as_ref().map_or(0, web_sys::FileList::length)).filter_map(|at| files.as_ref()?.get(at));
        all.for_each(|file| read_file(&file, limit, then));
        // So that the same file can be chosen again once it was mended.
        input.set_value("");
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (input, limit, then);
}

/// The first file of an input, read.
pub(crate) fn read_chosen(
    input: &web_sys::HtmlInputElement,
    limit: f64,
    then: impl FnOnce(String, Result<String, String>) + 'static,
) {
    #[cfg(feature = "hydrate")]
    if let Some(file) = input.files().and_then(|files| files.get(0)) {
        read_file(&file, limit, then);
        // So that the same file can be chosen again once it was mended.
        input.set_value("");
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (input, limit, then);
}

/// Where a pointer is within an element, as shares of its width and height.
pub(crate) fn share_within(event: &leptos::ev::PointerEvent, element: &web_sys::Element) -> (f64, f64) {
    #[cfg(feature = "hydrate")]
    {
        let bounds = element.get_bounding_client_rect();
        let share = |at: f64, from: f64, size: f64| if size > 0.0 { (at - from) / size } else { 0.0 };
        (
            share(f64::from(event.client_x()), bounds.left(), bounds.width()),
            share(f64::from(event.client_y()), bounds.top(), bounds.height()),
        )
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (event, element);
        (0.0, 0.0)
    }
}

/// Width and height of an element on the screen.
pub(crate) fn size_of(element: &web_sys::Element) -> (f64, f64) {
    #[cfg(feature = "hydrate")]
    {
        let bounds = element.get_bounding_client_rect();
        (bounds.width(), bounds.height())
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = element;
        (1.0, 1.0)
    }
}

/// Hears every key that is pressed on the page, for as long as the part of it that asked is there.
pub(crate) fn on_keys(act: impl Fn(leptos::ev::KeyboardEvent) + 'static) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::prelude::{on_cleanup, window_event_listener};
        let listening = window_event_listener(leptos::ev::keydown, act);
        on_cleanup(move || listening.remove());
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = act;
}

/// What has the focus is called so in the document; none where it has no name.
pub(crate) fn focused_id() -> Option<String> {
    #[cfg(feature = "hydrate")]
    return Some(web_sys::window()?.document()?.active_element()?.id()).filter(|id| !id.is_empty());
    #[cfg(not(feature = "hydrate"))]
    None
}

/// Whether the focus is in a drawing that is about to be drawn anew.
pub(crate) fn focus_is_drawn() -> bool {
    focused_id().is_some_and(|id| id.starts_with("place-"))
}

/// Gives the focus to what will bear `id` once it is drawn.
pub(crate) fn focus_once_drawn(id: String) {
    #[cfg(feature = "hydrate")]
    leptos::prelude::request_animation_frame(move || {
        use wasm_bindgen::JsCast;
        let page = web_sys::window().and_then(|window| window.document());
        if let Some(element) = page.and_then(|page| page.get_element_by_id(&id)) {
            // Shapes take the focus as other elements do, though they are none of HTML; one that won't leaves it to Tab.
            let _ = element.unchecked_ref::<web_sys::HtmlElement>().focus();
        }
    });
    #[cfg(not(feature = "hydrate"))]
    drop(id);
}

/// Whether a reader has marked text, which Ctrl+C is then for.
pub(crate) fn has_selection() -> bool {
    #[cfg(feature = "hydrate")]
    return web_sys::window()
        .and_then(|window| window.get_selection().ok().flatten())
        .is_some_and(|selection| !selection.is_collapsed());
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Loads the page that is open anew.
pub(crate) fn load_again() {
    #[cfg(feature = "hydrate")]
    let _ = leptos::prelude::window().location().reload();
}

/// Leaves for a page that is not of the app.
pub(crate) fn go(path: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(window) = web_sys::window() {
        // A browser that won't go stays.
        let _ = window.location().set_href(path);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = path;
}

/// Whether keys belong to a field that is being filled in.
pub(crate) fn is_typing(event: &leptos::ev::KeyboardEvent) -> bool {
    use leptos::wasm_bindgen::JsCast;
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| matches!(target.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
}

/// Prints the page.
pub(crate) fn print() {
    #[cfg(feature = "hydrate")]
    if let Some(window) = web_sys::window() {
        // A browser that can't print says so itself.
        let _ = window.print();
    }
}

/// What a question comes to once the page is awake, asked again whenever what `ask` reads changes; none until then, and
/// never on the server. An answer to an older question is dropped.
pub(crate) fn once_awake<T, F>(ask: impl Fn() -> F + 'static) -> RwSignal<Option<T>>
where
    T: Send + Sync + 'static,
    F: Future<Output = T> + 'static,
{
    let (answer, asked) = (RwSignal::new(None), StoredValue::new(0_u32));
    Effect::new(move |_| {
        let now = asked.with_value(|asked| asked.wrapping_add(1));
        asked.set_value(now);
        let question = ask();
        leptos::task::spawn_local(async move {
            let found = question.await;
            if asked.try_get_value() == Some(now) {
                answer.set(Some(found));
            }
        });
    });
    answer
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
