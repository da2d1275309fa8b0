//! How is this design best run: how many racks, under which power limit, on water how warm; why, and how sure is that?

use crate::api::{self, ApiError};
use crate::components::chart::Chart;
use crate::components::failure::{Extent, Loaded};
use crate::components::figure::Meter;
use crate::components::operating::{Look, NoAnswer, OperatingHead};
use crate::components::parallel::Parallel;
use crate::components::question::{Misreadings, Question};
use crate::optimum::{self, Brush, Coordinate, OptimumQuestion, choice_words, is_within, watts, worth_words};
use crate::{format, paths};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::design::Redundancy;
use model::id::DesignId;
use model::optimum::{
    Change, Choice, Conflict, Envelope, Goal, Optimum, OptimumApply, OptimumView, Point, PowerError, Robust, Short,
};
use model::quantity::Temperature;
use model::run::{DesignSummary, Origin};

/// The page. The address holds the question.
#[component]
pub fn OptimizePage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = Memo::new(move |_| {
        let id = params.read().get("id").unwrap_or_default();
        (id, OptimumQuestion::of(|key| query.read().get(key)))
    });
    let found = Resource::new(
        move || asked.get(),
        |(id, question)| async move {
            let design: DesignId = id.parse().map_err(|_| ApiError::NotFound { what: format!("design \"{id}\"") })?;
            api::optimum(design, question.ask).await
        },
    );
    let question = move || asked.get_untracked().1;
    view! { <Loaded resource=found noun="the operating point" extent=Extent::Page show=move |view| page(view, question())/> }
}

fn page(view: OptimumView, question: OptimumQuestion) -> AnyView {
    let OptimumView { design, optimum, refused } = view;
    let answer = match optimum {
        Some(found) if found.answer.best.is_some() => found_view(&design, &found),
        Some(found) => nothing(&found),
        None => view! { <NoAnswer design=design.clone() heading="Nothing can be sought" why=refused/> }.into_any(),
    };
    let (id, own) = (design.id.clone(), paths::design(&design.id));
    let (name, version) = (design.name.clone(), design.version);
    view! {
        <OperatingHead design=design.clone() look=Look::OperatingPoint>"How many racks, under which power limit of each GPU, on water how warm, make the most of the plant that " <a href=own>{name}</a> " has, version " {version} ". A choice counts where no limit is exceeded on the hottest hour of the year with everything busy."</OperatingHead>
        <Misreadings of=question.misread.clone()/>
        <Asked id question/>
        {answer}
    }
    .into_any()
}

/// The form that the address is made of.
#[component]
fn Asked(id: DesignId, question: OptimumQuestion) -> impl IntoView {
    let ask = question.ask;
    let options = |chosen: Option<Goal>| {
        Goal::ALL
            .map(|goal| {
                let selected = chosen == Some(goal);
                view! { <option value=goal.name() selected=selected>{optimum::goal_words(goal)}</option> }
            })
            .into_iter()
            .collect_view()
    };
    let number = |value: Option<f64>| value.map(format::plain).unwrap_or_default();
    let third = ask.frontier.get(2).copied();
    let kept = Redundancy::ALL
        .map(|(name, redundancy)| {
            let selected = ask.redundancies.contains(&redundancy);
            view! { <option value=name selected=selected>{name.to_uppercase()} " too"</option> }
        })
        .into_iter()
        .collect_view();
    view! {
        <Question action=paths::optimize(&id) label="What is sought">
            <label>"Best is" <select name="goal">{options(Some(ask.goal))}</select></label>
            <label>"Against" <select name="against">{options(ask.frontier.get(1).copied())}</select></label>
            <label>"And" <select name="third"><option value="none" selected=third.is_none()>"nothing more"</option>{options(third)}</select></label>
            <label>"Power at most, MW" <input type="number" name="power" min="0.000001" step="any" placeholder="the contract" value=number(ask.limits.power_mw)/></label>
            <label>"To build, million $" <input type="number" name="capex" min="0.001" step="any" placeholder="no limit" value=number(ask.limits.capex_usd.map(|usd| usd / 1e6))/></label>
            <label>"First token within, ms" <input type="number" name="ttft" min="0.001" step="any" placeholder="the design’s" value=number(ask.limits.ttft_ms)/></label>
            <label>"Between tokens, ms" <input type="number" name="tpot" min="0.001" step="any" placeholder="the design’s" value=number(ask.limits.tpot_ms)/></label>
            <label>"Redundancy may be" <select name="redundancy">
                <option value="drawn" selected=ask.redundancies.is_empty()>"as drawn alone"</option>
                {kept}
            </select></label>
            <label>"Solar, mean output, %" <input type="number" name="solar" min="0" max="50" step="any" placeholder="none built" value=number(ask.onsite.and_then(|onsite| onsite.solar_capacity_factor).map(|share| share * 100.0))/></label>
            <label>"Load that can wait, %" <input type="number" name="shift" min="0" max="100" step="any" placeholder="none" value=number(ask.onsite.map(|onsite| onsite.shift * 100.0).filter(|share| *share > 0.0))/></label>
            <button type="submit">"Find the best"</button>
        </Question>
    }
}

