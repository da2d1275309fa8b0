//! One rack from the front and the rear, unit by unit: what is in it, how high, how heavy, how much it draws.

use super::{Bench, units};
use crate::components::figure::Number;
use crate::format;
use crate::workshop::place::{Place, rack};
use leptos::prelude::*;
use model::catalog::Catalog;
use model::design::RackGroup;
use model::part::{Rack, Tray};

/// Height of a unit in the drawing.
const UNIT: f64 = 14.0;
/// Width of the drawing of one side.
const WIDTH: f64 = 240.0;
/// Frame round the units.
const FRAME: f64 = 22.0;

/// The rack that is selected, or the first of the design.
#[component]
pub fn Elevation(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let shown = move || {
        let first = match bench.first() {
            place @ Place::Rack(..) => Some(place),
            Place::Row(h, r) => Some(Place::Rack(h, r, 0)),
            Place::Hall(h) => Some(Place::Rack(h, 0, 0)),
            Place::Site | Place::Service | Place::Finance | Place::Power(_) | Place::Loop(_) => {
                Some(Place::Rack(0, 0, 0))
            }
        };
        let Some(Place::Rack(h, r, k)) = first else { return None };
        let group = bench.design.with(|design| rack(design, h, r, k).cloned())?;
        let catalog = bench.catalog.get()?;
        let row = catalog.rack(&group.part).cloned()?;
        Some((group, row, catalog))
    };
    view! {
        <section class="drawing" aria-labelledby="elevation">
            <h2 id="elevation" class="hidden">"Rack elevation"</h2>
            {move || match shown() {
                Some((group, row, catalog)) => view! { <Sides group row catalog=(*catalog).clone()/> }.into_any(),
                None => view! { <p class="empty">"No rack is selected. Select racks in the tree or on the floor to see what is in one."</p> }.into_any(),
            }}
        </section>
    }
}

/// From where a rack is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Front,
    Rear,
    /// With the manifolds of liquid-cooled trays.
    RearWithManifolds,
}

/// What stands in a rack, from the foot up.
struct Slot {
    name: String,
    class: &'static str,
    from: f64,
    height: f64,
}

/// Shelves above and below, trays between them; where exactly a maker puts each is not in the catalog.
fn slots(group: &RackGroup, row: &Rack, catalog: &Catalog) -> Vec<Slot> {
    let mut slots = Vec::new();
    let mut at = 0.0;
    let mut put = |name: &str, class: &'static str, height: f64| {
        slots.push(Slot { name: name.to_owned(), class, from: at, height });
        at += height;
    };
    let shelves = row.power_shelf.as_ref().map_or(0, |item| item.count);
    let name = row
        .power_shelf
        .as_ref()
        .and_then(|item| catalog.power(&item.part))
        .map_or("power shelf", |part| part.name.as_str());
    // A power shelf is one unit high, as Open Rack v3 has it.
    (0..shelves / 2).for_each(|_| put(name, "shelf", 1.0));
    let trays: Vec<(&Tray, u32)> = row
        .trays
        .iter()
        .chain(&group.trays)
        .filter_map(|item| catalog.tray(&item.part).map(|tray| (tray, item.count)))
        .collect();
    for (tray, count) in trays {
        let class = if tray.gpu_count > 0 { "compute" } else { "network" };
        (0..count.min(100)).for_each(|_| put(&tray.name, class, tray.height_units));
    }
    (shelves / 2..shelves).for_each(|_| put(name, "shelf", 1.0));
    slots
}

