//! The heat-map: every GPU a cell, coloured by a metric, marked by its health. Drawn once the page is awake; what it shows is
//! also read out, and stands in the table below.

use super::board::{Board, Place};
use super::health::HealthMark;
use crate::browser;
use crate::browser::fleet::{self as drawn, Palette};
use crate::components::workshop::units;
use crate::fleet::arrange::{Arrangement, Way};
use crate::fleet::eye::{Eye, Size, Stand};
use crate::fleet::groups::{Group, gpu_at, gpu_place};
use crate::fleet::look::{Look, metrics};
use crate::fleet::paint::{Scene, frame};
use crate::fleet::scale::Scale;
use crate::fleet::words::{self, HEALTHS, health, mid_sentence};
use crate::format::{self, Units};
use crate::paths;
use leptos::ev::{KeyboardEvent, PointerEvent, WheelEvent};
use leptos::html::Canvas;
use leptos::prelude::*;
use leptos::web_sys::HtmlCanvasElement;
use model::fleet::Health;
use model::metric::Metric;
use std::sync::Arc;
use std::time::Duration;

/// The map's id, by which the focus finds it.
pub const MAP: &str = "fleet-map";
/// A screen before the page has measured its own.
const SCREEN: Size = Size { width: 880.0, height: 480.0 };
/// How far a pointer may stray while it clicks, pixels.
const STRAYED: f64 = 4.0;
/// How much nearer one step is.
const NEARER: f64 = 1.25;
/// After how long the address takes where one looks from.
const SETTLED: Duration = Duration::from_millis(400);

/// What the parts of the map share.
#[derive(Clone, Copy)]
struct Map {
    board: Board,
    canvas: NodeRef<Canvas>,
    size: RwSignal<Size>,
    arrangement: Memo<Arc<Arrangement>>,
    scale: Memo<Option<Scale>>,
    eye: RwSignal<Eye>,
    /// Places in the order of the arrangement.
    hover: RwSignal<Option<usize>>,
    cursor: RwSignal<Option<usize>>,
    /// What the cursor came to, to be said aloud.
    said: RwSignal<String>,
    palette: RwSignal<Palette>,
    /// Set where the browser can't draw.
    blind: RwSignal<bool>,
    /// A frame is on its way.
    waits: StoredValue<bool>,
    /// Where the pointer was pressed and is, and whether it strayed.
    pressed: StoredValue<Option<Press>>,
    /// Counts moves, so that the address takes only the last.
    moves: StoredValue<u32>,
}

/// A pointer that is down.
#[derive(Clone, Copy)]
struct Press {
    at: (f64, f64),
    strayed: bool,
}

/// The map with its choices, its read-out and what its colours mean.
#[component]
pub fn HeatMap(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let size = RwSignal::new(SCREEN);
    let map = Map {
        board,
        canvas: NodeRef::new(),
        size,
        arrangement: Memo::new(move |_| Arc::new(board.blocks.with(|blocks| Arrangement::of(blocks, size.get())))),
        scale: Memo::new(move |_| {
            let metric = board.standing.with(|standing| standing.metric);
            board.now.with(|now| Scale::of(metric, &now.values))
        }),
        eye: RwSignal::new(board.look.with_untracked(|look| look.eye)),
        hover: RwSignal::new(None),
        cursor: RwSignal::new(None),
        said: RwSignal::new(String::new()),
        palette: RwSignal::new(Palette::default()),
        blind: RwSignal::new(false),
        waits: StoredValue::new(false),
        pressed: StoredValue::new(None),
        moves: StoredValue::new(0),
    };
    map.measures();
    map.draws();
    map.follows_the_address();
    view! {
        <section class="fleet-map" aria-labelledby="map-heading">
            <h2 id="map-heading" class="hidden">"Every GPU by " {move || board.look.with(|look| look.metric.words())}</h2>
            <Choices map/>
            <Picture map/>
            <Legend map/>
        </section>
    }
}

