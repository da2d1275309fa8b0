//! The live fleet as a browser has it: the stream of what changes, the canvas that the heat-map is drawn on, the reader's
//! own clock.

use crate::fleet::eye::Size;
use crate::fleet::paint::Frame;
use crate::fleet::time::{Clock, UTC, Zone};
use leptos::web_sys::{self, HtmlCanvasElement};
use model::live::{LiveReset, LiveSummary, LiveValues};

/// What the live stream says.
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "without a browser nothing is heard"))]
pub(crate) enum Heard {
    /// What changed of the metric.
    Values(LiveValues),
    /// The whole fleet.
    Summary(Box<LiveSummary>),
    /// What the page has can't be brought up to date.
    Reset(LiveReset),
    /// The connection was lost. The browser connects again by itself, unless it gave up.
    Lost {
        /// Whether it gave up.
        gave_up: bool,
    },
}

/// A connection to the live stream, closed when dropped.
pub(crate) struct Stream {
    #[cfg(feature = "hydrate")]
    source: web_sys::EventSource,
    #[cfg(feature = "hydrate")]
    _on_message: Vec<wasm_bindgen::closure::Closure<dyn FnMut(web_sys::MessageEvent)>>,
    #[cfg(feature = "hydrate")]
    _on_error: wasm_bindgen::closure::Closure<dyn FnMut()>,
}

#[cfg(feature = "hydrate")]
impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Listens to the fleet. `on` gets what is said, with the id of the last event that came.
pub(crate) fn listen(path: &str, on: impl Fn(Heard, &str) + Clone + 'static) -> Option<Stream> {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        use wasm_bindgen::closure::Closure;
        let source = web_sys::EventSource::new(path).ok()?;
        let mut hears = Vec::new();
        for name in ["values", "summary", "reset"] {
            let on = on.clone();
            let hear = Closure::<dyn FnMut(_)>::new(move |message: web_sys::MessageEvent| {
                let text = message.data().as_string().unwrap_or_default();
                let heard = match name {
                    "values" => serde_json::from_str(&text).map(Heard::Values).ok(),
                    "summary" => serde_json::from_str(&text).map(Heard::Summary).ok(),
                    _ => serde_json::from_str(&text).map(Heard::Reset).ok(),
                };
                if let Some(heard) = heard {
                    on(heard, &message.last_event_id());
                }
            });
            source.add_event_listener_with_callback(name, hear.as_ref().unchecked_ref()).ok()?;
            hears.push(hear);
        }
        let lost = source.clone();
        let on_error = Closure::<dyn FnMut()>::new(move || {
            on(Heard::Lost { gave_up: lost.ready_state() == web_sys::EventSource::CLOSED }, "");
        });
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Stream { source, _on_message: hears, _on_error: on_error })
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (path, on);
        None
    }
}

/// A clock of the reader's choice. Without a browser nobody knows the reader's own.
pub(crate) fn clock(zone: Zone) -> Clock {
    match zone {
        Zone::Utc => UTC,
        #[cfg(feature = "hydrate")]
        Zone::Local => Clock {
            name: "local time",
            shift: |ms| {
                let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(ms as f64));
                ms - date.get_timezone_offset() as i64 * 60_000
            },
        },
        #[cfg(not(feature = "hydrate"))]
        Zone::Local => UTC,
    }
}

/// Keeps a pointer that was pressed on an element with it, wherever it goes.
pub(crate) fn hold(event: &leptos::ev::PointerEvent, element: &web_sys::Element) {
    #[cfg(feature = "hydrate")]
    // A pointer that is gone already can't be held, and need not be.
    let _ = element.set_pointer_capture(event.pointer_id());
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, element);
}

/// Gives the focus to what is called so.
pub(crate) fn focus(id: &str) {
    super::focus_once_drawn(id.to_owned());
}

/// The colours of `tokens.css` that the map is drawn in, as the theme has them now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Palette {
    scale: Vec<String>,
    unread: String,
    dimmed: String,
    line: String,
    text: String,
    soft: String,
    ground: String,
    error: String,
    accent: String,
    font: String,
}

