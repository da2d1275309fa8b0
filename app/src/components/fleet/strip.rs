//! The figures of the whole: now, today, as planned, and where the difference goes; GPUs by how they are.

use super::board::Board;
use super::health::HealthMark;
use crate::components::figure::Number;
use crate::fleet::losses::{Step, Waterfall, waterfall};
use crate::fleet::words::{self, HEALTHS};
use crate::format::{self, Figure};
use crate::{made, paths};
use leptos::prelude::*;
use model::fleet::{Kpi, Megawatt, PlanBinding};
use model::quantity::Power;
use model::report::Banded;

/// The strip above the map.
#[component]
pub fn Strip(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let megawatt = board.kpi(|kpis| kpis.megawatt);
    let power = board.kpi(|kpis| match kpis.megawatt {
        Megawatt::Facility => kpis.facility_w.clone(),
        Megawatt::It => kpis.it_w.clone(),
        Megawatt::Board => kpis.board_w.clone(),
    });
    let tokens = board.kpi(|kpis| kpis.tokens_per_s.clone());
    let each = board.kpi(|kpis| kpis.tokens_per_s_per_mw.clone());
    let boards = board.kpi(|kpis| (kpis.board_w.now, kpis.it_w.now, kpis.facility_w.now));
    let others = move || {
        let (board, it, facility) = boards.get();
        let words = |value| format::or_missing(value, watts).to_string();
        format!("boards {} · into racks {} · utility {}", words(board), words(it), words(facility))
    };
    let energy = board.kpi(|kpis| (kpis.board_energy_today_j, kpis.board_energy_basis.clone()));
    let counts = board.kpi(|kpis| kpis.counts);
    let usable = move || counts.get().seen.saturating_sub(counts.get().failed + counts.get().stale);
    let of_all = move || {
        let counts = counts.get();
        let planned =
            if counts.planned > 0 { format!(" · {} planned", format::count(counts.planned)) } else { String::new() };
        format!("of {} seen{planned}", format::count(counts.seen))
    };
    view! {
        <dl class="kpis fleet-kpis" aria-label="The fleet now">
            <LiveKpi label="Output tokens" kpi=tokens words=format::token_rate role="tokens"/>
            <LiveKpi label=Signal::derive(move || format!("Power {}", made::at(megawatt.get()))) kpi=power words=watts role="power" more=Signal::derive(others)/>
            <LiveKpi label=Signal::derive(move || format!("Tokens for each megawatt {}", made::at(megawatt.get()))) kpi=each words=format::tokens_per_megawatt role="tokens"/>
            <div class="kpi">
                <dt>"Energy of the boards today"</dt>
                <dd>{move || view! { <Number figure=format::or_missing(energy.get().0, joules)/> }}</dd>
                <dd class="detail">{move || energy.get().1}</dd>
            </div>
            <div class="kpi">
                <dt>"GPUs that can be used"</dt>
                <dd>{move || view! { <Number figure=format::count(usable())/> }}</dd>
                <dd class="detail">{of_all}</dd>
            </div>
        </dl>
    }
}

fn watts(watts: f64) -> Figure {
    format::power(Power::from_watts(watts))
}

fn joules(joules: f64) -> Figure {
    format::kilowatt_hours(joules / 3.6e6)
}

/// A figure now, today and as planned.
#[component]
fn LiveKpi(
    #[prop(into)] label: Signal<String>,
    kpi: Memo<Kpi>,
    words: fn(f64) -> Figure,
    role: &'static str,
    #[prop(optional, into)] more: Option<Signal<String>>,
) -> impl IntoView {
    let detail = move || {
        let Kpi { today, planned, planned_error, .. } = kpi.get();
        let today = format!("today {}", format::or_missing(today, words));
        let planned = planned.map_or_else(String::new, |planned| {
            let band = planned_error.map_or_else(String::new, |error| format::band(&Banded::around(planned, error)));
            format!(" · planned {} {band}", words(planned))
        });
        format!("{today}{planned}").trim_end().to_owned()
    };
    let missing = move || kpi.with(|kpi| if kpi.now.is_none() { kpi.missing.clone() } else { None });
    view! {
        <div class=format!("kpi {role}")>
            <dt>{move || label.get()}</dt>
            <dd>{move || view! { <Number figure=format::or_missing(kpi.with(|kpi| kpi.now), words)/> }}</dd>
            <dd class="detail">{detail}</dd>
            {move || missing().map(|why| view! { <dd class="detail why-missing">{why}</dd> })}
            {more.map(|more| view! { <dd class="detail">{move || more.get()}</dd> })}
        </div>
    }
}

