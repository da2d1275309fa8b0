//! One rack from the front and the rear, unit by unit: what is in it, how high, how heavy, how much it draws. Trays that the
//! design put in are dragged, or moved with the arrow keys.

use super::floor::id_of;
use super::inspector::options;
use super::{Bench, Besides, SaveDrawing, units};
use crate::components::figure::Number;
use crate::workshop::mount;
use crate::workshop::place::{Place, rack};
use crate::{browser, format};
use leptos::ev::PointerEvent;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::web_sys;
use model::catalog::Catalog;
use model::design::RackGroup;
use model::id::PartId;
use model::part::{Rack, RackUnit};
use model::quantity::Power;
use sim::elevation::{Elevation as Filled, Owner, Reach, Slot, Span, elevation};

/// Height of a unit in the drawing.
const UNIT: f64 = 14.0;
/// Width of the drawing of one side.
const WIDTH: f64 = 240.0;
/// Frame round the units.
const FRAME: f64 = 22.0;
/// Width of a letter of the drawing's text, about.
const LETTER: f64 = 4.6;

/// What is drawn: a rack with everything in it.
#[derive(Clone, PartialEq)]
struct Drawn {
    at: (usize, usize, usize),
    group: RackGroup,
    row: Rack,
    filled: Filled,
    /// Every tray in it: its place where the design put it in, its name, how many, provisioned power of one.
    trays: Vec<Line>,
    mass_t: f64,
    liquid: bool,
}

/// Trays alike, as the list under the drawing has them.
#[derive(Clone, PartialEq)]
struct Line {
    place: Option<Place>,
    part: PartId,
    name: String,
    count: u32,
    each: Power,
    compute: bool,
}

impl Drawn {
    fn of(at: (usize, usize, usize), group: RackGroup, catalog: &Catalog) -> Option<Self> {
        let row = catalog.rack(&group.part)?.clone();
        let (h, r, k) = at;
        let delivered = row.trays.iter().map(|item| (None, &item.part, item.count));
        let put_in = group.trays.iter().enumerate();
        let put_in = put_in.map(|(t, item)| (Some(Place::Tray(h, r, k, t)), &item.part, item.count));
        let all: Vec<_> =
            delivered.chain(put_in).filter_map(|(place, part, n)| Some((place, catalog.tray(part)?, n))).collect();
        let mass = all.iter().map(|(_, tray, n)| tray.mass.as_kilograms() * f64::from(*n)).sum::<f64>();
        let line = |(place, tray, count): &(Option<Place>, &model::part::Tray, u32)| Line {
            place: *place,
            part: tray.id.clone(),
            name: tray.name.clone(),
            count: *count,
            each: tray.rated_power,
            compute: tray.gpu_count > 0,
        };
        Some(Self {
            at,
            filled: elevation(&group, &row, catalog),
            trays: all.iter().map(line).collect(),
            mass_t: (row.mass.as_kilograms() + mass) / 1e3,
            liquid: all.iter().any(|(_, tray, _)| tray.liquid_fraction.as_fraction() > 0.05),
            group,
            row,
        })
    }

    fn line(&self, part: &PartId) -> Option<&Line> {
        self.trays.iter().find(|line| line.part == *part)
    }
}

/// The rack that is selected, or the first of the design.
#[component]
pub fn Elevation(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let drawn = Memo::new(move |_| {
        let (h, r, k) = match bench.first() {
            Place::Rack(h, r, k) | Place::Tray(h, r, k, _) => (h, r, k),
            Place::Row(h, r) => (h, r, 0),
            Place::Hall(h) => (h, 0, 0),
            Place::Site | Place::Service | Place::Finance | Place::Power(_) | Place::Loop(_) | Place::Own(..) => {
                (0, 0, 0)
            }
        };
        let group = bench.design.with(|design| rack(design, h, r, k).cloned())?;
        Drawn::of((h, r, k), group, &*bench.parts.get()?)
    });
    // What is dragged, which drag it is, and how far above its foot it was taken, in units.
    let held = RwSignal::new(None::<(Place, u32, f64)>);
    // What is to be put in stays chosen: five servers alike are five presses.
    let part = RwSignal::new(String::new());
    view! {
        <section class="drawing" aria-labelledby="elevation">
            <h2 id="elevation" class="hidden">"Rack elevation"</h2>
            {move || match drawn.get() {
                Some(drawn) => view! { <Sides bench drawn held part/> }.into_any(),
                None => view! { <p class="empty">"No rack is selected. Select racks in the tree or on the floor to see what is in one."</p> }.into_any(),
            }}
        </section>
    }
}