/// What to colour by, what to group by, which nodes, and from where to look.
#[component]
fn Choices(map: Map) -> impl IntoView {
    let board = map.board;
    let change = move |change: &dyn Fn(Look) -> Look| {
        let look = change(board.look.get_untracked());
        board.look_so(&look, Place::After);
    };
    let metric = move |name: String| {
        if let Some(metric) = Metric::named(&name) {
            change(&|look| Look { metric, ..look });
        }
    };
    let group = move |name: String| {
        if let Some(group) = Group::ALL.into_iter().find(|group| group.name() == name) {
            change(&|look| Look { group, eye: Eye::default(), ..look });
        }
    };
    let only = move |text: String| {
        change(&|look| Look { only: text.trim().to_owned(), eye: Eye::default(), ..look });
    };
    let now = board.look.get_untracked();
    let metric_options = metrics()
        .map(|each| view! { <option value=each.name() selected=each == now.metric>{each.words()}</option> })
        .collect_view();
    let group_options = Group::ALL
        .map(|each| view! { <option value=each.name() selected=each == now.group>{each.words()}</option> })
        .collect_view();
    let zoom = move |times: f64| map.nearer(times, None);
    view! {
        <div class="fleet-choices">
            <label>"Colour by " <select prop:value=move || board.look.with(|look| look.metric.name()) on:change:target=move |event| metric(event.target().value())>{metric_options}</select></label>
            <label>"Group by " <select prop:value=move || board.look.with(|look| look.group.name()) on:change:target=move |event| group(event.target().value())>{group_options}</select></label>
            <label>"Show only "
                <input type="search" placeholder="host, rack, hall, tenant" value=now.only.clone() prop:value=move || board.look.with(|look| look.only.clone())
                    on:change:target=move |event| only(event.target().value())/>
            </label>
            <p class="choice" role="group" aria-label="Look nearer or farther">
                <button aria-label="Nearer" on:click=move |_| zoom(NEARER * NEARER)>"+"</button>
                <button aria-label="Farther" on:click=move |_| zoom(1.0 / NEARER / NEARER)>"−"</button>
                <button on:click=move |_| map.looks_from(Eye::default())>"All"</button>
            </p>
        </div>
    }
}

#[component]
fn Picture(map: Map) -> impl IntoView {
    let label = move || {
        let gpus = map.arrangement.with(|map| map.order.len() as u32);
        let (metric, group) = map.board.look.with(|look| (look.metric.words(), look.group.words()));
        format!("{} by {}, coloured by {metric}", format::things(gpus, "GPU", "GPUs"), mid_sentence(group))
    };
    let reading = move || {
        let at = map.hover.get().or(map.cursor.get());
        at.and_then(|at| map.words(at)).unwrap_or_else(|| "\u{a0}".into())
    };
    let leave = move |_: PointerEvent| {
        map.hover.set(None);
        map.pressed.set_value(None);
    };
    let nothing = move || {
        let look = map.board.look.get();
        (map.arrangement.with(|map| map.order.is_empty())).then(|| {
            let all = Look { only: String::new(), ..look.clone() };
            view! { <p class="empty">"No node is called “" {look.only} "”. " <a href=all.path()>"Show all nodes"</a> "."</p> }
        })
    };
    view! {
        {nothing}
        <div class="heat">
            <canvas id=MAP node_ref=map.canvas tabindex="0" role="application" aria-roledescription="heat-map" aria-label=label aria-describedby="map-keys"
                on:pointerdown=move |event: PointerEvent| map.press(&event)
                on:pointermove=move |event: PointerEvent| map.move_to(&event)
                on:pointerup=move |event: PointerEvent| map.release(&event)
                on:pointerleave=leave
                on:wheel=move |event: WheelEvent| map.wheel(&event)
                on:keydown=move |event: KeyboardEvent| map.key(&event)
                on:focus=move |_| if map.cursor.get_untracked().is_none() { map.cursor_to(0) }>
                "The table below has the same, group by group."
            </canvas>
        </div>
        <p class="heat-reading" aria-hidden="true">{reading}</p>
        <p class="hidden" role="status">{move || map.said.get()}</p>
        {move || map.blind.get().then(|| view! { <p class="outcome warning">"This browser can't draw the map. The table below has the same."</p> })}
        <p class="soft heat-keys" id="map-keys">
            "Click a GPU for its page. Drag to move; the wheel comes nearer once the map was clicked or with Ctrl. Keys on the map: arrows go from GPU to GPU, Enter opens one, + − and 0 zoom, N finds the next that is not well, T goes to the table."
        </p>
    }
}

