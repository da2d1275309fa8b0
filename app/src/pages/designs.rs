//! Which designs are there, how large are they, and who made them?

use crate::components::failure::Loaded;
use crate::components::figure::Number;
use crate::{api, format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use model::run::{DesignSummary, Origin};

/// All designs.
#[component]
pub fn DesignsPage() -> impl IntoView {
    let designs = Resource::new(|| (), |()| api::designs());
    view! {
        <Title text="Designs"/>
        <h1>"Designs"</h1>
        <p class="actions"><a class="button primary" href=paths::NEW>"New design"</a></p>
        <Loaded resource=designs noun="the designs" show=table/>
    }
}

fn table(designs: Vec<DesignSummary>) -> AnyView {
    if designs.is_empty() {
        return view! {
            <p class="empty">"There is no design yet. Start the server with its reference designs, or store one with the command line."</p>
        }
        .into_any();
    }
    let rows = designs.into_iter().map(|design| {
        view! {
            <tr>
                <th scope="row" class="wide">
                    <a href=paths::design(&design.id)>{design.name}</a>
                    <span class="soft description">{design.description}</span>
                </th>
                <td>{design.location}</td>
                <td class="num"><Number figure=format::megawatts(design.contract_power_mw)/></td>
                <td class="num">{size(design.racks)}</td>
                <td class="num">{size(design.gpus)}</td>
                <td>{origin(design.origin)} " " <span class="soft">" v" {design.version}</span></td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Designs">
            <table>
                <caption>"Power is what the utility contract allows. Racks and GPUs are missing where a design can't be built as drawn."</caption>
                <thead>
                    <tr>
                        <th scope="col">"Design"</th><th scope="col">"Place"</th><th scope="col" class="num">"Contract"</th>
                        <th scope="col" class="num">"Racks"</th><th scope="col" class="num">"GPUs"</th><th scope="col">"Origin"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn size(count: u32) -> String {
    if count == 0 { format::MISSING.to_owned() } else { format::count(count).to_string() }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Reference => "Reference",
        Origin::Own => "Own",
    }
}
