//! Where does the power go in this design's tree, what is promised at every node, and what does steering make of it?

use crate::api::{self, ApiError};
use crate::components::failure::{Extent, Loaded};
use crate::components::figure::Meter;
use crate::components::operating::{Look, NoAnswer, OperatingHead};
use crate::components::question::{Misreadings, Question};
use crate::pages::replay::charts;
use crate::steered::{self, Cell, SteerQuestion, power};
use crate::{browser, format, paths};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::id::DesignId;
use model::quantity::Span;
use model::steered::{SteerAsk, SteerDay, SteerPolicy, Steered, SteeredKind, SteeredView};

/// The page. The address holds the question.
#[component]
pub fn PowerPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = Memo::new(move |_| {
        let id = params.read().get("id").unwrap_or_default();
        (id, SteerQuestion::of(|key| query.read().get(key)))
    });
    let found = Resource::new(
        move || asked.get(),
        |(id, question)| async move {
            let design: DesignId = id.parse().map_err(|_| ApiError::NotFound { what: format!("design \"{id}\"") })?;
            api::steered(design, question.ask).await
        },
    );
    let question = move || asked.get_untracked().1;
    view! { <Loaded resource=found noun="the power tree" extent=Extent::Page show=move |view| page(view, &question())/> }
}

fn page(view: SteeredView, question: &SteerQuestion) -> AnyView {
    let SteeredView { design, steered, refused } = view;
    let answer = match steered {
        Some(steered) => found_view(&steered),
        None => view! { <NoAnswer design=design.clone() heading="Nothing can be steered" why=refused/> }.into_any(),
    };
    view! {
        <OperatingHead design=design.clone() look=Look::Power>"Every node of the tree with what may go into it, what the policy promises, what could be drawn at worst and what is drawn, over a quarter of an hour of made-up work. Steering lends what racks leave unused to those that are held back, and never lets a node’s worst case above its limit."</OperatingHead>
        <Misreadings of=question.misread.clone()/>
        <Asked id=design.id.clone() ask=question.ask contract_mw=design.contract_power_mw/>
        {answer}
    }
    .into_any()
}

/// The form that the address is made of.
#[component]
fn Asked(id: DesignId, ask: SteerAsk, contract_mw: f64) -> impl IntoView {
    let policies = SteerPolicy::ALL.map(|policy| {
        view! { <option value=policy.name() selected=policy == ask.policy>{policy.words()}</option> }
    });
    let percent = |share: f64| (share * 1e4).round() / 100.0;
    let contract = format!("{} contract", format::exact(contract_mw));
    view! {
        <Question action=paths::power(&id) label="What is steered">
            <label>"Power at most, MW" <input type="number" name="limit" min="0.000001" step="any" placeholder=contract value=ask.limit_mw.map(format::plain).unwrap_or_default()/></label>
            <label>"Policy" <select name="policy">{policies.into_iter().collect_view()}</select></label>
            <label>"Mean load, %" <input type="number" name="load" min="0" max="100" step="any" value=percent(ask.load)/></label>
            <label>"Grid event, % of the limit" <input type="number" name="event" min="1" max="100" step="any" value=percent(ask.event)/></label>
            <label>"The day is" <select name="day">
                <option value="bad" selected=ask.day == SteerDay::Bad>"bad: messages lost and late, racks fail"</option>
                <option value="calm" selected=ask.day == SteerDay::Calm>"calm"</option>
            </select></label>
            <label>"Seed" <input type="number" name="seed" min="1" value=ask.seed.to_string()/></label>
            <button type="submit">"Steer it"</button>
        </Question>
    }
}

fn found_view(steered: &Steered) -> AnyView {
    let refused = steered.refused.clone();
    let ways = ways(steered);
    let over_time = (!steered.frames.is_empty()).then(|| {
        view! {
            <section class="spaced" aria-labelledby="over-time">
                <h2 id="over-time">"Over the quarter of an hour"</h2>
                {charts(steered::charts(steered))}
            </section>
        }
    });
    let event = (steered.ask.event < 1.0).then(|| {
        let met = if steered.meeting == 0 {
            "at once".to_owned()
        } else {
            let late = Span::from_seconds(f64::from(steered.meeting) * steered.interval_s);
            format!("within {}: until then orders that could not be taken back still held", format::duration(late))
        };
        view! { <p class="soft">"In the middle third the grid leaves " {format::percent(steered.ask.event).to_string()} " of the limit. The cut is met " {met} "."</p> }
    });
    view! {
        <p class="answer">{steered::headline(steered)}</p>
        {event}
        {(!refused.is_empty()).then(|| view! {
            <p>"Policies that the tree can’t carry, and the next lower one taken in their place:"</p>
            <ul class="happened">{refused.into_iter().map(|why| view! { <li>{why}</li> }).collect_view()}</ul>
        })}
        <Tree steered=steered.clone()/>
        {over_time}
        {ways}
    }
    .into_any()
}