/// How many units above the foot a pointer is.
fn unit_under(event: &PointerEvent, frame: NodeRef<Div>, units: f64) -> Option<f64> {
    let svg: web_sys::Element = frame.get_untracked()?.first_element_child()?;
    let (_, y) = browser::share_within(event, &svg);
    let height = units * UNIT + 2.0 * FRAME;
    Some(units - (y * height - FRAME) / UNIT)
}

#[component]
fn Sides(
    bench: Bench,
    drawn: Drawn,
    held: RwSignal<Option<(Place, u32, f64)>>,
    part: RwSignal<String>,
) -> impl IntoView {
    let units = units();
    let Drawn { row, filled, mass_t, .. } = &drawn;
    let mass_t = *mass_t;
    let unit = match row.unit {
        RackUnit::U => "U of 44.45 mm",
        RackUnit::Ou => "OU of 48 mm",
    };
    let (height, width, depth) = (row.height.as_metres(), row.width.as_metres(), row.depth.as_metres());
    let size = move || {
        let length = |metres: f64| format::length_in(units.get(), metres);
        format!("{} high, {} wide, {} deep", length(height), length(width), length(depth))
    };
    let (name, has, source, as_of) = (row.name.clone(), row.height_units, row.source.clone(), row.as_of.clone());
    let asked: Power = drawn.trays.iter().map(|line| line.each * line.count).sum();
    let (rated, free) = (row.rated_power, filled.free_units);
    let file = format!("{}.svg", row.id);
    let front = side(bench, &drawn, Side::Front, held);
    let rear = side(bench, &drawn, Side::Rear, held);
    view! {
        <p class="soft">{name} ": " {size} ", " {has} " " {unit} ". Drag trays that you put in, or select one and press ↑ or ↓. What a rack is delivered with is drawn in the catalog's order; makers may order it otherwise."</p>
        <dl class="kpis">
            <div class="kpi"><dt>"Trays may draw"</dt><dd><Number figure=format::power(asked)/> " " <span class="unit">"of " {format::power(rated).to_string()}</span></dd></div>
            <div class="kpi"><dt>"Weight"</dt><dd>{move || view! { <Number figure=format::mass_in(units.get(), mass_t)/> }}</dd></div>
            <div class="kpi"><dt>"Room left"</dt><dd><Number figure=format::mean_count(free)/> " " <span class="unit">"of " {has} " units"</span></dd></div>
        </dl>
        <div class="sides" id="rack-drawing">
            <figure><figcaption>"Front"</figcaption>{front}</figure>
            <figure><figcaption>"Rear"</figcaption>{rear}</figure>
            <div class="beside"><Trays bench drawn part/></div>
        </div>
        <p class="actions"><SaveDrawing of="#rack-drawing svg" file/></p>
        <p class="soft">{source} " (" {as_of} ")"</p>
    }
}

/// From where a rack is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Front,
    Rear,
}

fn side(bench: Bench, drawn: &Drawn, seen: Side, held: RwSignal<Option<(Place, u32, f64)>>) -> AnyView {
    let units = drawn.row.height_units;
    let frame = NodeRef::<Div>::new();
    let moved = move |event: PointerEvent| {
        let Some((place, drag, grip)) = held.get_untracked() else { return };
        let (Some(unit), Some(catalog)) = (unit_under(&event, frame, units), bench.parts.get_untracked()) else {
            return;
        };
        let to = (unit - grip).round().clamp(0.0, units) + 1.0;
        // Where there is no room, it stays where it was.
        if let Ok(edited) = bench.design.with_untracked(|design| mount::put(design, &catalog, place, to)) {
            bench.apply(&edited.words, Some(&format!("drag {drag}")), edited.design);
        }
    };
    let height = units * UNIT + 2.0 * FRAME;
    let scale = (1..=units as u32).filter(|unit| unit % 2 == 1 || units < 20.0).map(|unit| {
        let at = FRAME + (units - f64::from(unit)) * UNIT + UNIT * 0.75;
        view! { <text class="unit-number" x=FRAME - 5.0 y=at text-anchor="end">{unit}</text> }
    });
    let hidden = if seen == Side::Front { Reach::Rear } else { Reach::Front };
    let slots = drawn.filled.slots.iter().filter(|slot| slot.reach != hidden);
    let slots = slots.map(|slot| slot_view(bench, drawn, slot, seen, (frame, held))).collect_view();
    let name = if seen == Side::Front { "The rack from the front" } else { "The rack from the rear" };
    view! {
        <div node_ref=frame on:pointermove=moved on:pointerup=move |_| held.set(None) on:pointerleave=move |_| held.set(None)>
            <svg class="rack" viewBox=format!("0 0 {WIDTH} {height}") role="group" aria-label=name>
                <rect class="frame" x="0.5" y="0.5" width=WIDTH - 1.0 height=height - 1.0 rx="4"/>
                {scale.collect_view()}{slots}{(seen == Side::Rear).then(|| verticals(drawn))}
            </svg>
        </div>
    }
    .into_any()
}

