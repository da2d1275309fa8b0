//! A canvas with a view on it, and the hands that move it.

use crate::camera;
use crate::draw::Drawing;
use crate::view::{Bookmark, View};
use model::scene::Camera;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;
use web_sys::{CustomEvent, CustomEventInit, EventTarget, HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};

/// Time of a move to a bookmark.
const MOVE_MS: f64 = 150.0;
/// Time of rest after which the page is told where the eye is.
const REST_MS: i32 = 250;
/// A pointer that moved less than this between down and up has clicked, CSS pixels.
const CLICK_PX: f64 = 4.0;
/// A drag over the whole height turns by this.
const DRAG_DEG: f64 = 180.0;
/// What a key does: degrees, share of the picture, and nearness.
const KEY_DEG: f64 = 5.0;
const KEY_SHARE: f64 = 0.06;
const KEY_ZOOM: f64 = 0.88;
/// More pixels to a CSS pixel than this no eye sees, and every one is drawn.
const MOST_DENSE: f64 = 2.0;

/// A stage that events share.
pub(super) type Shared = Rc<RefCell<Stage>>;

/// A canvas with a view on it.
pub(super) struct Stage {
    /// What is drawn on.
    pub(super) canvas: HtmlCanvasElement,
    view: View,
    /// None once it was stopped or lost.
    drawing: Option<Drawing>,
    hands: Vec<Hand>,
    /// How far the first hand has come since it was put down.
    travelled: f64,
    over: String,
    motion: Option<Motion>,
    frames: u32,
    is_due: bool,
    rest: Option<i32>,
    on_frame: Option<Closure<dyn FnMut(f64)>>,
    on_rest: Option<Closure<dyn FnMut()>>,
    ears: Vec<Ear>,
}

/// A pointer that is down, where it last was.
#[derive(Clone, Copy)]
struct Hand {
    id: i32,
    x: f64,
    y: f64,
}

/// On the way to a bookmark.
struct Motion {
    from: Camera,
    to: Camera,
    began_ms: f64,
}

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pressed {
    /// It is not for the picture.
    Nothing,
    /// It moved the eye.
    Move,
    /// It asks for a bookmark.
    Bookmark(Bookmark),
}

/// Something that is listened to; no longer once it is dropped.
enum Ear {
    Event(EventTarget, &'static str, Closure<dyn FnMut(JsValue)>),
    Size(
        web_sys::ResizeObserver,
        #[expect(dead_code, reason = "kept as long as it may be called")] Closure<dyn FnMut()>,
    ),
    Theme(
        web_sys::MutationObserver,
        #[expect(dead_code, reason = "kept as long as it may be called")] Closure<dyn FnMut()>,
    ),
}

impl Drop for Ear {
    fn drop(&mut self) {
        match self {
            Self::Event(target, name, act) => {
                // What was not listened to needs no end.
                let _ = target.remove_event_listener_with_callback(name, act.as_ref().unchecked_ref());
            }
            Self::Size(observer, _) => observer.disconnect(),
            Self::Theme(observer, _) => observer.disconnect(),
        }
    }
}

/// Says something to the page, as an event of the canvas.
pub(super) fn tell(canvas: &HtmlCanvasElement, name: &str, words: &str) {
    let init = CustomEventInit::new();
    init.set_detail(&words.into());
    if let Ok(event) = CustomEvent::new_with_event_init_dict(name, &init) {
        // Whether someone prevents what follows doesn't matter: nothing does.
        let _ = canvas.dispatch_event(&event);
    }
}

impl Stage {
    /// Draws a hall for the first time.
    pub(super) async fn new(canvas: HtmlCanvasElement, json: &str) -> Result<Shared, String> {
        let size = size_of(&canvas);
        let view = View::read(json, aspect(size))?;
        let drawing = Drawing::new(&canvas, size).await?;
        let mut stage = Self {
            canvas,
            view,
            drawing: Some(drawing),
            hands: Vec::new(),
            travelled: 0.0,
            over: String::new(),
            motion: None,
            frames: 0,
            is_due: false,
            rest: None,
            on_frame: None,
            on_rest: None,
            ears: Vec::new(),
        };
        stage.take_boxes();
        stage.draw()?;
        let shared = Rc::new(RefCell::new(stage));
        listen(&shared);
        Ok(shared)
    }