fn found_view(design: &DesignSummary, found: &Optimum) -> AnyView {
    let Some(best) = found.answer.best.clone() else { return ().into_any() };
    let tried = format::many(found.answer.tried as u64);
    let compared = compared(&found.answer.drawn, &best);
    let exceeded = found.answer.drawn.short.clone();
    let reasons = found.reasons.clone();
    let (goal, dial) = (found.ask.goal, dial(found));
    let (robust, errors) = (found.robust.clone(), found.power_error.clone());
    let (envelope, stranded, storage) = (found.envelope.clone(), stranded(found), storage(found));
    let (placed, onsite) = (placed(design, found), onsite(found));
    view! {
        <p class="answer">{optimum::headline(found)}</p>
        <p class="soft">"The best of " {tried.to_string()} " choices that were tried. Everything busy at the mean weather; money and carbon as if it were so all year."</p>
        <p><Apply design=design.clone() change=Change::Choice(best.choice) words="Apply the best choice to the design"/></p>
        {compared}
        {(!exceeded.is_empty()).then(|| view! { <p class="outcome">"As drawn, the design asks too much of " {shorts(&exceeded)} "."</p> })}
        <Frontier design=design.clone() found=found.clone()/>
        {dial}
        {reasons.map(|reasons| view! {
            <section class="spaced" aria-labelledby="why">
                <h2 id="why">"What holds it where it is"</h2>
                {binds(&reasons.binds)}
                {worth(goal, &reasons.worth)}
                <p class="soft">"Over the error band of the serving model the best makes " {optimum::goal_figure(goal, reasons.band[0]).to_string()} " to " {optimum::goal_figure(goal, reasons.band[1]).to_string()} "; all choices share that error, so the best one stays the best."</p>
            </section>
        })}
        {robust.map(|robust| stands(&robust, &errors, &best.choice))}
        {envelope.map(|envelope| same_megawatts(&envelope))}
        {stranded}
        {placed}
        {onsite}
        {storage}
    }
    .into_any()
}

