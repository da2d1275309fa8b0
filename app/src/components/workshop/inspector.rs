//! What is selected, field by field: its unit, range, default and where its figures come from; and what can be done with it.

use super::{Bench, Besides, units};
use crate::workshop::edit;
use crate::workshop::field::{self, Choice, Field, Input};
use crate::workshop::place::{self, Place};
use crate::workshop::{mount, own};
use leptos::prelude::*;
use model::id::PartId;

/// The inspector of what is selected.
#[component]
pub fn Inspector(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let places = bench.chosen;
    let units = units();
    let heading = move || {
        let places = places.get();
        let first = places.first().copied().unwrap_or(Place::Site);
        let name = bench.design.with(|design| first.name(design));
        let more = places.len().saturating_sub(1);
        if more > 0 { format!("{name} and {more} more") } else { name }
    };
    let fields = Memo::new(move |_| {
        let catalog = bench.parts.get();
        let place = places.with(|places| places.first().copied().unwrap_or(Place::Site));
        bench.design.with(|design| (place, field::fields(design, catalog.as_deref(), place, units.get())))
    });
    // Fields are made anew only where another thing is selected or its fields are others; values change in place.
    let shape = Memo::new(move |_| {
        fields.with(|(place, fields)| (*place, fields.iter().map(|field| (field.at, field.unit)).collect::<Vec<_>>()))
    });
    let rows = move || {
        let (_, keys) = shape.get();
        keys.into_iter().map(|(at, _)| view! { <Row bench at fields places/> }).collect_view()
    };
    view! {
        <aside class="inspector" aria-labelledby="inspector">
            <h2 id="inspector">{heading}</h2>
            <p class="soft">{move || bench.design.with(|design| about(places.with(|p| p.first().copied().unwrap_or(Place::Site)), design))}</p>
            <form on:submit=move |event| event.prevent_default()>{rows}</form>
            <Doings bench places/>
        </aside>
    }
}