/// Zero-U verticals stand beside the units, at the rear: bus bar or PDUs right, manifolds left where there is liquid.
fn verticals(drawn: &Drawn) -> AnyView {
    let height = drawn.row.height_units * UNIT;
    let manifold = drawn.liquid.then(|| {
        view! {
            <rect class="manifold supply" x="3" y=FRAME width="6" height=height><title>"Liquid manifold, supply (zero U)"</title></rect>
            <rect class="manifold return" x="11" y=FRAME width="6" height=height><title>"Liquid manifold, return (zero U)"</title></rect>
        }
    });
    let upright = &drawn.filled.upright;
    let bar = if drawn.row.power_shelf.is_some() { "Bus bar (zero U)" } else { "Rack PDUs (zero U)" };
    let bar = upright.is_empty().then(|| {
        view! { <rect class="vertical" x=WIDTH - 17.0 y=FRAME width="10" height=height><title>{bar}</title></rect> }
    });
    let own = upright.iter().zip(0..4).map(|((_, part, count), at)| {
        let name = drawn.line(part).map_or_else(|| part.to_string(), |line| line.name.clone());
        let x = WIDTH - 19.0 + 4.5 * f64::from(at);
        view! { <rect class="vertical" x=x y=FRAME width="3.5" height=height><title>{format!("{count} × {name} (zero U)")}</title></rect> }
    });
    view! { {manifold}{bar}{own.collect_view()} }.into_any()
}

type Hold = (NodeRef<Div>, RwSignal<Option<(Place, u32, f64)>>);

fn slot_view(bench: Bench, drawn: &Drawn, slot: &Slot, seen: Side, (frame, held): Hold) -> AnyView {
    let units = drawn.row.height_units;
    let line = drawn.line(&slot.part);
    let name = line.map_or_else(|| "power shelf".to_owned(), |line| line.name.clone());
    let class = match (slot.owner, line.is_some_and(|line| line.compute)) {
        (Owner::Shelf, _) => "shelf",
        (_, true) => "compute",
        (_, false) => "network",
    };
    let (left, whole) = (FRAME + 1.0, WIDTH - 2.0 * FRAME - 2.0);
    // From the rear, what is left is right.
    let (x, width) = match (slot.span, seen) {
        (Span::Whole, _) => (left, whole),
        (Span::Left, Side::Front) | (Span::Right, Side::Rear) => (left, whole / 2.0 - 0.75),
        (Span::Right, Side::Front) | (Span::Left, Side::Rear) => (left + whole / 2.0 + 0.75, whole / 2.0 - 0.75),
    };
    let y = FRAME + (units - slot.from - slot.height) * UNIT + 0.75;
    let height = slot.height * UNIT - 1.5;
    let letters = ((width - 12.0) / LETTER) as usize;
    let short = if name.chars().count() > letters {
        name.chars().take(letters.saturating_sub(1)).chain(std::iter::once('…')).collect()
    } else {
        name.clone()
    };
    let label = format!("{name} at unit {}", slot.from + 1.0);
    let inner = view! {
        <rect x=x y=y width=width height=height rx="1.5"><title>{label.clone()}</title></rect>
        <text x=x + 6.0 y=y + height.min(UNIT) * 0.75>{short}</text>
    };
    let Owner::Mounted(at) = slot.owner else {
        return view! { <g class=format!("slot {class}")>{inner}</g> }.into_any();
    };
    let (h, r, k) = drawn.at;
    let place = Place::Tray(h, r, k, at);
    let first = drawn.filled.slots.iter().find(|other| other.owner == slot.owner);
    let focused = seen == Side::Front && first == Some(slot) || slot.reach == Reach::Rear && first == Some(slot);
    let foot = first.map_or(slot.from, |first| first.from);
    let chosen = move || bench.chosen.with(|chosen| chosen.contains(&place));
    let down = move |event: PointerEvent| {
        let more = event.ctrl_key() || event.meta_key() || event.shift_key();
        bench.select(place, if more { Besides::Selected } else { Besides::Nothing });
        if let Some(unit) = unit_under(&event, frame, units) {
            held.set(Some((place, bench.next_drag(), unit - foot)));
        }
    };
    view! {
        <g class=move || format!("slot mounted {class}{}", if chosen() { " chosen" } else { "" })
            id=focused.then(|| id_of(place)) tabindex=if focused { "0" } else { "-1" } role="button"
            aria-pressed=move || chosen().to_string() aria-label=label.clone() on:pointerdown=down
            on:keydown=move |event| if super::presses(&event) { bench.select(place, Besides::Nothing) }>
            {inner}
        </g>
    }
    .into_any()
}