    /// Takes a changed hall.
    pub(super) fn update(&mut self, json: &str) -> Result<(), String> {
        self.view.update(json)?;
        self.take_boxes();
        Ok(())
    }

    /// Where the eye is, or will be in a moment, as JSON.
    pub(super) fn camera(&self) -> String {
        let camera = self.motion.as_ref().map_or(self.view.camera, |motion| motion.to);
        serde_json::to_string(&camera).unwrap_or_default()
    }

    /// The id at a place of the canvas, CSS pixels.
    pub(super) fn pick(&self, x: f64, y: f64) -> Option<String> {
        let bounds = self.canvas.get_bounding_client_rect();
        let (width, height) = (bounds.width(), bounds.height());
        (width > 0.0 && height > 0.0).then(|| self.view.pick(x / width, y / height).map(str::to_owned))?
    }

    /// Draws no more and hears no more.
    pub(super) fn stop(&mut self) {
        self.ears.clear();
        self.drawing = None;
        if let (Some(window), Some(rest)) = (web_sys::window(), self.rest.take()) {
            window.clear_timeout_with_handle(rest);
        }
    }

    /// Draws now. The canvas says how often it was drawn, for those who wait for it.
    pub(super) fn draw(&mut self) -> Result<(), String> {
        let Some(drawing) = &mut self.drawing else { return Err("there is no picture any more".into()) };
        drawing.draw(&self.view)?;
        self.frames += 1;
        // A canvas that takes no attribute is drawn all the same.
        let _ = self.canvas.set_attribute("data-frames", &self.frames.to_string());
        Ok(())
    }

    fn take_boxes(&mut self) {
        if let Some(drawing) = &mut self.drawing {
            drawing.take(&self.view.boxes().instances);
        }
    }

    fn resize(&mut self) -> bool {
        let size = size_of(&self.canvas);
        self.view.aspect = aspect(size);
        self.drawing.as_mut().is_some_and(|drawing| drawing.resize(size))
    }

    /// One frame, at a time in milliseconds: a step of the way to a bookmark; true where another is to follow.
    fn frame(&mut self, now_ms: f64) -> Result<bool, String> {
        self.is_due = false;
        if let Some(motion) = &self.motion {
            let share = ((now_ms - motion.began_ms) / MOVE_MS).clamp(0.0, 1.0);
            // Soon gone, softly come.
            self.view.camera = camera::between(&motion.from, &motion.to, 1.0 - (1.0 - share).powi(3));
            if share >= 1.0 {
                self.motion = None;
            }
        }
        self.draw().map(|()| self.motion.is_some())
    }

    fn change(&mut self, change: impl FnOnce(Camera, &camera::Bounds) -> Camera) {
        self.motion = None;
        self.view.camera = change(self.view.camera, &self.view.boxes().bounds);
    }

    /// A pointer moved with the button down: one turns, or shifts what it looks at; two bring it nearer.
    fn drag(&mut self, event: &PointerEvent) {
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        let height = f64::from(self.canvas.client_height()).max(1.0);
        let Some(at) = self.hands.iter().position(|hand| hand.id == event.pointer_id()) else { return };
        let (dx, dy) = (x - self.hands[at].x, y - self.hands[at].y);
        let spread = |hands: &[Hand]| match hands {
            [a, b, ..] => Some((a.x - b.x).hypot(a.y - b.y).max(1.0)),
            _ => None,
        };
        let before = spread(&self.hands);
        self.hands[at] = Hand { id: event.pointer_id(), x, y };
        self.travelled += dx.hypot(dy);
        if self.travelled < CLICK_PX {
            return;
        }
        let shifts = event.shift_key() || event.buttons() & 1 == 0;
        match (before, spread(&self.hands)) {
            (Some(before), Some(now)) => self.change(|camera, bounds| {
                let nearer = camera::zoomed(camera, before / now, bounds);
                camera::moved(nearer, -dx / height / 2.0, dy / height / 2.0, bounds)
            }),
            _ if shifts => self.change(|camera, bounds| camera::moved(camera, -dx / height, dy / height, bounds)),
            _ => self.change(|camera, _| camera::turned(camera, dx / height * DRAG_DEG, dy / height * DRAG_DEG)),
        }
    }