#[component]
fn Sides(group: RackGroup, row: Rack, catalog: Catalog) -> impl IntoView {
    let units = units();
    let slots = slots(&group, &row, &catalog);
    let open = row.height_units - slots.iter().map(|slot| slot.height).sum::<f64>();
    let trays = || {
        row.trays.iter().chain(&group.trays).filter_map(|item| catalog.tray(&item.part).map(|tray| (tray, item.count)))
    };
    let mass_t =
        (row.mass.as_kilograms() + trays().map(|(tray, n)| tray.mass.as_kilograms() * f64::from(n)).sum::<f64>()) / 1e3;
    let liquid = trays().any(|(tray, _)| tray.liquid_fraction.as_fraction() > 0.05);
    let wide = row.width.as_metres() > 0.7 || row.power_shelf.is_some();
    let unit = if wide { "OU of 48 mm" } else { "U of 44.45 mm" };
    let size = move || {
        format!(
            "{} high, {} wide, {} deep",
            format::length_in(units.get(), row.height.as_metres()),
            format::length_in(units.get(), row.width.as_metres()),
            format::length_in(units.get(), row.depth.as_metres())
        )
    };
    let front = side(&slots, row.height_units, Side::Front);
    let rear = side(&slots, row.height_units, if liquid { Side::RearWithManifolds } else { Side::Rear });
    view! {
        <p class="soft">{row.name.clone()} ": " {size} ", " {row.height_units} " " {unit} ". Trays are drawn in the catalog's order, shelves below and above; makers may order them otherwise."</p>
        <dl class="kpis">
            <div class="kpi"><dt>"Provisioned"</dt><dd><Number figure=format::power(row.rated_power)/></dd></div>
            <div class="kpi"><dt>"Weight"</dt><dd>{move || view! { <Number figure=format::mass_in(units.get(), mass_t)/> }}</dd></div>
            <div class="kpi"><dt>"Room left"</dt><dd><Number figure=format::mean_count(open.max(0.0))/> " " <span class="unit">"units"</span></dd></div>
        </dl>
        <div class="sides">
            <figure><figcaption>"Front"</figcaption>{front}</figure>
            <figure><figcaption>"Rear"</figcaption>{rear}</figure>
        </div>
        <p class="soft">{row.source.clone()} " (" {row.as_of.clone()} ")"</p>
    }
}

fn side(slots: &[Slot], units: f64, seen: Side) -> AnyView {
    let height = units * UNIT + 2.0 * FRAME;
    let y = |from: f64, high: f64| FRAME + (units - from - high) * UNIT;
    let scale = (1..=units as u32).filter(|unit| unit % 2 == 1 || units < 20.0).map(|unit| {
        let at = y(f64::from(unit) - 1.0, 1.0) + UNIT * 0.75;
        view! { <text class="unit-number" x=FRAME - 5.0 y=at text-anchor="end">{unit}</text> }
    });
    let boxes = slots.iter().map(|slot| {
        let top = y(slot.from, slot.height);
        let inside = slot.height * UNIT - 1.5;
        view! {
            <g class=format!("slot {}", slot.class)>
                <rect x=FRAME + 1.0 y=top + 0.75 width=WIDTH - 2.0 * FRAME - 2.0 height=inside rx="1.5"><title>{slot.name.clone()}</title></rect>
                <text x=FRAME + 8.0 y=top + inside.min(UNIT) * 0.78>{slot.name.clone()}</text>
            </g>
        }
    });
    // Zero-U verticals stand beside the units, at the rear: bus bar or PDUs right, manifolds left where there is liquid.
    let verticals = (seen != Side::Front).then(|| {
        let manifold = (seen == Side::RearWithManifolds).then(|| view! {
            <rect class="manifold supply" x="3" y=FRAME width="6" height=units * UNIT><title>"Liquid manifold, supply (zero U)"</title></rect>
            <rect class="manifold return" x="11" y=FRAME width="6" height=units * UNIT><title>"Liquid manifold, return (zero U)"</title></rect>
        });
        view! { {manifold} <rect class="vertical" x=WIDTH - 17.0 y=FRAME width="10" height=units * UNIT><title>"Bus bar or rack PDUs (zero U)"</title></rect> }
    });
    let name = if seen == Side::Front { "The rack from the front" } else { "The rack from the rear" };
    view! {
        <svg class="rack" viewBox=format!("0 0 {WIDTH} {height}") role="img" aria-label=name>
            <rect class="frame" x="0.5" y="0.5" width=WIDTH - 1.0 height=height - 1.0 rx="4"/>
            {scale.collect_view()}{boxes.collect_view()}{verticals}
        </svg>
    }
    .into_any()
}