/// What the fleet is compared with, and the way to change that.
#[component]
pub fn PlanLine(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let plan = Memo::new(move |_| board.standing.with(|standing| standing.plan.clone()));
    let words = |plan: PlanBinding| {
        let racks = format!(
            "{} of {} matched",
            format::count(plan.matched_racks),
            format::things(plan.planned_racks, "rack", "racks")
        );
        view! {
            "Compared with " <a href=paths::design(&plan.design)>{plan.name} ", version " {plan.version}</a>
            ", " {racks} ". " <a href=paths::BINDING>"Change the plan"</a>
        }
        .into_any()
    };
    let none = || {
        view! { "No plan yet, so nothing says what the fleet should make. " <a href=paths::BINDING>"Bind a design"</a> }
            .into_any()
    };
    view! {
        <p class="plan-line soft">{move || plan.get().map_or_else(none, words)}</p>
        <p class="actions" role="navigation" aria-label="More of the fleet">
            <a href=paths::fleet_report("today")>"Today's report"</a> <a href=paths::ALERTS>"Alerts"</a>
            <a href=paths::FACILITY>"Facility"</a> <a href=paths::SOURCES>"Sources"</a>
        </p>
    }
}

/// GPUs by how they are; each is also a choice of what stands out on the map.
#[component]
pub fn Counts(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let counts = board.kpi(|kpis| kpis.counts);
    let one = move |health| {
        let is_chosen = move || board.look.with(|look| look.health.contains(&health));
        let path = move || board.look.with(|look| look.toggled(health).path());
        view! {
            <li>
                <a href=path aria-current=move || if is_chosen() { "true" } else { "false" } class:none=move || words::count(&counts.get(), health) == 0>
                    <HealthMark health/> <span class="figure">{move || format::count(words::count(&counts.get(), health)).to_string()}</span>
                </a>
            </li>
        }
    };
    let all = move || {
        let look = board.look.get();
        (!look.health.is_empty()).then(|| {
            let path = crate::fleet::look::Look { health: Vec::new(), ..look }.path();
            view! { <li><a href=path>"Show all alike"</a></li> }
        })
    };
    view! { <ul class="health-counts" aria-label="GPUs by how they are; choose some to have them stand out">{HEALTHS.map(one).collect_view()}{all}</ul> }
}

/// Where the planned tokens go that are not made.
#[component]
pub fn Difference(
    /// Of which fleet.
    board: Board,
) -> impl IntoView {
    let fall = Memo::new(move |_| board.summary.with(|summary| waterfall(&summary.kpis)));
    let shown = |fall: Waterfall| {
        let missing = fall.now.map(|now| fall.planned - now);
        let title = missing.map_or_else(
            || "Nobody counts the tokens that are made, so the difference to the plan is not known".to_owned(),
            |missing| match (missing > 0.0, fall.steps.iter().max_by(|a, b| a.tokens_per_s.total_cmp(&b.tokens_per_s)))
            {
                (true, Some(most)) => format!(
                    "{} less than planned, most of it by: {}",
                    format::token_rate(missing),
                    words::mid_sentence(most.words)
                ),
                (true, None) => format!("{} less than planned", format::token_rate(missing)),
                (false, _) => format!("{} more than planned", format::token_rate(-missing)),
            },
        );
        let steps = fall.steps.iter().map(step).collect_view();
        view! {
            <section class="difference" aria-labelledby="difference">
                <h2 id="difference">{title}</h2>
                <div class="scroll" tabindex="0" role="region" aria-label="From the plan to what is made">
                    <table>
                        <caption>"Output tokens each second, from the plan for this fleet at full work down to what is made now."</caption>
                        <thead><tr><th scope="col">"Why"</th><th scope="col" class="num">"Tokens"</th><th scope="col"><span class="hidden">"Picture"</span></th><th scope="col">"Worked out from"</th></tr></thead>
                        <tbody>
                            <Fall words="Planned" figure=format::token_rate(fall.planned) from=0.0 to=fall.planned_share class="whole" because=String::new()/>
                            {steps}
                            <Fall words="Made now" figure=format::or_missing(fall.now, format::token_rate) from=0.0 to=fall.now_share class="whole" because=String::new()/>
                        </tbody>
                    </table>
                </div>
            </section>
        }
    };
    move || fall.get().map(shown)
}

fn step(step: &Step) -> impl IntoView + use<> {
    let gains = step.tokens_per_s < 0.0;
    let figure = format::token_rate(-step.tokens_per_s);
    let class = if gains { "gain" } else { "loss" };
    view! { <Fall words=step.words figure from=step.from to=step.to class because=step.because.clone()/> }
}

/// A row of the waterfall; its bar in thousandths, so that no number need be formatted.
#[component]
fn Fall(
    words: &'static str,
    figure: Figure,
    from: f64,
    to: f64,
    class: &'static str,
    because: String,
) -> impl IntoView {
    let (x, width) = ((from * 1000.0).round(), ((to - from) * 1000.0).round().max(1.0));
    view! {
        <tr>
            <th scope="row">{words}</th>
            <td class="num"><Number figure/></td>
            <td class="fall"><svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true"><rect class=class x=x width=width height="12"/></svg></td>
            <td class="soft">{because}</td>
        </tr>
    }
}