    /// What a key does to the eye.
    fn key(&mut self, event: &KeyboardEvent) -> Pressed {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return Pressed::Nothing;
        }
        let key = event.key();
        if let Some(bookmark) =
            key.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|n| Bookmark::ALL.get(n))
        {
            return Pressed::Bookmark(*bookmark);
        }
        let (across, along) = match key.as_str() {
            "ArrowLeft" => (-1.0, 0.0),
            "ArrowRight" => (1.0, 0.0),
            "ArrowUp" => (0.0, 1.0),
            "ArrowDown" => (0.0, -1.0),
            "+" | "=" => {
                self.change(|camera, bounds| camera::zoomed(camera, KEY_ZOOM, bounds));
                return Pressed::Move;
            }
            "-" | "−" => {
                self.change(|camera, bounds| camera::zoomed(camera, 1.0 / KEY_ZOOM, bounds));
                return Pressed::Move;
            }
            _ => return Pressed::Nothing,
        };
        if event.shift_key() {
            self.change(|camera, bounds| camera::moved(camera, across * KEY_SHARE, along * KEY_SHARE, bounds));
        } else {
            self.change(|camera, _| camera::turned(camera, -across * KEY_DEG, along * KEY_DEG));
        }
        Pressed::Move
    }
}

/// Draws before the next time that the screen is painted, once however often it is asked.
pub(super) fn draw_soon(stage: &Shared) {
    let mut held = stage.borrow_mut();
    if held.is_due || held.drawing.is_none() {
        return;
    }
    let weak = Rc::downgrade(stage);
    let frame = held.on_frame.get_or_insert_with(|| Closure::new(move |now_ms| on_frame(&weak, now_ms)));
    let asked =
        web_sys::window().is_some_and(|window| window.request_animation_frame(frame.as_ref().unchecked_ref()).is_ok());
    held.is_due = asked;
}

fn on_frame(stage: &Weak<RefCell<Stage>>, now_ms: f64) {
    let Some(stage) = stage.upgrade() else { return };
    if stage.borrow().drawing.is_none() {
        return;
    }
    let drawn = stage.borrow_mut().frame(now_ms);
    match drawn {
        Ok(true) => draw_soon(&stage),
        Ok(false) => {}
        Err(why) => lost(&stage, &why),
    }
}

/// Looks from a place; false where the hall has no such.
pub(super) fn look(stage: &Shared, place: &str) -> bool {
    {
        let mut held = stage.borrow_mut();
        let Some(to) = held.view.place(place) else { return false };
        let now_ms = web_sys::window().and_then(|window| window.performance()).map(|clock| clock.now());
        held.motion = now_ms.filter(|_| !media("(prefers-reduced-motion: reduce)")).map(|began_ms| Motion {
            from: held.view.camera,
            to,
            began_ms,
        });
        if held.motion.is_none() {
            held.view.camera = to;
        }
    }
    moved(stage);
    true
}

/// The eye moved: draws, and tells the page once it rests.
fn moved(stage: &Shared) {
    draw_soon(stage);
    let mut held = stage.borrow_mut();
    let Some(window) = web_sys::window() else { return };
    if let Some(rest) = held.rest.take() {
        window.clear_timeout_with_handle(rest);
    }
    let weak = Rc::downgrade(stage);
    let on_rest = held.on_rest.get_or_insert_with(|| {
        Closure::new(move || {
            let Some(stage) = weak.upgrade() else { return };
            let (canvas, camera) = (stage.borrow().canvas.clone(), stage.borrow().camera());
            tell(&canvas, "scene-looked", &camera);
        })
    });
    let asked = window.set_timeout_with_callback_and_timeout_and_arguments_0(on_rest.as_ref().unchecked_ref(), REST_MS);
    held.rest = asked.ok();
}

