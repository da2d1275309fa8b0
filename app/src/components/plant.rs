//! The plant in tables, as a design's page and a run's report both show it: power tree, stranded power, serving points.

use crate::components::figure::{Meter, Number};
use crate::{findings, format};
use leptos::prelude::*;
use model::report::{NodeReport, ServingPoint, Stranded};

/// The power tree, each level under the one that feeds it.
#[component]
pub fn PowerTree(
    /// The nodes, parents first.
    nodes: Vec<NodeReport>,
) -> impl IntoView {
    let rows = nodes.into_iter().map(|node| {
        let used = findings::share(node.peak_mw, node.firm_mw);
        view! {
            <tr>
                <th scope="row" class=format!("depth-{}", node.depth.min(6))>
                    {node.name} " " <span class="soft">{node.units} " × " {node.part}</span>
                </th>
                <td class="num"><Number figure=format::megawatts(node.firm_mw)/></td>
                <td class="num"><Number figure=format::megawatts(node.provisioned_mw)/></td>
                <td class="num"><Number figure=format::megawatts(node.peak_mw)/></td>
                <td class="num"><Number figure=format::or_missing(used, format::percent)/></td>
                <td class="bar"><Meter share=used.unwrap_or_default()/></td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Power tree">
            <table>
                <caption>
                    "Firm: what a level can promise with its redundancy kept. Provisioned: ratings of what hangs on it. \
                     Peak: its highest output."
                </caption>
                <thead>
                    <tr>
                        <th scope="col">"Level"</th>
                        <th scope="col" class="num">"Firm"</th>
                        <th scope="col" class="num">"Provisioned"</th>
                        <th scope="col" class="num">"Peak"</th>
                        <th scope="col" class="num">"Peak of firm"</th>
                        <th scope="col"><span class="hidden">"Peak of firm as a bar"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// Power that is provisioned and can't be used, by cause.
#[component]
pub fn StrandedTable(
    /// By cause.
    stranded: Stranded,
) -> impl IntoView {
    let total = findings::stranded_total(&stranded);
    let of_all = move |mw| format::or_missing(findings::share(mw, total), format::percent);
    let rows = findings::stranded_rows(&stranded).map(|(name, why, mw)| {
        view! {
            <tr>
                <th scope="row">{name} " " <span class="soft">{why}</span></th>
                <td class="num"><Number figure=format::megawatts(mw)/></td>
                <td class="num"><Number figure=of_all(mw)/></td>
                <td class="bar"><Meter share=findings::share(mw, total).unwrap_or_default()/></td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Stranded power by cause">
            <table>
                <caption>{findings::stranded(&stranded)} "."</caption>
                <thead>
                    <tr>
                        <th scope="col">"Cause"</th>
                        <th scope="col" class="num">"Power"</th>
                        <th scope="col" class="num">"Share of it"</th>
                        <th scope="col"><span class="hidden">"Share of it as a bar"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">"All causes"</th>
                        <td class="num"><Number figure=format::megawatts(total)/></td>
                        <td class="num"><Number figure=of_all(total)/></td>
                        <td></td>
                    </tr>
                </tfoot>
            </table>
        </div>
    }
}

/// How each kind of GPU serves at full work, and what decides its speed.
#[component]
pub fn ServingTable(
    /// One for each kind.
    points: Vec<ServingPoint>,
) -> impl IntoView {
    if points.is_empty() {
        return view! { <p class="soft">"No GPU serves: see the notes for why."</p> }.into_any();
    }
    let rows = points.into_iter().map(|point| {
        view! {
            <tr>
                <th scope="row">{point.gpu.clone()} " " <span class="soft">{format::things(point.gpus, "GPU", "GPUs")}</span></th>
                <td class="num">{format::count(point.gpus_per_replica).to_string()}</td>
                <td class="num">{format::mean_count(point.batch).to_string()}</td>
                <td class="num"><Number figure=format::token_rate(point.output_tokens_per_s_per_gpu)/></td>
                <td class="num"><Number figure=format::milliseconds(point.ttft_ms)/></td>
                <td class="num"><Number figure=format::milliseconds(point.tpot_ms)/></td>
                <td class="num"><Number figure=format::percent(point.prefill_share)/></td>
                <td class="num">
                    <Number figure=format::megawatts(point.gpu_power_w / 1e6)/>
                    <span class="soft">" of " {format::megawatts(point.power_cap_w / 1e6).to_string()}</span>
                </td>
                <td>{findings::bound_by(&point)}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Serving points">
            <table>
                <caption>"At full work, means over requests. A copy is the GPUs that hold the model once."</caption>
                <thead>
                    <tr>
                        <th scope="col">"GPU"</th>
                        <th scope="col" class="num">"GPUs in a copy"</th>
                        <th scope="col" class="num">"Requests at once"</th>
                        <th scope="col" class="num">"Output of one GPU"</th>
                        <th scope="col" class="num">"To first token"</th>
                        <th scope="col" class="num">"Between tokens"</th>
                        <th scope="col" class="num">"Time on prompts"</th>
                        <th scope="col" class="num">"Board power"</th>
                        <th scope="col">"Bounded by"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