/// The tree at one moment, as a picture and line by line, with a slider over the moments.
#[component]
fn Tree(steered: Steered) -> impl IntoView {
    /// Moves while it plays, a second.
    const STEP: usize = 6;
    let last = steered.frames.len().saturating_sub(1);
    let cells = StoredValue::new(steered::cells(&steered.nodes));
    let depths = StoredValue::new(steered::depths(&steered.nodes));
    let steered = StoredValue::new(steered);
    let at = RwSignal::new(last / 2);
    let playing = RwSignal::new(false);
    Effect::new(move |_| {
        browser::every(1, move || {
            if playing.try_get_untracked() == Some(true) {
                at.update(|at| *at = if *at + STEP > last { 0 } else { *at + STEP });
            }
        });
    });
    let value = move |node: usize, of: Of| {
        steered.with_value(|steered| match (of, steered.frames.get(at.get())) {
            (Of::Limit, Some(frame)) if node == 0 => frame.limit_w,
            (Of::Limit, _) => steered.nodes[node].limit_w,
            (Of::Promised, _) => steered.nodes[node].provisioned_w,
            (Of::Capped, Some(frame)) => frame.capped_w[node],
            (Of::Drawn, Some(frame)) => frame.drawn_w[node],
            (Of::Capped | Of::Drawn, None) => 0.0,
        })
    };
    let picture = cells.with_value(|cells| {
        cells.iter().map(|cell| view! { <Node cell=*cell steered value=Signal::derive({ let node = cell.node; move || (value(node, Of::Capped), value(node, Of::Drawn)) })/> }).collect_view()
    });
    let rows = steered.with_value(|steered| {
        steered::order(&steered.nodes).into_iter().map(|node| {
 let own = &steered.nodes[node];
            let depth = depths.with_value(|depths| format!("depth-{}", depths[node].min(6)));
            let cell = move |of: Of| move || power(value(node, of));
            let share = move || { let limit = value(node, Of::Limit); if limit > 0.0 { value(node, Of::Drawn) / limit } else { 0.0 } };
            view! {
                <tr>
                    <th scope="row" class=depth>{own.name.clone()} " " <span class="soft">{steered::what(own)}</span></th>
                    <td class="num">{cell(Of::Drawn)}</td>
<td class="num">{cell(Of::Capped)}</td>
<td class="num">{cell(Of::Limit)}</td>
<td class="num">{cell(Of::Promised)}</td>
<td class="num">{power(own.full_w)}</td>
                    <td class="wide">{move || view! { <Meter share=share()/> }}</td>
                </tr>
            }
        }).collect_view()
    });
    let moment = move || {
        steered.with_value(|steered| {
            let frame = steered.frames.get(at.get())?;
            let more = [(frame.held_back, "held back"), (frame.silent, "silent"), (frame.down, "down")];
            let more = more
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{} {what}", format::things(*count, "rack", "racks")));
            let more: Vec<String> = more.collect();
            let when = format::duration(Span::from_seconds(frame.at_s));
            let tail =
                if more.is_empty() { "no rack gets less than it is promised".to_owned() } else { more.join(", ") };
            Some(format!("After {when}: {} of {}, {tail}", power(frame.drawn_w[0]), power(frame.limit_w)))
        })
    };
    let has_frames = steered.with_value(|steered| !steered.frames.is_empty());
    view! {
        <section class="spaced" aria-labelledby="tree">
            <h2 id="tree">"The tree"</h2>
            {has_frames.then(|| view! {
                <div class="scrub">
                    <button on:click=move |_| playing.update(|playing| *playing = !*playing)>{move || if playing.get() { "Pause" } else { "Play" }}</button>
                    <label><span class="hidden">"Moment"</span><input type="range" min="0" max=last.to_string() prop:value=move || at.get().to_string() aria-valuetext=move || moment().unwrap_or_default()
                        on:input=move |event| { if let Ok(to) = event_target_value(&event).parse::<usize>() { at.set(to.min(last)); } }/></label>
                    <span class="soft" role="status">{move || moment().unwrap_or_default()}</span>
                </div>
            })}
            <div class="scroll" tabindex="0" role="region" aria-label="The tree as a picture">
                <svg class="icicle" viewBox="0 0 1000 420" role="img" aria-label="Each node as high as its full power; filled as far as it is drawn, outlined as far as it is capped">{picture}</svg>
            </div>
            <ul class="key power-key"><li class="drawn">"drawn"</li><li class="capped">"could be drawn: every GPU at its limit"</li><li class="full">"with every GPU at the board’s own limit"</li></ul>
            <div class="scroll" tabindex="0" role="region" aria-label="The tree line by line"><table class="bars">
                <caption>"What goes into each node. Limits of groups are what they can promise with their redundancy kept, losses added. Full power is the sum of parts: boards at their own limits, all else at its busy draw; a rack’s label is more. Capped may be above promised: what some leave is lent to others."</caption>
                <thead><tr><th scope="col">"Node"</th><th scope="col" class="num">"Drawn"</th><th scope="col" class="num">"Capped"</th><th scope="col" class="num">"Limit"</th><th scope="col" class="num">"Promised"</th><th scope="col" class="num">"Full power"</th><th scope="col"><span class="hidden">"Drawn of the limit"</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        </section>
    }
}