/// There is no picture any more: says why, and lets go of it.
fn lost(stage: &Shared, why: &str) {
    let canvas = {
        let mut held = stage.borrow_mut();
        held.drawing = None;
        held.canvas.clone()
    };
    tell(&canvas, "scene-lost", why);
}

fn listen(stage: &Shared) {
    let canvas: EventTarget = stage.borrow().canvas.clone().into();
    let mut ears = vec![
        hear(stage, &canvas, "pointerdown", on_down),
        hear(stage, &canvas, "pointermove", on_move),
        hear(stage, &canvas, "pointerup", on_up),
        hear(stage, &canvas, "pointercancel", on_cancel),
        hear(stage, &canvas, "pointerleave", |stage, _: &PointerEvent| over(stage, "")),
        hear(stage, &canvas, "contextmenu", |_, event: &web_sys::MouseEvent| event.prevent_default()),
        hear(stage, &canvas, "wheel", on_wheel),
        hear(stage, &canvas, "keydown", on_key),
        hear(stage, &canvas, "webglcontextlost", |stage, _: &web_sys::Event| {
            lost(stage, "the browser took the graphics back");
        }),
    ];
    if let Some(window) = web_sys::window() {
        if let Ok(Some(scheme)) = window.match_media("(prefers-color-scheme: dark)") {
            ears.push(hear(stage, &scheme.into(), "change", |stage, _: &web_sys::Event| theme(stage)));
        }
        // Another density of pixels comes with another size of the window.
        ears.push(hear(stage, &window.into(), "resize", |stage, _: &web_sys::Event| resized(stage)));
    }
    ears.extend(watch_size(stage));
    ears.extend(watch_theme(stage));
    stage.borrow_mut().ears = ears;
}

fn hear<E: JsCast + 'static>(
    stage: &Shared,
    target: &EventTarget,
    name: &'static str,
    act: impl Fn(&Shared, &E) + 'static,
) -> Ear {
    let weak = Rc::downgrade(stage);
    let closure = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        if let Some(stage) = weak.upgrade() {
            act(&stage, event.unchecked_ref());
        }
    });
    let options = web_sys::AddEventListenerOptions::new();
    // What is turned here is not to scroll the page as well.
    options.set_passive(false);
    // A browser that can't listen leaves the picture as it is.
    let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
        name,
        closure.as_ref().unchecked_ref(),
        &options,
    );
    Ear::Event(target.clone(), name, closure)
}

fn watch_size(stage: &Shared) -> Option<Ear> {
    let weak = Rc::downgrade(stage);
    let closure = Closure::<dyn FnMut()>::new(move || {
        if let Some(stage) = weak.upgrade() {
            resized(&stage);
        }
    });
    let observer = web_sys::ResizeObserver::new(closure.as_ref().unchecked_ref()).ok()?;
    observer.observe(&stage.borrow().canvas);
    Some(Ear::Size(observer, closure))
}

fn watch_theme(stage: &Shared) -> Option<Ear> {
    let weak = Rc::downgrade(stage);
    let closure = Closure::<dyn FnMut()>::new(move || {
        if let Some(stage) = weak.upgrade() {
            theme(&stage);
        }
    });
    let observer = web_sys::MutationObserver::new(closure.as_ref().unchecked_ref()).ok()?;
    let page = web_sys::window()?.document()?.document_element()?;
    let what = web_sys::MutationObserverInit::new();
    what.set_attributes(true);
    observer.observe_with_options(&page, &what).ok()?;
    Some(Ear::Theme(observer, closure))
}

fn theme(stage: &Shared) {
    let canvas = stage.borrow().canvas.clone();
    tell(&canvas, "scene-theme", "");
}

