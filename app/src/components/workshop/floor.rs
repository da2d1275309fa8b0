//! The hall from above, to scale: rows, racks, aisles, columns, and where power and water run. Racks are dragged to another
//! row, or moved with the arrow keys.

use super::{Bench, Besides, units};
use crate::workshop::edit::{self, Direction};
use crate::workshop::mount;
use crate::workshop::place::Place;
use crate::{browser, format};
use leptos::html::Div;
use leptos::prelude::*;
use leptos::web_sys;
use model::design::Hall;
use model::part::RackKind;
use sim::failure::{Fate, after_loss};
use sim::floor::{Aisle, FloorPlan, GroupPlan, RowPlan};
use std::fmt::Write;

/// Room left of the plan for the names of rows, in their letters' height.
const NAMES_LETTERS: f64 = 5.6;

/// Height of the letters of rows' names, metres: read at any size of the hall, and larger than no rack.
fn letter_m(plan: &FloorPlan) -> f64 {
    (plan.width_m.max(plan.length_m) / 45.0).clamp(0.14, 0.72)
}

/// Room left of the plan for the names of rows, metres.
fn names_m(plan: &FloorPlan) -> f64 {
    letter_m(plan) * NAMES_LETTERS
}

/// The floor of the hall that is selected, or of the first.
#[component]
pub fn Floor(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let hall = Memo::new(move |_| match bench.first() {
        Place::Hall(at) | Place::Row(at, _) | Place::Rack(at, ..) | Place::Tray(at, ..) => at,
        Place::Site | Place::Service | Place::Finance | Place::Power(_) | Place::Loop(_) | Place::Own(..) => 0,
    });
    let plan = Memo::new(move |_| {
        let catalog = bench.parts.get();
        let none = model::catalog::Catalog::default();
        bench.design.with(|design| {
            let drawn = design.halls.get(hall.get())?;
            Some((sim::floor::plan(drawn, catalog.as_deref().unwrap_or(&none)), Words::of(drawn)))
        })
    });
    // What is dragged, and which drag it is; the plan is drawn anew under it.
    let held = RwSignal::new(None::<(Place, u32)>);
    let choice = move || {
        let names = bench.design.with(|design| design.halls.iter().map(|hall| hall.name.clone()).collect::<Vec<_>>());
        (names.len() > 1).then(|| {
            let tab = move |(at, name): (usize, String)| {
                let pressed = move || (hall.get() == at).to_string();
                view! { <button aria-pressed=pressed on:click=move |_| bench.select(Place::Hall(at), Besides::Nothing)>{name}</button> }
            };
            view! { <p class="choice" role="group" aria-label="Hall">{names.into_iter().enumerate().map(tab).collect_view()}</p> }
        })
    };
    view! {
        <section class="drawing" aria-labelledby="floor">
            <h2 id="floor" class="hidden">"Floor plan"</h2>
            {choice}
            <Failed bench/>
            {move || match plan.get() {
                None => view! { <Empty bench/> }.into_any(),
                Some((plan, _)) if plan.rows.is_empty() => view! { <EmptyHall bench hall=hall.get()/> }.into_any(),
                Some((plan, words)) => view! { <Plan bench hall=hall.get() plan words held/> }.into_any(),
            }}
        </section>
    }
}

/// What is said on a plan that its places do not hold: with it the drawing is made anew where only a name changes.
#[derive(Clone, PartialEq)]
struct Words {
    alike: u32,
    wet: bool,
    /// Of rows and parts, in order.
    names: Vec<String>,
}

impl Words {
    fn of(hall: &Hall) -> Self {
        let names = hall.rows.iter().flat_map(|row| {
            std::iter::once(row.name.clone()).chain(row.racks.iter().map(|group| group.part.to_string()))
        });
        Self { alike: hall.count, wet: hall.liquid.is_some(), names: names.collect() }
    }
}

/// Whether units that are taken as failed leave racks of a hall dark.
fn is_dark(bench: Bench, hall: usize) -> bool {
    let Some((node, units)) = bench.at.with(|at| at.failed) else { return false };
    bench.answer.with(|answer| {
        let Some(site) = answer.site.as_ref().filter(|site| node < site.power.len()) else { return false };
        let fates = after_loss(site, &answer.evaluation.power_tree, node, units);
        let feeds = site.halls.get(hall).map(|hall| hall.fed_by as usize);
        feeds.and_then(|at| fates.get(at)).is_some_and(|fate| matches!(fate, Fate::Dark))
    })
}