impl Palette {
    /// Whether the page has another ground now, and so another theme.
    pub(crate) fn is_old(&self, canvas: &HtmlCanvasElement) -> bool {
        self.ground != styled(canvas, "color", "var(--ground)")
    }
    /// As the theme has them now.
    pub(crate) fn of(canvas: &HtmlCanvasElement) -> Self {
        let colour = |token: &str| styled(canvas, "color", &format!("var(--{token})"));
        Self {
            scale: (0..crate::fleet::scale::STEPS).map(|step| colour(&format!("scale-{step}"))).collect(),
            unread: colour("rail"),
            dimmed: colour("ground-hover"),
            line: colour("line-strong"),
            text: colour("text"),
            soft: colour("text-soft"),
            ground: colour("ground"),
            error: colour("error"),
            accent: colour("accent"),
            font: styled(canvas, "font-family", "var(--font-text)"),
        }
    }
}

/// What a property comes to on a canvas for a moment. A token may be another colour in each theme; only what has it for its
/// own knows which it is now, and a canvas shows no text.
fn styled(canvas: &HtmlCanvasElement, property: &str, value: &str) -> String {
    #[cfg(feature = "hydrate")]
    {
        let style = canvas.style();
        let set = style.set_property(property, value);
        let found = web_sys::window()
            .filter(|_| set.is_ok())
            .and_then(|window| window.get_computed_style(canvas).ok().flatten())
            .and_then(|computed| computed.get_property_value(property).ok());
        // What can't be taken away does no harm.
        let _ = style.remove_property(property);
        found.unwrap_or_default()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (canvas, property, value);
        String::new()
    }
}

/// Draws a frame. False where the browser has no canvas to draw on.
pub(crate) fn paint(canvas: &HtmlCanvasElement, frame: &Frame, palette: &Palette, screen: Size) -> bool {
    #[cfg(feature = "hydrate")]
    return drawing::paint(canvas, frame, palette, screen).is_some();
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (canvas, frame, palette, screen);
        true
    }
}

#[cfg(feature = "hydrate")]
mod drawing {
    use super::{Frame, HtmlCanvasElement, Palette, Size, web_sys};
    use crate::fleet::paint::{Marks, On};
    use model::fleet::Health;
    use std::f64::consts::TAU;
    use wasm_bindgen::JsCast;
    use web_sys::CanvasRenderingContext2d;