fn resized(stage: &Shared) {
    if stage.borrow_mut().resize() {
        draw_soon(stage);
    }
}

fn on_down(stage: &Shared, event: &PointerEvent) {
    let mut held = stage.borrow_mut();
    // Without it a drag ends at the edge of the canvas.
    let _ = held.canvas.set_pointer_capture(event.pointer_id());
    if held.hands.is_empty() {
        held.travelled = 0.0;
    }
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    held.hands.push(Hand { id: event.pointer_id(), x, y });
}

fn on_move(stage: &Shared, event: &PointerEvent) {
    if stage.borrow().hands.is_empty() {
        let found = stage.borrow().pick(f64::from(event.offset_x()), f64::from(event.offset_y()));
        return over(stage, &found.unwrap_or_default());
    }
    stage.borrow_mut().drag(event);
    moved(stage);
}

fn on_up(stage: &Shared, event: &PointerEvent) {
    let (canvas, picked) = {
        let mut held = stage.borrow_mut();
        held.hands.retain(|hand| hand.id != event.pointer_id());
        let clicked = held.hands.is_empty() && held.travelled < CLICK_PX && event.button() == 0;
        let place = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        (held.canvas.clone(), clicked.then(|| held.pick(place.0, place.1)).flatten())
    };
    if let Some(id) = picked {
        tell(&canvas, "scene-picked", &id);
    }
}

fn on_cancel(stage: &Shared, event: &PointerEvent) {
    stage.borrow_mut().hands.retain(|hand| hand.id != event.pointer_id());
}

/// The wheel scrolls the page until the picture is in use.
fn on_wheel(stage: &Shared, event: &WheelEvent) {
    let in_use = {
        let held = stage.borrow();
        let focused = web_sys::window().and_then(|window| window.document()).and_then(|page| page.active_element());
        focused.is_some_and(|element| element == **held.canvas)
    };
    if !in_use && !event.ctrl_key() {
        return;
    }
    event.prevent_default();
    // Lines and pages, as some mice count, in pixels.
    let step = match event.delta_mode() {
        WheelEvent::DOM_DELTA_LINE => 16.0,
        WheelEvent::DOM_DELTA_PAGE => 400.0,
        _ => 1.0,
    };
    let factor = (event.delta_y() * step * 0.0012).clamp(-0.5, 0.5).exp();
    stage.borrow_mut().change(|camera, bounds| camera::zoomed(camera, factor, bounds));
    moved(stage);
}

fn on_key(stage: &Shared, event: &KeyboardEvent) {
    let pressed = stage.borrow_mut().key(event);
    if pressed == Pressed::Nothing {
        return;
    }
    event.prevent_default();
    // The workshop has uses of its own for these keys.
    event.stop_propagation();
    match pressed {
        Pressed::Bookmark(bookmark) => {
            look(stage, bookmark.name());
        }
        Pressed::Move | Pressed::Nothing => moved(stage),
    }
}

/// Another rack is under the pointer, or none.
fn over(stage: &Shared, id: &str) {
    let canvas = {
        let mut held = stage.borrow_mut();
        if held.over == id {
            return;
        }
        id.clone_into(&mut held.over);
        // It shows that there is something to click.
        let _ = held.canvas.toggle_attribute_with_force("data-over", !id.is_empty());
        held.canvas.clone()
    };
    tell(&canvas, "scene-over", id);
}

fn media(query: &str) -> bool {
    web_sys::window().and_then(|window| window.match_media(query).ok().flatten()).is_some_and(|found| found.matches())
}

/// Of a canvas, in pixels of the screen.
fn size_of(canvas: &HtmlCanvasElement) -> (u32, u32) {
    let dense = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio()).clamp(1.0, MOST_DENSE);
    let pixels = |css: i32| (f64::from(css) * dense).round().max(1.0) as u32;
    (pixels(canvas.client_width()), pixels(canvas.client_height()))
}

fn aspect((width, height): (u32, u32)) -> f64 {
    f64::from(width) / f64::from(height)
}