/// What is taken as failed, where the one-line diagram does not say it.
#[component]
fn Failed(bench: Bench) -> impl IntoView {
    move || {
        let (node, units) = bench.at.with(|at| at.failed)?;
        let name = bench.answer.with(|answer| answer.site.as_ref()?.power.get(node).map(|node| node.name.clone()))?;
        Some(view! {
            <p class="outcome error" role="status">
                {format!("With {} of “{name}” failed: dark racks are hatched. ", format::things(units, "unit", "units"))}
                <button on:click=move |_| bench.open(crate::paths::View::OneLine)>"See the one-line"</button> " "
                <button on:click=move |_| bench.fail(None)>"Repair it"</button>
            </p>
        })
    }
}

#[component]
fn Empty(bench: Bench) -> impl IntoView {
    view! {
        <div class="empty">
            <p>"There is no hall yet. A hall holds rows of racks, and is fed and cooled as you say."</p>
            <p class="actions"><button class="primary" on:click=move |_| bench.edit(bench.design.with_untracked(edit::add_hall))>"Add a hall"</button></p>
        </div>
    }
}

#[component]
fn EmptyHall(bench: Bench, hall: usize) -> impl IntoView {
    let add = move |_| bench.edit(bench.design.with_untracked(|design| edit::add_row(design, hall)));
    view! {
        <div class="empty">
            <p>"This hall has no rows yet."</p>
            <p class="actions"><button class="primary" on:click=add>"Add a row"</button></p>
        </div>
    }
}

/// A place in the drawing, to the millimetre, so that its text stays short.
fn metres(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What colour says what racks are for.
fn kind_class(kind: Option<RackKind>) -> &'static str {
    match kind {
        Some(RackKind::Compute) => "compute",
        Some(RackKind::Network) => "network",
        Some(RackKind::Storage) => "storage",
        Some(RackKind::Cabinet) => "cabinet",
        None => "unknown",
    }
}

/// Racks side by side, as one path.
fn outline(row: &RowPlan, group: &GroupPlan) -> String {
    let mut path = String::new();
    // Racks shallower than the row's deepest stand with their fronts in line.
    let y = if row.faces_near { row.y_m } else { row.y_m + row.depth_m - group.rack_depth_m };
    for n in 0..group.count.min(2_000) {
        let x = group.x_m + group.rack_width_m * f64::from(n);
        // Writing to a string can't fail.
        let (left, top, width, depth) = (metres(x), metres(y), metres(group.rack_width_m), metres(group.rack_depth_m));
        let _ = write!(path, "M{left} {top}h{width}v{depth}h-{width}z");
    }
    path
}

/// Which way a hall lies in the drawing: rows run across it, or down where it is much deeper than long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Across,
    Down,
}

impl Lie {
    fn of(plan: &FloorPlan) -> Self {
        if plan.width_m > 1.3 * plan.length_m { Self::Down } else { Self::Across }
    }
    /// Width and height of the drawing, names of rows included, metres.
    fn size(self, plan: &FloorPlan) -> (f64, f64) {
        match self {
            Self::Across => (plan.length_m + names_m(plan), plan.width_m),
            Self::Down => (plan.width_m, plan.length_m + names_m(plan)),
        }
    }
    fn view_box(self, plan: &FloorPlan) -> String {
        let (width, height) = self.size(plan);
        let (width, height, names) = (metres(width), metres(height), metres(-names_m(plan)));
        match self {
            Self::Across => format!("{names} 0 {width} {height}"),
            Self::Down => format!("0 {names} {width} {height}"),
        }
    }
    /// Turns the plan about its diagonal where rows run down.
    fn transform(self) -> &'static str {
        match self {
            Self::Across => "",
            Self::Down => "matrix(0 1 1 0 0 0)",
        }
    }
    /// Where the name of a row at `y_m` stands.
    fn name_at(self, y_m: f64) -> String {
        match self {
            Self::Across => format!("translate(-0.3 {})", metres(y_m)),
            Self::Down => format!("translate({} -0.3) rotate(90)", metres(y_m)),
        }
    }
}