/// The design as drawn beside the best.
fn compared(drawn: &Point, best: &Point) -> AnyView {
    let rows = optimum::beside(drawn, best).into_iter().map(|line| {
        view! {
            <tr><th scope="row">{line.name}</th><td class="num">{line.best}</td><td class="num">{line.drawn}</td><td class="num soft">{line.change}</td></tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="As drawn and best"><table>
            <thead><tr><th scope="col">"Everything busy"</th><th scope="col" class="num">"Best"</th><th scope="col" class="num">"As drawn"</th><th scope="col" class="num">"Change"</th></tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}

fn shorts(list: &[Short]) -> String {
    let each = list.iter().map(|short| format!("the {} of {} ({})", short.limit.words(), short.place, short.words));
    each.collect::<Vec<_>>().join(", ")
}

/// The frontier with ranges drawn on its axes, and its choices as rows to apply.
#[component]
fn Frontier(design: DesignSummary, found: Optimum) -> impl IntoView {
    const ROWS: usize = 12;
    let axes = StoredValue::new(Coordinate::of(&found.ask.frontier));
    let points = StoredValue::new(found.answer.frontier.clone());
    let count = axes.with_value(Vec::len);
    let brushes = RwSignal::new(vec![None::<(f64, f64)>; count]);
    let found = StoredValue::new(found);
    let kept = Memo::new(move |_| {
        let brushes: Vec<Brush> = brushes.get();
        points.with_value(|points| {
            axes.with_value(|axes| points.iter().map(|p| is_within(p, axes, &brushes)).collect::<Vec<bool>>())
        })
    });
    let picture = move || {
        let title = points.with_value(|points| finding(points, found.with_value(|found| found.ask.goal)));
        let (svg, narrow) = found.with_value(|found| optimum::frontier_picture(found, &kept.get(), &title));
        let rows = table_of(&points.get_value(), &found.with_value(|found| found.ask.frontier.clone()));
        view! { <div class="pair"><Chart title svg narrow>{rows}</Chart></div> }
    };
    let shown = move || {
        let list: Vec<Point> = points.with_value(|points| {
            points.iter().zip(kept.get()).filter(|(_, kept)| *kept).map(|(p, _)| p.clone()).collect()
        });
        let all = list.len();
        let step = all.div_ceil(ROWS).max(1);
        let goals = found.with_value(|found| found.ask.frontier.clone());
        let head = goals
            .iter()
            .map(|goal| view! { <th scope="col" class="num">{optimum::goal_axis(*goal)}</th> })
            .collect_view();
        let rows = list.into_iter().step_by(step).map(|point| {
            let cells = goals.iter().map(|goal| view! { <td class="num">{optimum::goal_figure(*goal, goal.value(&point)).to_string()}</td> }).collect_view();
            view! {
                <tr>
                    <th scope="row">{choice_words(&point.choice)}</th>{cells}
                    <td><Apply design=design.clone() change=Change::Choice(point.choice) words="Apply"/></td>
                </tr>
            }
        }).collect_view();
        let many = (all > ROWS).then(|| {
            format!(" {} of {} are listed.", format::count(all.div_ceil(step) as u32), format::count(all as u32))
        });
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Choices of the frontier"><table>
                <caption>{format::things(all as u32, "choice lies", "choices lie")} " within the ranges." {many}</caption>
                <thead><tr><th scope="col">"Choice"</th>{head}<th scope="col"><span class="hidden">"Apply"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        }
    };
    let narrowed = move || brushes.with(|brushes| brushes.iter().any(Option::is_some));
    view! {
        <section class="spaced" aria-labelledby="frontier">
            <h2 id="frontier">"The frontier"</h2>
            <p class="soft">"No choice beats any of these in all of the goals at once. The ring is the best by the first goal. Draw on an axis to keep a range of it; press it to let go."</p>
            {picture}
            <Parallel points axes brushes/>
            <p class="actions"><button disabled=move || !narrowed() on:click=move |_| brushes.set(vec![None; count])>"Show all choices"</button></p>
            {shown}
        </section>
    }
}

/// What the frontier spans, in a sentence.
fn finding(points: &[Point], goal: Goal) -> String {
    let value = |point: &Point| optimum::goal_figure(goal, goal.value(point)).to_string();
    match (points.first(), points.last()) {
        (Some(best), Some(least)) if points.len() > 1 => {
            format!("{} choices trade {} against {}", format::count(points.len() as u32), value(best), value(least))
        }
        _ => "One choice is the best in every goal at once".to_owned(),
    }
}

fn table_of(points: &[Point], goals: &[Goal]) -> AnyView {
    let head =
        goals.iter().map(|goal| view! { <th scope="col" class="num">{optimum::goal_axis(*goal)}</th> }).collect_view();
    let rows = points.iter().map(|point| {
        let cells = goals
            .iter()
            .map(|goal| view! { <td class="num">{optimum::goal_figure(*goal, goal.value(point)).to_string()}</td> })
            .collect_view();
        view! { <tr><th scope="row">{choice_words(&point.choice)}</th>{cells}</tr> }
    });
    view! { <table><thead><tr><th scope="col">"Choice"</th>{head}</tr></thead><tbody>{rows.collect_view()}</tbody></table> }.into_any()
}

/// Keeps a choice as a version of the design, or as a branch of a reference design, and says where it is.
#[component]
fn Apply(design: DesignSummary, change: Change, words: &'static str) -> impl IntoView {
    let (id, version) = (design.id.clone(), design.version);
    let apply = Action::new(move |(): &()| api::optimum_apply(OptimumApply { design: id.clone(), version, change }));
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    let told = move || {
        apply.value().get().map(|done| match done {
            Ok(done) => {
                let what = if done.is_branch { "Kept as a design of your own: " } else { "Kept as " };
                let name = if done.is_branch { done.design.name.clone() } else { format!("version {}", done.design.version) };
                view! { <span role="status">{what} <a href=paths::design(&done.design.id)>{name}</a> ". Run a year of it there."</span> }.into_any()
            }
            Err(error) => view! { <span class="why" role="alert">{error.to_string()}</span> }.into_any(),
        })
    };
    let branch = design.origin == Origin::Reference;
    let about = if branch {
        "This design came with the program and does not change: a branch of it is made."
    } else {
        "A new version of the design is made."
    };
    view! {
        <span class="apply">
            <button title=about disabled=move || !awake.get() || apply.pending().get() on:click=move |_| { apply.dispatch(()); }>{words}</button> " "
            {told}
        </span>
    }
}

fn dial(found: &Optimum) -> AnyView {
    let title = optimum::dial_finding(&found.dial);
    let (svg, narrow) = optimum::dial_picture(found, &title);
    let rows = found.dial.iter().map(|turn| {
        view! {
            <tr>
                <th scope="row">{watts(turn.cap_w)}</th>
                <td class="num">{format::tokens_per_megawatt(turn.tokens_per_s_per_mw).to_string()}</td>
                <td class="num">{format::tokens_per_megawatt(turn.low).to_string()} " to " {format::tokens_per_megawatt(turn.high).to_string()}</td>
                <td class="num">{format::count(turn.racks).to_string()}</td>
                <td class="num">{format::token_rate(turn.output_tokens_per_s).to_string()}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <thead><tr><th scope="col">"Limit of a GPU"</th><th scope="col" class="num">"Tokens per megawatt"</th><th scope="col" class="num">"Band"</th><th scope="col" class="num">"Racks that fit"</th><th scope="col" class="num">"Tokens of those"</th></tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    let measured = "A limit takes little work at first and much at last: measured beside what is fitted";
    let (cap_svg, cap_narrow) = optimum::cap_picture(measured);
    view! {
        <section class="spaced" aria-labelledby="dial">
            <h2 id="dial">"The power limit as a dial"</h2>
            <p class="soft">"Left: what this design’s racks make of a megawatt under each limit; steps are where a smaller batch keeps the time targets. Right: what any limit leaves of work, from the power sweep of a field test (Emerald, Phoenix 2025, Apache-2.0, boards of 400 W) and the curves fitted to it. That other boards follow the same curves is assumed; its error is counted below."</p>
            <div class="pair">
                <Chart title svg narrow>{table}</Chart>
                <Chart title=measured.to_owned() svg=cap_svg narrow=cap_narrow><p>"The points are in the source of the program, " <code>"sim::board::MEASURED"</code> "."</p></Chart>
            </div>
        </section>
    }
    .into_any()
}

fn binds(list: &[Short]) -> AnyView {
    if list.is_empty() {
        return view! { <p>"Nothing stops one more rack or one more watt: more would be possible, and worse by this goal."</p> }.into_any();
    }
    let rows = list.iter().map(|short| {
        view! { <li><strong>{short.limit.words()}</strong> " at " {short.place.clone()} ": " {short.words.clone()}</li> }
    });
    view! { <p>"One more rack, or one more watt of each GPU, would exceed:"</p> <ul>{rows.collect_view()}</ul> }
        .into_any()
}

fn worth(goal: Goal, list: &[model::optimum::Worth]) -> AnyView {
    let rows = list.iter().map(|worth| {
        view! { <tr><th scope="row">{worth.what.clone()}</th><td class="num">{worth_words(goal, worth.gain)}</td></tr> }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="What more would be worth"><table>
            <caption>"What more of each limit would be worth, each with the search made anew. Larger groups of power also lose more without load."</caption>
            <thead><tr><th scope="col">"Given"</th><th scope="col" class="num">{optimum::goal_axis(goal)}</th></tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}

/// Whether it stands: the hottest hour, the busiest hours, a unit out, boards that draw otherwise.
fn stands(robust: &Robust, errors: &[PowerError], best: &Choice) -> AnyView {
    let hot = format::temperature(Temperature::from_celsius(robust.hottest_c)).to_string();
    let held = if robust.held_back_h > 0.0 {
        format!("held back in {} of the year", format::hours(robust.held_back_h))
    } else {
        "never held back in a year".to_owned()
    };
    let failures = robust.failures.iter().map(|failed| {
        let racks = if failed.racks < best.racks { format!("{} of {} racks", format::count(failed.racks), format::count(best.racks)) } else { "every rack".to_owned() };
        view! {
            <tr><th scope="row">"One unit of " {failed.place.clone()} " out"</th>
            <td>{racks} " at " {watts(failed.cap_w)} " a GPU: " {format::percent(failed.tokens_share).to_string()} " of the tokens"</td></tr>
        }
    });
    let none = robust.failures.is_empty();
    let draws = errors.iter().map(|error| {
        let other = error.best.as_ref().map(|best| choice_words(&best.choice));
        let ours = match (error.ours.is_feasible(), other) {
            (true, Some(_)) if error.regret < 5e-4 => "still the best, or as good".to_owned(),
            (true, Some(other)) => format!("still runs; so many racks make {} less than the best for such boards: {other}", format::percent(error.regret)),
            (true, None) => "still runs".to_owned(),
            (false, Some(other)) if error.regret < 1.0 => format!(
                "exceeds {} until its limit is lowered, and then makes {} less than the best for such boards: {other}",
                shorts(&error.ours.short),
                format::percent(error.regret)
            ),
            (false, Some(other)) => format!("exceeds {} at any limit; best would be {other}", shorts(&error.ours.short)),
            (false, None) => format!("exceeds {}; nothing could be run", shorts(&error.ours.short)),
        };
        view! { <tr><th scope="row">"Boards draw " {format::percent(error.draw).to_string()} " of what the model says"</th><td>{ours}</td></tr> }
    });
    view! {
        <section class="spaced" aria-labelledby="stands">
            <h2 id="stands">"Does it stand?"</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Does it stand"><table class="told-so"><tbody>
                <tr><th scope="row">"Hottest hour, " {hot}</th><td>{format::megawatts(robust.hottest_mw).to_string()} " of " {format::megawatts(robust.contract_mw).to_string()} ", " {held}</td></tr>
                <tr><th scope="row">"Busiest hundredth of hours"</th><td>{format::percent(robust.busiest_asked).to_string()} " of what it makes is asked for; " {format::percent(robust.busiest_served).to_string()} " of that is served"</td></tr>
                {none.then(|| view! { <tr><th scope="row">"One unit of power or cooling out"</th><td>"any may fail, and everything goes on"</td></tr> })}
                {failures.collect_view()}
                {draws.collect_view()}
            </tbody></table></div>
        </section>
    }
    .into_any()
}

/// One contract filled three ways, and what a vendor claims of it.
fn same_megawatts(envelope: &Envelope) -> AnyView {
    let rows = [
        ("As racks come: boards at their own limit, counted by label", &envelope.label),
        ("The same, counted by what they draw on the hottest hour", &envelope.drawn),
        ("Under a power limit, counted by its worst case", &envelope.capped),
    ]
    .map(|(name, filled)| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num">{watts(filled.cap_w)}</td>
                <td class="num">{optimum::kilowatts(filled.kw_per_gpu)}</td>
                <td class="num">{format::count(filled.gpus).to_string()}</td>
                <td class="num">{format::token_rate(filled.output_tokens_per_s).to_string()}</td>
                <td class="num">{format::relative_change(filled.output_tokens_per_s / envelope.label.output_tokens_per_s - 1.0)}</td>
            </tr>
        }
    });
    let [low, high] = envelope.tokens_band;
    let answer = if envelope.capped.cap_w >= envelope.label.cap_w {
        "No power limit makes more of it than the boards’ own. "
    } else if envelope.gpus_ratio >= 1.4 {
        "Forty per cent more GPUs fit. "
    } else {
        "Forty per cent more GPUs do not fit here. "
    };
    let verdict = if low > 1.0 {
        "That holds over the errors of board power and of work under a limit."
    } else {
        "Within the errors of board power and of work under a limit, that may be nothing."
    };
    view! {
        <section class="spaced" aria-labelledby="same">
            <h2 id="same">"More GPUs in the same megawatts?"</h2>
            <p>{answer} "With the whole design scaled so that power alone is short, a limit fits " {format::quotient(envelope.gpus_ratio).to_string()} " times the GPUs into " {format::megawatts(envelope.power_mw).to_string()} " and makes " {format::quotient(envelope.tokens_ratio).to_string()} " times the tokens, between " {format::quotient(low).to_string()} " and " {format::quotient(high).to_string()} ". " {verdict}</p>
            <div class="scroll" tabindex="0" role="region" aria-label="The same megawatts, filled three ways"><table>
                <thead><tr><th scope="col">{format::megawatts(envelope.power_mw).to_string()} " filled"</th><th scope="col" class="num">"Limit"</th><th scope="col" class="num">"Facility power of a GPU"</th><th scope="col" class="num">"GPUs"</th><th scope="col" class="num">"Tokens a second"</th><th scope="col" class="num">"Against label"</th></tr></thead>
                <tbody>{rows.into_iter().collect_view()}</tbody>
            </table></div>
            <p class="soft">"NVIDIA claims up to 40 % more GPUs for MaxLPS, and 1.45 times as many in a slide of 2026. That is a claim and no input here: nothing is fitted to it. A label counts boards, processors, fans and supplies at their most; what is drawn is less by all of these, and no promise that a breaker holds. The limit alone is the third row."</p>
        </section>
    }
    .into_any()
}

fn stranded(found: &Optimum) -> AnyView {
    if found.stranded.is_empty() {
        return ().into_any();
    }
    let all: f64 = found.stranded.iter().map(|line| line.drawn_mw).sum();
    let rows = found.stranded.iter().map(|line| {
        let name = if line.is_stranded { format!("stranded: {}", line.cause) } else { line.cause.clone() };
        let (drawn, best) = (line.drawn_mw, line.best_mw);
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num">{format::megawatts(drawn).to_string()}</td><td class="wide"><Meter share=drawn / all.max(1e-9)/></td>
                <td class="num">{format::megawatts(best).to_string()}</td><td class="wide"><Meter share=best / all.max(1e-9)/></td>
            </tr>
        }
    });
    let stranded = |of: fn(&model::optimum::StrandedBeside) -> f64| {
        format::megawatts(found.stranded.iter().filter(|line| line.is_stranded).map(of).sum())
    };
    let (before, after) = (stranded(|line| line.drawn_mw), stranded(|line| line.best_mw));
    view! {
        <section class="spaced" aria-labelledby="stranded">
            <h2 id="stranded">"Stranded power, before and after"</h2>
            <p>"Of " {format::megawatts(all).to_string()} " installed where halls are fed, " {before.to_string()} " can’t be used as drawn, " {after.to_string()} " at the best choice."</p>
            <div class="scroll" tabindex="0" role="region" aria-label="Stranded power by cause"><table class="bars">
                <thead><tr><th scope="col">"What becomes of it"</th><th scope="col" class="num">"As drawn"</th><th scope="col"><span class="hidden">"as a bar"</span></th><th scope="col" class="num">"Best"</th><th scope="col"><span class="hidden">"as a bar"</span></th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}

/// Racks placed to strand the least power, and the same as a version.
fn placed(design: &DesignSummary, found: &Optimum) -> AnyView {
    let Some(replaced) = &found.replaced else { return ().into_any() };
    let rows = replaced.causes.iter().filter(|(_, before, after)| before + after > 1e-6).map(|(cause, before, after)| {
        view! { <tr><th scope="row">{cause.clone()}</th><td class="num">{format::megawatts(*before).to_string()}</td><td class="num">{format::megawatts(*after).to_string()}</td></tr> }
    });
    let sure = if replaced.is_proven {
        "No placement has more, but for a hundred-thousandth.".to_owned()
    } else {
        format!("Whether any has more is not proven: none has more than {}.", format::megawatts(replaced.bound_mw))
    };
    let changes = replaced.racks != replaced.racks_drawn || replaced.moved > 0;
    let apply = changes.then(|| view! { <p><Apply design=design.clone() change=Change::Placement words="Apply the placement to the design"/></p> });
    view! {
        <section class="spaced" aria-labelledby="placed">
            <h2 id="placed">"Where racks should stand"</h2>
            <p>"Placed over rows, feeds and cooling loops so that the least power is stranded, the plant feeds " {format::things(replaced.racks, "rack", "racks")} " of all kinds where " {format::count(replaced.racks_drawn).to_string()} " are drawn, with " {format::count(replaced.moved).to_string()} " moved, at their power limits as drawn. Power and heat are counted by what racks could draw; the search above counts heat by what they do, so it may find room for a few more. " {sure}</p>
            <div class="scroll" tabindex="0" role="region" aria-label="What feeds can promise and no rack has"><table>
                <caption>"What feeds can promise and no rack has, by what stands in the way."</caption>
                <thead><tr><th scope="col">"For want of"</th><th scope="col" class="num">"As drawn"</th><th scope="col" class="num">"As placed"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table></div>
            {apply}
        </section>
    }
    .into_any()
}

/// What is best built beside the grid.
fn onsite(found: &Optimum) -> AnyView {
    let Some(year) = found.onsite else {
        return view! { <p class="soft">"Give solar’s mean output above (a fifth of rated power is usual in sunny places) and what is best built beside the grid stands here; " <code>"millwright optimize --solar --gas --shift"</code> " says the same with gas engines."</p> }.into_any();
    };
    let without =
        year.without_usd.map_or("a contract that can’t carry it".to_owned(), |usd| format::money(usd).to_string());
    let nothing = (year.solar_mw + year.gas_mw + year.battery_mw < 1e-3)
        .then_some(" At these prices of energy none of it is worth building.");
    let sources = [("panels", year.solar_mw, year.solar_mwh), ("gas engines", year.gas_mw, year.gas_mwh)]
        .into_iter()
        .filter(|(_, mw, _)| *mw > 1e-3);
    let rows = sources.map(|(name, mw, mwh)| {
        view! { <tr><th scope="row">{name}</th><td class="num">{format::megawatts(mw).to_string()}</td><td class="num">{format::megawatt_hours(mwh).to_string()}</td></tr> }
    });
    view! {
        <section class="spaced" aria-labelledby="onsite">
            <h2 id="onsite">"What to build beside the grid"</h2>
            <p>"With all that is built paid off over its life, the year’s electricity costs " {format::money(year.cost_usd).to_string()} "; from the grid alone " {without} ". Carbon: " {format::carbon(year.carbon_t).to_string()} " against " {format::carbon(year.without_carbon_t).to_string()} "." {nothing}</p>
            <div class="scroll" tabindex="0" role="region" aria-label="What to build"><table>
                <thead><tr><th scope="col">"Built"</th><th scope="col" class="num">"Power"</th><th scope="col" class="num">"Energy"</th></tr></thead>
                <tbody>
                    {rows.collect_view()}
                    {(year.battery_mw > 1e-3).then(|| view! { <tr><th scope="row">"battery"</th><td class="num">{format::megawatts(year.battery_mw).to_string()}</td><td class="num">{format::megawatt_hours(year.battery_mwh).to_string()} " stored"</td></tr> })}
                    <tr><th scope="row">"from the grid"</th><td class="num"></td><td class="num">{format::megawatt_hours(year.grid_mwh).to_string()}</td></tr>
                </tbody>
            </table></div>
            <p class="soft">"A linear programme over 8 760 hours with prices, sun and load known ahead; a clear sky’s shape with the mean that was given; prices of panels and batteries are REopt’s defaults (NREL). " {format::megawatt_hours(year.curtailed_mwh).to_string()} " of sun are left unused, " {format::megawatt_hours(year.shifted_mwh).to_string()} " of load put off."</p>
        </section>
    }
    .into_any()
}

fn storage(found: &Optimum) -> AnyView {
    let Some(year) = found.storage else { return ().into_any() };
    let saved = year.without_usd_per_year - year.with_usd_per_year;
    view! {
        <section class="spaced" aria-labelledby="storage">
            <h2 id="storage">"What the batteries could save"</h2>
            <p>"The " {format::megawatt_hours(year.energy_mwh).to_string()} " and " {format::megawatts(year.power_mw).to_string()} " of batteries that are drawn could take at most " {format::money(saved).to_string()} " a year off " {format::money(year.without_usd_per_year).to_string()} " of electricity (" {format::percent(saved / year.without_usd_per_year.max(1e-9)).to_string()} "), with prices known ahead and nothing kept back for outages."</p>
        </section>
    }
    .into_any()
}

/// Nothing can be run: what stands in the way, and the least that would have to give.
fn nothing(found: &Optimum) -> AnyView {
    let way = |conflict: &Conflict| {
        let gives = conflict.short.iter().map(|short| {
            view! { <li>{short.limit.words()} " at " {short.place.clone()} ": " {format::percent(short.by).to_string()} " more (" {short.words.clone()} ")"</li> }
        });
        view! { <li>{choice_words(&conflict.point.choice)} " could be run with" <ul>{gives.collect_view()}</ul></li> }
    };
    let ways = found.conflicts.iter().take(3).map(way).collect_view();
    view! {
        <section class="failure">
            <h2>"Nothing can be run all year within these limits"</h2>
            <p>"These limits stand against each other; the least that would have to give, the smallest first:"</p>
            <ol>{ways}</ol>
        </section>
    }
    .into_any()
}
