//! The map as a table: group by group, the worst first, each leading to its page or split into its parts.

use super::board::{Board, Place};
use super::health::HealthMark;
use crate::components::workshop::units;
use crate::fleet::groups::{Group, Row, gpu_place, rows};
use crate::fleet::look::Look;
use crate::fleet::words::{HEALTHS, health, mid_sentence};
use crate::{format, paths};
use leptos::prelude::*;
use model::fleet::{FleetPlace, Health};

/// The table's id, by which the focus finds it.
pub const TABLE: &str = "fleet-table";
/// Rows at first, and rows more each time.
const ROWS: usize = 40;

/// The groups of the fleet.
#[component]
pub fn GroupTable(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let shown = RwSignal::new(ROWS);
    let all =
        Memo::new(move |_| board.blocks.with(|blocks| board.now.with(|now| rows(blocks, &now.values, &now.health))));
    let meant = Memo::new(move |_| {
        let look = board.look.get();
        let counts = |row: &Row| HEALTHS.iter().zip(row.counts).any(|(health, count)| count > 0 && look.shows(*health));
        all.with(|rows| rows.iter().filter(|row| counts(row)).cloned().collect::<Vec<Row>>())
    });
    let metric = move || board.standing.with(|standing| standing.metric);
    let group = move || board.look.with(|look| look.group);
    let more = move || {
        let left = meant.with(Vec::len).saturating_sub(shown.get()) as u32;
        (left > 0).then(|| {
            let words = format!("Show {} more", format::count(left.min(ROWS as u32)));
            view! { <p class="actions"><button on:click=move |_| shown.update(|shown| *shown += ROWS)>{words}</button> <span class="soft">{format::count(left).to_string()} " are left."</span></p> }
        })
    };
    let listed = move || meant.get().into_iter().take(shown.get());
    view! {
        <section aria-labelledby="groups">
            <h2 id="groups">{move || format!("The same as a table, by {}", mid_sentence(group().words()))}</h2>
            <div class="scroll" tabindex="0" role="region" id=TABLE aria-label="GPUs, group by group">
                <table class="fleet-groups">
                    <caption>"The worst first: by the worst GPU of each, and by how many there are of it. Figures are of GPUs that were read."</caption>
                    <thead><tr>
                        <th scope="col">{move || group().words()}</th><th scope="col" class="num">"GPUs"</th><th scope="col">"How they are"</th>
                        <th scope="col" class="num">{move || metric().words()} ", mean"</th><th scope="col" class="num">"least"</th><th scope="col" class="num">"most"</th>
                        <th scope="col"><span class="hidden">"Go on"</span></th>
                    </tr></thead>
                    <tbody>
                        <For each=listed key=|row| row.only.clone() + &row.name let:row>
                            <GroupRow board first=row all=meant/>
                        </For>
                    </tbody>
                </table>
            </div>
            {move || meant.with(Vec::is_empty).then(|| view! { <p class="empty">"No GPU is as you asked. " <a href=paths::FLEET>"Show the whole fleet"</a> "."</p> })}
            {more}
        </section>
    }
}

#[component]
fn GroupRow(board: Board, first: Row, all: Memo<Vec<Row>>) -> impl IntoView {
    let units = units();
    let Row { name, only, place, .. } = first;
    let of = name.clone();
    let row = Memo::new(move |_| all.with(|rows| rows.iter().find(|row| row.name == of).cloned()));
    let metric = move || board.standing.with(|standing| standing.metric);
    let figure = move |pick: fn((f64, f64, f64)) -> f64| {
        let values = row.with(|row| row.as_ref().and_then(|row| row.values));
        format::or_missing(values.map(pick), |value| format::measured(units.get(), metric().unit(), value)).to_string()
    };
    let gpus = move || row.with(|row| row.as_ref().map_or(0, |row| row.gpus));
    let states = move || {
        let counts = row.with(|row| row.as_ref().map_or([0; 7], |row| row.counts));
        let there = HEALTHS.into_iter().zip(counts).filter(|(_, count)| *count > 0);
        there.map(|(health, count)| view! { <span class="state"><HealthMark health/> {format::count(count).to_string()}</span> }).collect_view()
    };
    let named = name.clone();
    let split = move || {
        let look = board.look.get();
        (look.group != Group::Node).then(|| {
            let path = look.within(&only).path();
            let words = format!("Split into {}", if look.group.inner() == Group::Rack { "racks" } else { "nodes" });
            view! { <a href=path>{words} <span class="hidden">" of " {named.clone()}</span></a> }
        })
    };
    let of_node = name.clone();
    view! {
        <tr>
            <th scope="row">{match place {
                Some(place) => view! { <a href=paths::fleet_place(&place)>{name.clone()}</a> }.into_any(),
                None => view! { {name.clone()} }.into_any(),
            }}</th>
            <td class="num">{move || format::count(gpus()).to_string()}</td>
            <td class="states">{states}</td>
            <td class="num">{move || figure(|(_, mean, _)| mean)}</td>
            <td class="num">{move || figure(|(least, _, _)| least)}</td>
            <td class="num">{move || figure(|(_, _, most)| most)}</td>
            <td class="gpus">{split} <NodeGpus board host=of_node/></td>
        </tr>
    }
}

/// The GPUs of a node, where nodes are the groups; what they are is in their names.
#[component]
fn NodeGpus(board: Board, host: String) -> impl IntoView {
    let of = host.clone();
    let positions = Memo::new(move |_| {
        let is_node = board.look.with(|look| look.group == Group::Node);
        let found = board.blocks.with(|blocks| {
            blocks.iter().find(|block| is_node && block.name == of).map(|block| block.positions().collect::<Vec<u32>>())
        });
        found.unwrap_or_default()
    });
    move || {
        let one = |position: u32| {
            let place =
                board.standing.with_untracked(|standing| gpu_place(&standing.nodes, &standing.starts, position))?;
            let FleetPlace::Gpu(_, gpu) = place.clone() else { return None };
            let name = gpu.clone();
            let is = Memo::new(move |_| board.now.with(|now| now.gpu(position).1));
            let class = move || if is.get() >= Health::Degraded { "gpu-link unwell" } else { "gpu-link" };
            let label = move || format!("GPU {name}, {}", health(is.get()));
            let label = Signal::derive(label);
            Some(view! { <a class=class href=paths::fleet_place(&place) aria-label=label title=label>{gpu}</a> " " })
        };
        positions.get().into_iter().filter_map(one).collect_view()
    }
}

/// Goes from the map to the table and back by one key.
pub fn keys(board: Board) {
    Effect::new(move |_| {
        crate::browser::on_keys(move |event| {
            let held = event.ctrl_key() || event.meta_key() || event.alt_key();
            if held || crate::browser::is_typing(&event) || event.default_prevented() {
                return;
            }
            match event.key().as_str() {
                "t" | "T" => {
                    let on_table = crate::browser::focused_id().as_deref() == Some(TABLE);
                    crate::browser::fleet::focus(if on_table { super::map::MAP } else { TABLE });
                }
                "Escape" => {
                    let look = board.look.get_untracked();
                    let plain = Look { health: Vec::new(), only: String::new(), ..look };
                    board.look_so(&plain, Place::After);
                }
                _ => {}
            }
        });
    });
}