/// Where a pointer is on the plan, metres; none before the drawing is there.
fn on_plan(event: &leptos::ev::PointerEvent, frame: NodeRef<Div>, plan: &FloorPlan) -> Option<(f64, f64)> {
    let element: web_sys::Element = frame.get_untracked()?.first_element_child()?;
    let (x, y) = browser::share_within(event, &element);
    let lie = Lie::of(plan);
    let (width, height) = lie.size(plan);
    // The drawing keeps its shape inside its frame, so one side of it may be empty.
    let bounds = browser::size_of(&element);
    let scale = f64::min(bounds.0 / width, bounds.1 / height);
    let (left, top) = ((bounds.0 - width * scale) / 2.0, (bounds.1 - height * scale) / 2.0);
    let (x, y) = ((x * bounds.0 - left) / scale, (y * bounds.1 - top) / scale);
    Some(match lie {
        Lie::Across => (x - names_m(plan), y),
        Lie::Down => (y - names_m(plan), x),
    })
}

#[component]
fn Plan(
    bench: Bench,
    hall: usize,
    plan: FloorPlan,
    words: Words,
    held: RwSignal<Option<(Place, u32)>>,
) -> impl IntoView {
    let units = units();
    let frame = NodeRef::<Div>::new();
    let kept = StoredValue::new(plan.clone());
    let moved = move |event: leptos::ev::PointerEvent| {
        let Some((Place::Rack(h, r, k), drag)) = held.get_untracked() else { return };
        let Some((_, y)) = kept.with_value(|plan| on_plan(&event, frame, plan)) else { return };
        let over = kept.with_value(|plan| {
            plan.rows.iter().find(|row| (row.y_m - 0.6..row.y_m + row.depth_m + 0.6).contains(&y)).map(|row| row.row)
        });
        let Some(to) = over.filter(|to| *to != r) else { return };
        if let Ok(edited) = bench.design.with_untracked(|design| edit::move_racks(design, (h, r, k), (hall, to))) {
            bench.apply(&edited.words, Some(&format!("drag {drag}")), edited.design);
            bench.select(edited.select, Besides::Nothing);
            held.set(Some((edited.select, drag)));
        }
    };
    let lie = Lie::of(&plan);
    let view_box = lie.view_box(&plan);
    let size = move || {
        let (length, width) = kept.with_value(|plan| (plan.length_m, plan.width_m));
        format!(
            "{} by {}, {}",
            format::length_in(units.get(), length),
            format::length_in(units.get(), width),
            format::area_in(units.get(), length * width)
        )
    };
    let columns = plan
        .columns
        .iter()
        .map(|(x, y)| view! { <rect class="column" x=*x y=*y width=plan.column_m height=plan.column_m/> })
        .collect_view();
    let Words { alike, wet, .. } = words;
    let aisles = plan.aisles.iter().map(|aisle| aisle_view(aisle, plan.length_m)).collect_view();
    let pipes = plan
        .aisles
        .iter()
        .filter(|aisle| wet && !aisle.cold)
        .map(|aisle| pipe_view(aisle, plan.length_m))
        .collect_view();
    let kinds: Vec<&str> =
        plan.rows.iter().flat_map(|row| row.groups.iter().map(|group| kind_class(group.kind))).collect();
    let key = ["compute", "network", "storage", "cabinet", "unknown"].into_iter().filter(|kind| kinds.contains(kind));
    let key = key.map(|kind| view! { <li class=kind>{kind}</li> }).collect_view();
    let rows = plan.rows.iter().map(|row| row_view(bench, hall, row, held)).collect_view();
    let letter = letter_m(&plan);
    let names = plan.rows.iter().map(|row| row_name(bench, hall, row, (lie, letter))).collect_view();
    view! {
        <p class="soft">{(alike > 1).then(|| format!("One of {alike} halls alike: "))} {size} ". Fronts face the cold aisles. Drag racks to another row, or select them and press the arrow keys; + and − change their number."</p>
        <div class="scroll plan" node_ref=frame
            on:pointermove=moved on:pointerup=move |_| held.set(None) on:pointerleave=move |_| held.set(None)>
            <svg class="floor" viewBox=view_box role="group" aria-label="Racks of the hall, row by row">
                <g transform=lie.transform()>
                    <rect class="hall" x="0" y="0" width=plan.length_m height=plan.width_m/>
                    {aisles}{pipes}{rows}{columns}
                </g>
                {names}
            </svg>
        </div>
        <ul class="key">
            {key}
            <li class="busway">"busway over the racks"</li>
            {(wet && !plan.aisles.is_empty()).then(|| view! { <li class="pipe">"water under the hot aisle"</li> })}
        </ul>
    }
}

fn aisle_view(aisle: &Aisle, length_m: f64) -> AnyView {
    let class = if aisle.cold { "aisle cold" } else { "aisle hot" };
    view! { <rect class=class x="0" y=aisle.y_m width=length_m height=aisle.width_m/> }.into_any()
}