/// What the colours and marks mean.
#[component]
fn Legend(map: Map) -> impl IntoView {
    let units = units();
    let metric = move || map.board.standing.with(|standing| standing.metric);
    let ends = move || {
        map.scale.get().map(|scale| {
            let words = |value| format::axis::short(&format::measured(units.get(), metric().unit(), value));
            scale.marks().map(words).map(|words| view! { <span>{words}</span> }).collect_view()
        })
    };
    let steps = (0..crate::fleet::scale::STEPS).map(|_| view! { <i></i> }).collect_view();
    view! {
        <div class="heat-legend">
            <p class="legend-title">{move || metric().words()}</p>
            <div class="steps-block">
                <p class="steps" aria-hidden="true">{steps}</p>
                <p class="steps-ends">{ends}</p>
            </div>
            {move || map.scale.get().is_none().then(|| view! { <p class="soft">"Nobody brings this metric, so no GPU has a colour."</p> })}
            <ul class="heat-marks" aria-label="Marks on GPUs">
                {HEALTHS.into_iter().filter(|each| !matches!(each, Health::Busy | Health::Idle)).map(|each| view! { <li><HealthMark health=each/></li> }).collect_view()}
                <li><span class="unread-cell" aria-hidden="true"></span>"not read"</li>
            </ul>
        </div>
    }
}

impl Map {
    fn stand(self) -> Stand {
        let map = self.arrangement.with_untracked(|map| map.size);
        self.eye.get_untracked().stand(map, self.size.get_untracked())
    }

    /// The canvas is as large as its place, also when that changes.
    fn measures(self) {
        let measure = move || {
            if let Some(canvas) = self.canvas.get_untracked() {
                let (width, height) = browser::size_of(&canvas);
                if width > 1.0 && height > 1.0 {
                    self.size.set(Size { width, height });
                }
            }
        };
        Effect::new(move |_| {
            if self.canvas.get().is_some() {
                measure();
                let listening = window_event_listener(leptos::ev::resize, move |_| measure());
                on_cleanup(move || listening.remove());
            }
        });
        // A theme that changed is seen within the second.
        Effect::new(move |_| {
            browser::every(1, move || {
                let canvas = self.canvas.try_get_untracked().flatten();
                let Some(canvas) = canvas else { return };
                if self.palette.with_untracked(|palette| palette.is_old(&canvas)) {
                    self.palette.set(Palette::of(&canvas));
                }
            });
        });
    }

    /// Draws when something changed, once a frame at most.
    fn draws(self) {
        Effect::new(move |_| {
            let Some(canvas) = self.canvas.get() else { return };
            self.arrangement.track();
            self.scale.track();
            self.board.now.track();
            self.board.look.track();
            self.eye.track();
            self.cursor.track();
            self.palette.track();
            self.size.track();
            if self.waits.get_value() {
                return;
            }
            self.waits.set_value(true);
            request_animation_frame(move || {
                // The page may have been left meanwhile.
                if self.waits.try_set_value(false).is_some() {
                    return;
                }
                self.draw(&canvas);
            });
        });
    }

