//! What is wasted: GPUs with nothing to do, and power that is provisioned and not drawn.

use crate::api::ApiError;
use crate::components::failure::Loaded;
use crate::components::figure::Number;
use crate::fleet::words;
use crate::{format, paths};
use leptos::prelude::*;
use model::fleet::{WasteReport, Wasted};
use model::quantity::Power;

/// Rows of each list.
const SHOWN: usize = 30;

/// Both lists, folded away.
#[component]
pub fn Waste(
    /// What is wasted.
    waste: Resource<Result<WasteReport, ApiError>>,
) -> impl IntoView {
    view! {
        <details class="waste">
            <summary>"Idle GPUs and stranded power"</summary>
            <Loaded resource=waste noun="what is wasted" show=lists/>
        </details>
    }
}

fn lists(waste: WasteReport) -> AnyView {
    view! {
        <List heading="Idle GPUs" none="No GPU is idle for long." about="GPUs that have nothing to do, the longest first; the power is what they draw all the same." list=waste.idle/>
        <List heading="Stranded power" none="No rack has power that it does not use." about="Racks with power that is provisioned and not drawn, the most first." list=waste.stranded/>
    }
    .into_any()
}

#[component]
fn List(heading: &'static str, none: &'static str, about: &'static str, list: Vec<Wasted>) -> impl IntoView {
    if list.is_empty() {
        return view! { <h3>{heading}</h3> <p class="soft">{none}</p> }.into_any();
    }
    let all: f64 = list.iter().map(|one| one.wasted_w).sum();
    let total = format!(
        "{} in {}",
        format::power(Power::from_watts(all)),
        format::things(list.len() as u32, "place", "places")
    );
    let left = list.len().saturating_sub(SHOWN) as u32;
    let row = |one: Wasted| {
        view! {
            <tr>
                <th scope="row"><a href=paths::fleet_place(&one.place)>{words::place(&one.place)}</a></th>
                <td class="num"><Number figure=format::power(Power::from_watts(one.wasted_w))/></td>
                <td>{format::moment(one.since_ms)}</td>
                <td>{if one.tenant.is_empty() { format::MISSING.to_owned() } else { one.tenant }}</td>
                <td>{one.why}</td>
            </tr>
        }
    };
    view! {
        <h3>{heading} ": " {total}</h3>
        <div class="scroll" tabindex="0" role="region" aria-label=heading>
            <table>
                <caption>{about}</caption>
                <thead><tr><th scope="col">"Where"</th><th scope="col" class="num">"Power"</th><th scope="col">"Since"</th><th scope="col">"Tenant"</th><th scope="col">"Why"</th></tr></thead>
                <tbody>{list.into_iter().take(SHOWN).map(row).collect_view()}</tbody>
            </table>
        </div>
        {(left > 0).then(|| view! { <p class="soft">"And " {format::count(left).to_string()} " more."</p> })}
    }
    .into_any()
}