/// Water under a hot aisle.
fn pipe_view(aisle: &Aisle, length_m: f64) -> AnyView {
    let middle = aisle.y_m + aisle.width_m / 2.0;
    view! { <line class="pipe" x1="0.6" x2=length_m - 0.6 y1=middle y2=middle/> }.into_any()
}

fn row_view(bench: Bench, hall: usize, row: &RowPlan, held: RwSignal<Option<(Place, u32)>>) -> AnyView {
    let middle = row.y_m + row.depth_m / 2.0;
    let end = row.groups.last().map_or(0.0, |g| g.x_m + g.rack_width_m * f64::from(g.count));
    let start = row.groups.first().map_or(0.0, |g| g.x_m);
    let (at, first_copy) = (row.row, row.copy == 0);
    let groups = row
        .groups
        .iter()
        .map(|group| {
            let place = Place::Rack(hall, at, group.group);
            let (part, count) = bench.design.with_untracked(|design| (place.name(design), group.count));
            let chosen = move || bench.chosen.with(|chosen| chosen.contains(&place));
            let class = move || {
                let dark = if is_dark(bench, hall) { " dark" } else { "" };
                format!("racks {}{}{dark}", kind_class_of(bench, place), if chosen() { " chosen" } else { "" })
            };
            let down = move |event: leptos::ev::PointerEvent| {
                let more = event.ctrl_key() || event.meta_key() || event.shift_key();
                bench.select(place, if more { Besides::Selected } else { Besides::Nothing });
                held.set(Some((place, bench.next_drag())));
            };
            let label = format!("{count} {part}");
            let title = label.clone();
            view! {
                <path id=first_copy.then(|| id_of(place)) d=outline(row, group) class=class on:pointerdown=down
                    tabindex=if first_copy { "0" } else { "-1" } role="button" aria-pressed=move || chosen().to_string()
                    aria-label=label
                on:keydown=move |event| if super::presses(&event) { bench.select(place, Besides::Nothing) }>
                    <title>{title}</title>
                </path>
            }
        })
        .collect_view();
    view! {
        <g>
            {groups}
            <line class="busway" x1=start x2=end y1=middle y2=middle/>
        </g>
    }
    .into_any()
}

/// What the drawing of a place is called in the document.
pub(super) fn id_of(place: Place) -> String {
    format!("place-{}", place.to_string().replace('/', "-"))
}

/// The place whose drawing is called so.
fn place_of(id: &str) -> Option<Place> {
    id.strip_prefix("place-")?.replace('-', "/").parse().ok()
}

/// The name of a row beside it.
fn row_name(bench: Bench, hall: usize, row: &RowPlan, (lie, letter): (Lie, f64)) -> AnyView {
    let name = bench.design.with_untracked(|design| Place::Row(hall, row.row).name(design));
    let label = if row.copy == 0 { name } else { format!("{name} · {}", row.copy + 1) };
    let at = lie.name_at(row.y_m + row.depth_m / 2.0);
    view! { <text class="row-name" font-size=metres(letter) transform=at text-anchor="end" dominant-baseline="middle">{label}</text> }.into_any()
}

fn kind_class_of(bench: Bench, place: Place) -> &'static str {
    let Place::Rack(h, r, k) = place else { return "unknown" };
    let part = bench
        .design
        .with_untracked(|design| crate::workshop::place::rack(design, h, r, k).map(|group| group.part.clone()));
    let kind = bench.parts.with_untracked(|catalog| {
        part.and_then(|part| catalog.as_ref().and_then(|catalog| catalog.rack(&part).map(|rack| rack.kind)))
    });
    kind_class(kind)
}