    fn draw(self, canvas: &HtmlCanvasElement) {
        if self.palette.with_untracked(|palette| *palette == Palette::default()) {
            let palette = Palette::of(canvas);
            self.palette.update_untracked(|held| *held = palette);
        }
        let (size, stand) = (self.size.get_untracked(), self.stand());
        let arrangement = self.arrangement.get_untracked();
        let look = self.board.look.get_untracked();
        let frame = self.board.now.with_untracked(|now| {
            let (scale, cursor) = (self.scale.get_untracked(), self.cursor.get_untracked());
            frame(Scene { map: &arrangement, now, scale, look: &look, cursor }, stand, size)
        });
        let is_drawn = self.palette.with_untracked(|palette| drawn::paint(canvas, &frame, palette, size));
        if self.blind.get_untracked() == is_drawn {
            self.blind.set(!is_drawn);
        }
    }

    /// Another address, as by the browser's way back, is another place to look from; another arrangement another cursor.
    fn follows_the_address(self) {
        let eye = Memo::new(move |_| self.board.look.with(|look| look.eye));
        Effect::new(move |_| {
            let eye = eye.get();
            if self.eye.with_untracked(|held| held.to_string() != eye.to_string()) {
                self.eye.set(eye);
            }
        });
        Effect::new(move |before: Option<()>| {
            self.board.blocks.track();
            if before.is_some() {
                self.cursor.set(None);
                self.hover.set(None);
            }
        });
    }

    /// Looks from elsewhere; the address takes it once it has settled.
    fn looks_from(self, eye: Eye) {
        self.eye.set(eye);
        let now = self.moves.with_value(|moves| moves.wrapping_add(1));
        self.moves.set_value(now);
        set_timeout(
            move || {
                if self.moves.try_get_value() == Some(now) {
                    let eye = self.eye.get_untracked().to_string().parse().unwrap_or_default();
                    let look = Look { eye, ..self.board.look.get_untracked() };
                    self.board.look_so(&look, Place::Instead);
                }
            },
            SETTLED,
        );
    }

    fn nearer(self, times: f64, pointer: Option<(f64, f64)>) {
        let size = self.size.get_untracked();
        let pointer = pointer.unwrap_or((size.width / 2.0, size.height / 2.0));
        let map = self.arrangement.with_untracked(|map| map.size);
        self.looks_from(self.eye.get_untracked().nearer(times, pointer, map, size));
    }

    fn hit(self, pointer: (f64, f64)) -> Option<usize> {
        let at = self.stand().to_map(pointer);
        self.arrangement.with_untracked(|map| map.hit(at))
    }

    fn press(self, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        self.pressed.set_value(Some(Press { at: pointer(event), strayed: false }));
        if let Some(canvas) = self.canvas.get_untracked() {
            drawn::hold(event, &canvas);
        }
    }

    fn move_to(self, event: &PointerEvent) {
        let at = pointer(event);
        let Some(press) = self.pressed.get_value() else {
            let hit = self.hit(at);
            if self.hover.get_untracked() != hit {
                self.hover.set(hit);
            }
            return;
        };
        let by = (at.0 - press.at.0, at.1 - press.at.1);
        if press.strayed || by.0.hypot(by.1) > STRAYED {
            let map = self.arrangement.with_untracked(|map| map.size);
            self.looks_from(self.eye.get_untracked().moved(by, map, self.size.get_untracked()));
            self.pressed.set_value(Some(Press { at, strayed: true }));
        }
    }

    fn release(self, event: &PointerEvent) {
        let press = self.pressed.get_value();
        self.pressed.set_value(None);
        if press.is_some_and(|press| !press.strayed)
            && let Some(at) = self.hit(pointer(event))
        {
            self.open(at);
        }
    }

    fn wheel(self, event: &WheelEvent) {
        // Who scrolls past the map is not to be caught in it.
        if !event.ctrl_key() && browser::focused_id().as_deref() != Some(MAP) {
            return;
        }
        event.prevent_default();
        let times = if event.delta_y() < 0.0 { NEARER } else { 1.0 / NEARER };
        self.nearer(times, Some((f64::from(event.offset_x()), f64::from(event.offset_y()))));
    }