/// A figure of a node.
#[derive(Clone, Copy)]
enum Of {
    Limit,
    Promised,
    Capped,
    Drawn,
}

/// One node of the picture: as high as its full power, filled from its foot.
#[component]
fn Node(cell: Cell, steered: StoredValue<Steered>, value: Signal<(f64, f64)>) -> impl IntoView {
    const WIDE: f64 = 1000.0;
    const HIGH: f64 = 420.0;
    /// Least height that has room for a name.
    const NAMED: f64 = 16.0;
    let (name, full, kind) = steered.with_value(|steered| {
        let node = &steered.nodes[cell.node];
        (node.name.clone(), node.full_w, node.what)
    });
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    let (left, top) = (tenths(cell.left * WIDE), tenths(cell.top * HIGH));
    let (wide, high) = (tenths(cell.wide * WIDE - 2.0), tenths((cell.high * HIGH - 1.0).max(0.5)));
    // Cells are too low for most to be filled upright: they fill from the left.
    let share = move |watts: f64| if full > 0.0 { (watts / full).clamp(0.0, 1.0) } else { 0.0 };
    let capped = move || tenths(wide * share(value.get().0));
    let drawn = move || tenths(wide * share(value.get().1));
    let class = if kind == SteeredKind::Fixed { "node fixed" } else { "node" };
    let said = {
        let name = name.clone();
        move || {
            let (capped, drawn) = value.get();
            format!("{name}: {} drawn, {} at worst, {} at full power", power(drawn), power(capped), power(full))
        }
    };
    // As many letters as the cell has room for.
    let room = (wide / 7.0) as usize;
    let short: String = if name.chars().count() <= room {
        name
    } else {
        name.chars().take(room.saturating_sub(1)).chain(['…']).collect()
    };
    view! {
        <g class=class>
            <title>{said}</title>
            <rect class="full" x=left y=top width=wide height=high/>
            <rect class="capped" x=left y=top width=capped height=high/>
            <rect class="drawn" x=left y=top width=drawn height=high/>
            {(high >= NAMED && room > 3).then(|| view! { <text x=left + 5.0 y=top + 13.0>{short}</text> })}
        </g>
    }
}

/// Ways to spend the same power on the same racks.
fn ways(steered: &Steered) -> AnyView {
    let ours = steered.ways.last().map_or(0.0, |way| way.tokens_per_s);
    let rows = steered.ways.iter().map(|way| {
        view! {
            <tr>
                <th scope="row">{way.name.clone()}</th>
                <td class="num">{format::count(way.racks).to_string()}</td>
                <td class="num">{power(way.provisioned_w)}</td>
                <td class="num">{format::token_rate(way.tokens_per_s).to_string()}</td>
                <td class="num">{format::relative_change(ours / way.tokens_per_s.max(1e-9) - 1.0)}</td>
            </tr>
        }
    });
    view! {
        <section class="spaced" aria-labelledby="ways">
            <h2 id="ways">"The same power, spent in other ways"</h2>
            <p class="soft">"At full work, worst case counted, by the closed form of the serving model. Where all racks do the same work, the best limit for each job is one limit for all."</p>
            <div class="scroll" tabindex="0" role="region" aria-label="Ways to spend the power"><table>
                <thead><tr><th scope="col">"Way"</th><th scope="col" class="num">"Racks on"</th><th scope="col" class="num">"Provisioned to racks"</th><th scope="col" class="num">"Tokens a second"</th><th scope="col" class="num">"Steered makes"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table></div>
        </section>
    }
    .into_any()
}