/// What a key does to what has the focus in a drawing, else to what is selected; true where it did something.
pub fn on_key(bench: Bench, key: &str, control: Control) -> bool {
    let design = bench.design.get_untracked();
    let mut places = bench.chosen.get_untracked();
    let focused = browser::focused_id().and_then(|id| place_of(&id)).filter(|place| place.is_in(&design));
    if let Some(focused) = focused.filter(|focused| acts(key, control) && !places.contains(focused)) {
        bench.select(focused, Besides::Nothing);
        places = vec![focused];
    }
    let place = places.first().copied().unwrap_or(Place::Site);
    let shift = |direction| {
        let edited = edit::shift(&design, place, direction);
        if let Ok(edited) = &edited
            && browser::focus_is_drawn()
        {
            browser::focus_once_drawn(id_of(edited.select));
        }
        bench.edit(edited);
        true
    };
    let lift = |by| {
        let lifted = bench.parts.get_untracked().map(|catalog| mount::lift(&design, &catalog, place, by));
        if browser::focus_is_drawn() {
            browser::focus_once_drawn(id_of(place));
        }
        lifted.is_some_and(|edited| {
            bench.edit(edited);
            true
        })
    };
    match (key, control) {
        ("ArrowUp", Control::Free) if matches!(place, Place::Tray(..)) => return lift(1),
        ("ArrowDown", Control::Free) if matches!(place, Place::Tray(..)) => return lift(-1),
        ("z", Control::Held) => bench.undo(),
        ("y", Control::Held) | ("z", Control::HeldWithShift) => bench.redo(),
        ("c", Control::Held) if browser::has_selection() => return false,
        ("c", Control::Held) => match edit::copy(&design, &places) {
            Ok(clip) => {
                bench.clip.set(Some(clip));
                bench.told.set("Copied. Select where it goes and press Ctrl+V.".into());
            }
            Err(why) => bench.told.set(why),
        },
        ("v", Control::Held) => match bench.clip.get_untracked() {
            Some(clip) => bench.edit(edit::paste(&design, place, &clip)),
            None => bench.told.set("Nothing was copied yet.".into()),
        },
        ("d", Control::Held) => bench.edit(edit::duplicate(&design, place)),
        ("ArrowLeft", Control::Free) => return matches!(place, Place::Rack(..)) && shift(Direction::Back),
        ("ArrowRight", Control::Free) => return matches!(place, Place::Rack(..)) && shift(Direction::On),
        ("ArrowUp", Control::Free) => {
            return matches!(place, Place::Rack(..) | Place::Row(..)) && shift(Direction::RowBefore);
        }
        ("ArrowDown", Control::Free) => {
            return matches!(place, Place::Rack(..) | Place::Row(..)) && shift(Direction::RowAfter);
        }
        ("Delete" | "Backspace", Control::Free) => bench.edit(edit::remove(&design, place)),
        ("+" | "=", Control::Free) => step_count(bench, &places, 1),
        ("-" | "−", Control::Free) => step_count(bench, &places, -1),
        _ => return false,
    }
    true
}

/// Whether a key acts on a place; the others are the page's.
fn acts(key: &str, control: Control) -> bool {
    match control {
        Control::Free => {
            let moves = key.starts_with("Arrow");
            moves || matches!(key, "Delete" | "Backspace" | "+" | "=" | "-" | "−")
        }
        Control::Held => matches!(key, "c" | "v" | "d"),
        Control::HeldWithShift => false,
    }
}

/// Whether Ctrl or ⌘ is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// It is.
    Held,
    /// It is, and Shift with it.
    HeldWithShift,
    /// It is not.
    Free,
}

/// One more or one fewer of these.
fn step_count(bench: Bench, places: &[Place], by: i64) {
    let mut design = bench.design.get_untracked();
    let many = |design: &model::design::Design| places.iter().map(|place| i64::from(place.copies(design))).sum::<i64>();
    let before = many(&design);
    for &place in places {
        let at = match place {
            Place::Power(_) => "/units",
            Place::Hall(_) | Place::Row(..) | Place::Rack(..) | Place::Tray(..) => "/count",
            Place::Site | Place::Service | Place::Finance | Place::Loop(_) | Place::Own(..) => {
                bench.told.set(format!("There is one {} only.", place.kind()));
                return;
            }
        };
        let fields = crate::workshop::field::fields(&design, None, place, format::Units::Si);
        let count = fields.iter().find(|field| field.at == at).and_then(|field| field.value.parse::<i64>().ok());
        let count = (count.unwrap_or(1) + by).to_string();
        match crate::workshop::field::set(&design, place, at, &count, format::Units::Si) {
            Ok(after) => design = after,
            Err(why) => return bench.told.set(why),
        }
    }
    let of: Vec<String> = places.iter().map(ToString::to_string).collect();
    if let Some(place) = places.first().filter(|_| browser::focus_is_drawn()) {
        browser::focus_once_drawn(id_of(*place));
    }
    let words =
        format!("{:+} {} in the facility", many(&design) - before, places.first().map_or("", |place| place.kind()));
    bench.apply(&words, Some(&format!("number of {} by keys", of.join(","))), design);
}