    fn key(self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let cursor = self.cursor.get_untracked().unwrap_or_default();
        let last = self.arrangement.with_untracked(|map| map.order.len().saturating_sub(1));
        let step = |way| self.arrangement.with_untracked(|map| map.step(cursor, way));
        match event.key().as_str() {
            "ArrowLeft" => self.cursor_to(step(Way::Left)),
            "ArrowRight" => self.cursor_to(step(Way::Right)),
            "ArrowUp" => self.cursor_to(step(Way::Up)),
            "ArrowDown" => self.cursor_to(step(Way::Down)),
            "Home" => self.cursor_to(0),
            "End" => self.cursor_to(last),
            "Enter" | " " => self.open(cursor),
            "+" | "=" => self.nearer(NEARER, self.cursor_on_screen()),
            "-" => self.nearer(1.0 / NEARER, self.cursor_on_screen()),
            "0" => self.looks_from(Eye::default()),
            "n" | "N" => self.to_the_next_unwell(cursor),
            _ => return,
        }
        event.prevent_default();
    }

    fn cursor_on_screen(self) -> Option<(f64, f64)> {
        let corner = self.arrangement.with_untracked(|map| map.corner(self.cursor.get_untracked()?))?;
        Some(self.stand().to_screen((corner.0 + 0.5, corner.1 + 0.5)))
    }

    fn cursor_to(self, at: usize) {
        let corner = self.arrangement.with_untracked(|map| map.corner(at).map(|corner| (corner, map.size)));
        let Some((corner, map)) = corner else { return };
        self.cursor.set(Some(at));
        self.hover.set(None);
        self.said.set(untrack(|| self.words(at)).unwrap_or_default());
        let eye = self.eye.get_untracked();
        let seen = eye.with((corner.0 + 0.5, corner.1 + 0.5), map, self.size.get_untracked());
        if seen != eye {
            self.looks_from(seen);
        }
    }

    fn to_the_next_unwell(self, cursor: usize) {
        let order = self.arrangement.with_untracked(|map| map.order.clone());
        let is_unwell = |at: &usize| {
            let position = order.get(*at).copied().unwrap_or_default();
            self.board.now.with_untracked(|now| now.gpu(position).1 >= Health::PowerHeld)
        };
        let found = (cursor + 1..order.len()).chain(0..cursor.min(order.len())).find(is_unwell);
        match found {
            Some(at) => self.cursor_to(at),
            None => self.said.set("No other GPU is unwell.".into()),
        }
    }

    fn open(self, at: usize) {
        let place = self.board.standing.with_untracked(|standing| {
            let position = self.arrangement.with_untracked(|map| map.order.get(at).copied())?;
            gpu_place(&standing.nodes, &standing.starts, position)
        });
        if let Some(place) = place {
            self.board.go(paths::fleet_place(&place));
        }
    }

    /// A GPU in words: which, what was read, how it is, where it stands, as of when.
    fn words(self, at: usize) -> Option<String> {
        let position = self.arrangement.with(|map| map.order.get(at).copied())?;
        let (value, is) = self.board.now.with(|now| now.gpu(position));
        let as_of = self.board.now.with(|now| now.as_of_ms);
        self.board.standing.with(|standing| {
            let node = standing.nodes.get(gpu_at(&standing.starts, position)?.0)?;
            let gpu = words::place(&gpu_place(&standing.nodes, &standing.starts, position)?);
            let told =
                |kind: &str, name: &str| if name.is_empty() { String::new() } else { format!(" · {kind} {name}") };
            let value = value.map_or_else(
                || format!("{} not read", format::MISSING),
                |value| format::measured(Units::Si, standing.metric.unit(), value).to_string(),
            );
            Some(format!(
                "{gpu} · {} {value} · {}{}{}{} · as of {} UTC",
                standing.metric.words(),
                health(is),
                told("rack", &node.rack),
                told("in", &node.hall),
                told("for", &node.tenant),
                format::clock_time(as_of, format::Told::Seconds),
            ))
        })
    }
}

fn pointer(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}