/// What kind of thing it is and how many there are.
fn about(place: Place, design: &model::design::Design) -> String {
    let copies = place.copies(design);
    if matches!(place, Place::Hall(_) | Place::Row(..) | Place::Rack(..) | Place::Tray(..)) && copies > 1 {
        format!("{}, {} in the facility", capital(place.kind()), crate::format::count(copies))
    } else {
        capital(place.kind())
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[component]
fn Row(bench: Bench, at: &'static str, fields: Memo<(Place, Vec<Field>)>, places: Memo<Vec<Place>>) -> impl IntoView {
    let found = move || fields.with(|(_, fields)| fields.iter().find(|field| field.at == at).cloned());
    let (wrong, units) = (RwSignal::new(None::<String>), units());
    // Steps of a field's arrows in one visit are one step of undo; what is chosen, or typed in another visit, is its own.
    let visit = RwSignal::new(0_u32);
    let arrive = move |()| visit.update(|visit| *visit = bench.next_drag().max(*visit + 1));
    let id = format!("field{}", at.replace('/', "-"));
    let set = move |typed: String| {
        // Everything selected of the same kind is set alike.
        let mut design = bench.design.get_untracked();
        let all = places.get_untracked();
        let kind = all.first().map(|place| place.kind());
        for place in all.into_iter().filter(|place| Some(place.kind()) == kind) {
            match field::set(&design, place, at, &typed, units.get_untracked()) {
                Ok(after) => design = after,
                Err(why) => return wrong.set(Some(why)),
            }
        }
        wrong.set(None);
        let label = found().map_or("Change", |field| field.label);
        let join = format!(
            "{at} of {} in visit {}",
            places.with_untracked(|places| places.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
            visit.get_untracked()
        );
        bench.apply(&format!("{label}: {typed}"), Some(&join), design);
    };
    let first = found();
    let (label, unit) = first.as_ref().map_or(("", ""), |field| (field.label, field.unit));
    let value = move || found().map(|field| field.value).unwrap_or_default();
    let about = move || found().map(|field| field.about).unwrap_or_default();
    let (describes, describes_too) = (format!("{id}-about"), format!("{id}-about"));
    let control = match first.map(|field| field.input) {
        Some(Input::Number { low, high, step }) => view! {
            <input id=id.clone() type="number" min=low max=high step=step prop:value=value aria-describedby=describes
                aria-invalid=move || wrong.with(Option::is_some).to_string()
                on:focus=move |_| arrive(()) on:change:target=move |event| set(event.target().value())/>
        }
        .into_any(),
        Some(Input::Text) => view! {
            <input id=id.clone() type="text" maxlength="80" prop:value=value aria-describedby=describes on:focus=move |_| arrive(()) on:change:target=move |event| set(event.target().value())/>
        }
        .into_any(),
        Some(Input::Choice(_)) => {
            let choices = move || match found().map(|field| field.input) {
                Some(Input::Choice(choices)) => choices,
                _ => Vec::new(),
            };
            view! {
                <select id=id.clone() aria-describedby=describes prop:value=value on:change:target=move |event| { arrive(()); set(event.target().value()); }>
                    {move || options(choices(), &value())}
                </select>
            }
            .into_any()
        }
        None => ().into_any(),
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <span class="control">{control} <span class="unit">{unit}</span></span>
            <p class="about" id=describes_too>{about}</p>
            <p class="why" role="alert">{move || wrong.get()}</p>
        </div>
    }
}

/// What can be chosen; what can't is greyed and says why. A value that is not among them is shown first.
pub fn options(choices: Vec<Choice>, value: &str) -> AnyView {
    let known = choices.iter().any(|choice| choice.value == value);
    let odd = (!known).then(|| view! { <option value=value.to_owned() selected>{if value.is_empty() { "choose…".to_owned() } else { value.to_owned() }}</option> });
    let value = value.to_owned();
    let shown = choices
        .into_iter()
        .map(|Choice { value: own, label, impossible }| {
            let selected = own == value;
            let words = impossible.as_ref().map_or_else(|| label.clone(), |why| format!("{label} ({why})"));
            view! { <option value=own selected=selected disabled=impossible.is_some()>{words}</option> }
        })
        .collect_view();
    view! { {odd}{shown} }.into_any()
}

/// What can be done with what is selected.
#[component]
fn Doings(bench: Bench, places: Memo<Vec<Place>>) -> impl IntoView {
    let part = RwSignal::new(String::new());
    let per_row = RwSignal::new(16_u32);
    let first = move || places.with(|places| places.first().copied().unwrap_or(Place::Site));
    let racks = move || {
        let catalog = bench.parts.get();
        bench.design.with(|design| field::racks(design, catalog.as_deref(), first()))
    };
    // What is selected is what is meant, until something else is chosen.
    let meant = move || {
        let chosen = part.get();
        let selected = || {
            bench.design.with(|design| {
                mount::rack_of(first())
                    .and_then(|(h, r, k)| place::rack(design, h, r, k).map(|group| group.part.to_string()))
            })
        };
        if chosen.is_empty() { selected().unwrap_or_default() } else { chosen }
    };
    let chosen = move || -> Result<PartId, String> {
        untrack(meant).parse().map_err(|_| "Choose the racks to add first.".to_owned())
    };
    let do_with = move |make: fn(&model::design::Design, Place) -> Result<edit::Edited, String>| {
        bench.edit(bench.design.with_untracked(|design| make(design, first())));
    };
    let add = move |_| {
        let edited = chosen().and_then(|part| {
            let (Place::Row(h, r) | Place::Rack(h, r, _) | Place::Tray(h, r, ..)) = first() else {
                return Err("Select the row that the racks go into.".into());
            };
            bench.design.with_untracked(|design| edit::add_racks(design, h, r, &part))
        });
        bench.edit(edited);
    };
    let fill = move |_| {
        let edited = chosen().and_then(|part| {
            let (Place::Hall(h) | Place::Row(h, _) | Place::Rack(h, ..) | Place::Tray(h, ..)) = first() else {
                return Err("Select a hall first.".into());
            };
            bench.design.with_untracked(|design| edit::fill(design, h, &part, per_row.get_untracked()))
        });
        bench.edit(edited);
    };
    let room = move || {
        let (Place::Hall(h) | Place::Row(h, _) | Place::Rack(h, ..) | Place::Tray(h, ..)) = first() else {
            return None;
        };
        bench.design.with(|design| {
            let hall = design.halls.get(h)?;
            let racks: u32 =
                hall.rows.iter().map(|row| row.count * row.racks.iter().map(|group| group.count).sum::<u32>()).sum();
            Some(format!("{racks} racks in {}", crate::format::things(hall.positions, "position", "positions")))
        })
    };
    let in_hall = move || matches!(first(), Place::Hall(_) | Place::Row(..) | Place::Rack(..));
    let names_part = move || matches!(first(), Place::Rack(..) | Place::Tray(..) | Place::Power(_) | Place::Loop(_));
    let make_own = move |_| {
        let Some(catalog) = bench.parts.get_untracked() else { return };
        bench.edit(bench.design.with_untracked(|design| own::make(design, &catalog, first())));
    };
    let copyable = move || in_hall() || matches!(first(), Place::Tray(..));
    let removable = move || !matches!(first(), Place::Site | Place::Service | Place::Finance);
    view! {
        <div class="doings">
            {move || in_hall().then(|| view! {
                <div class="field">
                    <label for="rack-to-add">"Racks to add"</label>
                    <span class="control"><select id="rack-to-add" on:change:target=move |event| part.set(event.target().value())>
                        {move || options(racks(), &meant())}
                    </select></span>
                </div>
                <p class="actions">
                    {move || (!matches!(first(), Place::Hall(_))).then(|| view! { <button on:click=add>"Add one to this row"</button> })}
                    {move || if let Place::Hall(h) | Place::Row(h, _) = first() {
                        Some(view! { <button on:click=move |_| bench.edit(bench.design.with_untracked(|design| edit::add_row(design, h)))>"Add a row"</button> })
                    } else { None }}
                </p>
                <p class="actions">
                    <label class="inline">"Fill every row with "
                        <input type="number" min="0" max="1000" prop:value=move || per_row.get() on:change:target=move |event| per_row.set(event.target().value().parse().unwrap_or(16))/>
                        " of them"
                    </label>
                    <button disabled=move || meant().is_empty() on:click=fill>"Fill"</button>
                </p>
                <p class="soft room">{move || room().map(|room| format!("The hall has {room}; each rack more in every row takes as many positions as it has rows."))}
                    {move || meant().is_empty().then_some(" Choose the racks to add first.")}</p>
            })}
            {move || removable().then(|| view! {
                <p class="actions">
                    {move || copyable().then(|| view! { <button on:click=move |_| do_with(edit::duplicate)>"Copy beside it"</button> })}
                    {move || names_part().then(|| view! {
                        <button title="Copies the part into this design, so that you can set its price and figures" on:click=make_own>"Make the part my own"</button>
                    })}
                    <button class="danger" on:click=move |_| remove_all(bench, places)>"Remove"</button>
                </p>
            })}
        </div>
    }
}

/// Removes everything selected, last first, so that the places before stay what they are.
fn remove_all(bench: Bench, places: Memo<Vec<Place>>) {
    let mut all = places.get_untracked();
    all.sort_unstable();
    let mut design = bench.design.get_untracked();
    let mut after = Err("Nothing is selected.".to_owned());
    for place in all.into_iter().rev() {
        after = edit::remove(&design, place);
        match &after {
            Ok(edited) => design = edited.design.clone(),
            Err(_) => break,
        }
    }
    match after {
        Ok(edited) => {
            bench.apply(&edited.words, None, design);
            bench.select(edited.select, Besides::Nothing);
        }
        Err(why) => bench.told.set(why),
    }
}