    pub(super) fn paint(canvas: &HtmlCanvasElement, frame: &Frame, palette: &Palette, screen: Size) -> Option<()> {
        let ratio = web_sys::window()?.device_pixel_ratio().clamp(1.0, 3.0);
        let (width, height) = ((screen.width * ratio).round() as u32, (screen.height * ratio).round() as u32);
        // Setting a size clears the canvas and costs more than the drawing.
        if (canvas.width(), canvas.height()) != (width, height) {
            canvas.set_width(width);
            canvas.set_height(height);
        }
        let pen: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        pen.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0).ok()?;
        pen.clear_rect(0.0, 0.0, screen.width, screen.height);
        fill(&pen, &palette.dimmed, &frame.dimmed, frame.side);
        fill(&pen, &palette.unread, &frame.unread, frame.side);
        for (cells, colour) in frame.cells.iter().zip(&palette.scale) {
            fill(&pen, colour, cells, frame.side);
        }
        if frame.side >= 5.0 {
            outline(&pen, palette, &frame.unread, frame.side);
        }
        for marks in &frame.marks {
            mark(&pen, palette, marks);
        }
        names(&pen, palette, frame);
        if let Some((x, y)) = frame.cursor {
            for (colour, wide) in [(&palette.ground, 5.0), (&palette.accent, 2.5)] {
                pen.set_stroke_style_str(colour);
                pen.set_line_width(wide);
                pen.stroke_rect(x - 2.0, y - 2.0, frame.side + 4.0, frame.side + 4.0);
            }
        }
        Some(())
    }

    fn fill(pen: &CanvasRenderingContext2d, colour: &str, corners: &[(f64, f64)], side: f64) {
        pen.set_fill_style_str(colour);
        for (x, y) in corners {
            pen.fill_rect(*x, *y, side, side);
        }
    }

    /// Cells without a value have an edge, so that they are seen on any ground.
    fn outline(pen: &CanvasRenderingContext2d, palette: &Palette, corners: &[(f64, f64)], side: f64) {
        pen.set_stroke_style_str(&palette.line);
        pen.set_line_width(1.0);
        for (x, y) in corners {
            pen.stroke_rect(x + 0.5, y + 0.5, side - 1.0, side - 1.0);
        }
    }

    fn mark(pen: &CanvasRenderingContext2d, palette: &Palette, marks: &Marks) {
        let half = marks.size / 2.0;
        pen.begin_path();
        for (x, y) in &marks.at {
            trace(pen, marks.health, (*x, *y), half);
        }
        if marks.health == Health::Stale {
            pen.set_stroke_style_str(&palette.soft);
            pen.set_line_width(1.0);
            pen.stroke();
            return;
        }
        let wide = (marks.size / 6.0).max(1.6);
        let ink = match (marks.health, marks.on) {
            (Health::Failed, _) => &palette.error,
            (_, On::Deep) => &palette.ground,
            (_, On::Pale) => &palette.text,
        };
        // What failed has a rim of the ground, as it may be larger than its cell.
        if marks.health == Health::Failed {
            pen.set_stroke_style_str(&palette.ground);
            pen.set_line_width(wide + 2.4);
            pen.stroke();
        }
        pen.set_stroke_style_str(ink);
        pen.set_line_width(wide);
        pen.stroke();
    }

    /// The shape of a state about a point, as the legend has it.
    fn trace(pen: &CanvasRenderingContext2d, health: Health, (x, y): (f64, f64), half: f64) {
        let line = |points: &[(f64, f64)]| {
            for (at, (dx, dy)) in points.iter().enumerate() {
                let (px, py) = (x + dx * half, y + dy * half);
                if at == 0 { pen.move_to(px, py) } else { pen.line_to(px, py) }
            }
        };
        match health {
            Health::Busy | Health::Idle => {}
            Health::Failed => {
                line(&[(-1.0, -1.0), (1.0, 1.0)]);
                line(&[(1.0, -1.0), (-1.0, 1.0)]);
            }
            Health::HeatHeld => line(&[(0.0, -1.0), (1.0, 0.8), (-1.0, 0.8), (0.0, -1.0), (1.0, 0.8)]),
            Health::PowerHeld => line(&[(-1.0, 0.0), (1.0, 0.0)]),
            Health::Degraded => {
                pen.move_to(x + half * 0.9, y);
                // A circle of a size that is none is refused, and is none.
                let _ = pen.arc(x, y, half * 0.9, 0.0, TAU);
            }
            Health::Stale => {
                line(&[(-1.0, 0.0), (0.0, -1.0)]);
                line(&[(-1.0, 1.0), (1.0, -1.0)]);
                line(&[(0.0, 1.0), (1.0, 0.0)]);
            }
        }
    }

    fn names(pen: &CanvasRenderingContext2d, palette: &Palette, frame: &Frame) {
        pen.set_font(&format!("{}px {}", frame.name_size.round(), palette.font));
        pen.set_fill_style_str(&palette.text);
        // Letters are about half as wide as they are high; what has no room is cut, and read in full below the map.
        let letter = frame.name_size * 0.58;
        for name in &frame.names {
            let room = (name.width / letter).floor() as usize;
            let long = name.words.chars().count();
            let shown: String = match room {
                0..2 => continue,
                room if room >= long => name.words.clone(),
                // Ends of names tell more than their beginnings, which are often all alike.
                room => std::iter::once('…').chain(name.words.chars().skip(long + 1 - room)).collect(),
            };
            // A name that can't be drawn is still in the table.
            let _ = pen.fill_text(&shown, name.x, name.y);
        }
    }
}