/// What is in the rack, as a list; and another tray to put in.
#[component]
fn Trays(bench: Bench, drawn: Drawn, part: RwSignal<String>) -> impl IntoView {
    let at = drawn.at;
    let choices = move || {
        let catalog = bench.parts.get()?;
        Some(bench.design.with(|design| mount::choices(design, &catalog, at, None)))
    };
    let add = move |_| {
        let edited = part.get_untracked().parse().map_err(|_| "Choose a tray first.".to_owned()).and_then(|part| {
            let catalog = bench.parts.get_untracked().ok_or("The catalog is not here yet.")?;
            bench.design.with_untracked(|design| mount::add(design, &catalog, at, &part))
        });
        bench.edit(edited);
    };
    // Where trays stand, and whether the design says so or they took what was free.
    let stands_at = |t: usize| {
        let own = drawn.filled.slots.iter().filter(|slot| slot.owner == Owner::Mounted(t));
        let (low, high) = own.fold((f64::MAX, 0.0_f64), |(low, high), slot| {
            (low.min(slot.from + 1.0), high.max(slot.from + slot.height))
        });
        let free = drawn.group.trays.get(t).is_some_and(|item| item.at_unit.is_none());
        let how = if free { ", the lowest free" } else { "" };
        match high - low {
            _ if high <= 0.0 => "upright, or no room".to_owned(),
            one if one <= 0.0 => format!("unit {low}{how}"),
            _ => format!("units {low} to {high}{how}"),
        }
    };
    let put_in: Vec<String> = (0..drawn.group.trays.len()).map(stands_at).collect();
    let row = |(line, place): (&Line, Option<Place>)| {
        let stands = match place {
            Some(Place::Tray(.., t)) => put_in.get(t).cloned().unwrap_or_default(),
            _ => "delivered with the rack".to_owned(),
        };
        let name = line.name.clone();
        let name = match place {
            Some(place) => {
                view! { <button class="link" on:click=move |_| bench.select(place, Besides::Nothing)>{name}</button> }
                    .into_any()
            }
            None => name.into_any(),
        };
        view! {
            <tr><th scope="row">{name}</th><td class="num">{line.count}</td><td>{stands}</td>
                <td class="num"><Number figure=format::power(line.each)/></td></tr>
        }
    };
    let rows = drawn.trays.iter().map(|line| row((line, line.place))).collect_view();
    let empty = drawn.trays.is_empty();
    view! {
        <h3>"Trays in each rack"</h3>
        {if empty {
            view! { <p class="empty">"The cabinet is empty. Put the first tray in:"</p> }.into_any()
        } else {
            view! {
                <div class="scroll"><table>
                    <thead><tr><th scope="col">"Tray"</th><th scope="col" class="num">"Number"</th><th scope="col">"Where"</th><th scope="col" class="num">"Each may draw"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table></div>
            }.into_any()
        }}
        <p class="actions">
            <label class="inline">"Tray to put in "
                <select on:change:target=move |event| part.set(event.target().value())>{move || options(choices().unwrap_or_default(), &part.get())}</select>
            </label>
            <button on:click=add>"Put it in"</button>
        </p>
    }
}
