//! How is a model best served on these GPUs: how many tokens, how fast for a user, at how many watts, and how sure is that?

use crate::api;
use crate::components::chart::Chart;
use crate::components::failure::Loaded;
use crate::components::figure::{Kpi, Meter, Number};
use crate::components::question::{Misreadings, Question};
use crate::components::serving::ServingTabs;
use crate::replayed::ENGINES;
use crate::serving::{self, ServingAsk, ServingShown};
use crate::{format, paths};
use chart::{Axis, Cloud, Curve, Role, Scale, Scatter, scatter, scatter_narrow};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::design::Precision;
use model::quantity::Power;
use sim::serving::predict::Prediction;
use sim::serving::search::{Answer, Configuration, Goal};

/// The page. The address holds the question.
#[component]
pub fn ServingPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| ServingAsk::of(|key| query.read().get(key)));
    let shown = Resource::new(move || asked.get(), api::serving);
    view! {
        <Title text="Serving"/>
        <ServingTabs/>
        <h1>"Serving"</h1>
        <p class="lead">"Which way of dividing a model over GPUs makes most of them, within what users are promised. Tokens are output tokens; predictions are of a model that stands beside " <a href=paths::MODELS>"every public point"</a> " that says how it was measured."</p>
        <Loaded resource=shown noun="the answer" show=page/>
    }
}

fn page(shown: ServingShown) -> AnyView {
    let answer = match (&shown.answer, &shown.refused) {
        (Some(found), _) => found_view(&shown, found),
        (None, why) => view! {
            <section class="failure">
                <h2>"No way was found"</h2>
                <p>{why.clone().unwrap_or_default()} "."</p>
                <p class="soft">"Give it more GPUs, a smaller number format, or more time."</p>
            </section>
        }
        .into_any(),
    };
    view! { <Misreadings of=shown.ask.misread.clone()/> <Asked shown/> {answer} }.into_any()
}

/// The form that the address is made of.
#[component]
fn Asked(shown: ServingShown) -> impl IntoView {
    let ask = shown.ask.clone();
    let options = |list: Vec<(String, String)>, chosen: String| {
        list.into_iter()
            .map(|(id, name)| {
                let selected = id == chosen;
                view! { <option value=id selected=selected>{name}</option> }
            })
            .collect_view()
    };
    let own = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    let formats = Precision::ALL.map(|format| (format.name().to_owned(), format.words().to_owned())).to_vec();
    let goals = Goal::ALL.map(|goal| (goal.name().to_owned(), serving::goal(goal).to_owned())).to_vec();
    view! {
        <Question action=paths::SERVING label="What is to be served">
            <label>"Model" <select name="model">{options(shown.models, ask.model)}</select></label>
            <label>"GPU" <select name="gpu">{options(shown.gpus, ask.gpu)}</select></label>
            <label>"GPUs in all" <input type="number" name="count" min="1" max="100000" value=ask.count/></label>
            <label>"Number format" <select name="precision">{options(formats, ask.precision.name().to_owned())}</select></label>
            <label>"Engine" <select name="engine">{options(own(&ENGINES), ask.engine)}</select></label>
            <label>"Prompt, tokens" <input type="number" name="input" min="1" max="10000000" value=ask.input/></label>
            <label>"Answer, tokens" <input type="number" name="output" min="1" max="10000000" value=ask.output/></label>
            <label>"First token within, ms" <input type="number" name="ttft" min="0.001" step="any" value=ask.ttft_ms/></label>
            <label>"Between tokens, ms" <input type="number" name="tpot" min="0.001" step="any" value=ask.tpot_ms/></label>
            <label>"Best is" <select name="goal">{options(goals, ask.goal.name().to_owned())}</select></label>
            <label>"PUE" <input type="number" name="pue" min="1" max="5" step="any" value=ask.pue/></label>
            <label>"Energy, $/kWh" <input type="number" name="energy" min="0" max="10" step="any" value=ask.usd_per_kwh/></label>
            <button type="submit">"Find the best way"</button>
        </Question>
    }
}

fn found_view(shown: &ServingShown, answer: &Answer) -> AnyView {
    let best = answer.best.clone();
    let at = shown.at.clone();
    view! {
        <p class="answer">{serving::headline(shown, &best)}</p>
        <p class="soft">{serving::configuration(&best)} ", " {format::things(best.batch, "request", "requests")} " at once in each" {limit(&best)} ". " {serving::left_over(shown.ask.count, &best)}</p>
        <Kpis best=best.clone()/>
        <section class="spaced" aria-labelledby="frontier">
            <h2 id="frontier">"What a user sees against what a GPU and a megawatt make"</h2>
            <p class="soft">"The ring is the best way within the targets. Measured points, where there are any, are of any engine and number of GPUs: most lie below the frontier."</p>
            {frontier(shown, answer)}
        </section>
        {at.map(|at| { let energy = serving::energy(&best, &at); view! { <Spent at energy/> } })}
        <section aria-labelledby="ways"><h2 id="ways">"Other ways"</h2>{ways(answer)}</section>
        <Definitions pue=shown.ask.pue/>
    }
    .into_any()
}

fn limit(best: &Configuration) -> String {
    format!(", a power limit of {} on each GPU", format::power(Power::from_watts(best.power_cap_w)))
}

#[component]
fn Kpis(best: Configuration) -> impl IntoView {
    let band = format!(
        "90% of measured points would lie between {} and {}",
        format::token_rate(best.output_tokens_per_s_per_gpu_low),
        format::token_rate(best.output_tokens_per_s_per_gpu_high)
    );
    view! {
        <dl class="kpis">
            <Kpi label="Of each GPU" detail=band><Number figure=format::token_rate(best.output_tokens_per_s_per_gpu)/></Kpi>
            <Kpi label="Tokens per megawatt" detail="of the facility: boards, the rest of the node, and PUE">
                <Number figure=format::tokens_per_megawatt(best.output_tokens_per_s_per_facility_mw)/>
            </Kpi>
            <Kpi label="Per megawatt of GPU boards" detail="the boards alone: what benchmarks often call a megawatt">
                <Number figure=format::tokens_per_megawatt(best.output_tokens_per_s_per_board_mw)/>
            </Kpi>
            <Kpi label="First token" detail="mean, queueing included"><Number figure=format::milliseconds(best.ttft_ms)/></Kpi>
            <Kpi label="Between tokens" detail=format!("{} for a user", format::token_rate(best.output_tokens_per_s_per_user))>
                <Number figure=format::milliseconds(best.tpot_ms)/>
            </Kpi>
            <Kpi label="Board power" detail="of one GPU, mean"><Number figure=format::power(Power::from_watts(best.gpu_power_w))/></Kpi>
            <Kpi label="Cost" detail="of a million output tokens: nodes over four years, and energy">
                <Number figure=format::price_per_million(best.usd_per_million_output_tokens)/>
            </Kpi>
        </dl>
    }
}

/// The frontier with its band: of a GPU, measured points beside it; and of a megawatt.
fn frontier(shown: &ServingShown, answer: &Answer) -> AnyView {
    let near = |point: &&model::validation::ValidationPoint| {
        let alike = |a: f64, b: f64| (0.5..=2.0).contains(&(a / b.max(1.0)));
        alike(point.input, f64::from(shown.ask.input)) && alike(point.output, f64::from(shown.ask.output))
    };
    let measured: Vec<(f64, f64)> =
        shown.measured.iter().filter(near).map(|p| (1e3 / p.tpot_ms, p.tokens_per_s_per_gpu())).collect();
    let of_gpu = |c: &Configuration| c.output_tokens_per_s_per_gpu;
    let of_megawatt = |c: &Configuration| c.output_tokens_per_s_per_facility_mw;
    let gpu = Side {
        up: "Output tokens a second of each GPU",
        title: ends(answer, |c| format::token_rate(of_gpu(c)).to_string(), "of a GPU"),
        words: &|value| format::token_rate(value).to_string(),
        measured: &measured,
    };
    let megawatt = Side {
        up: "Output tokens a second of a facility megawatt",
        title: ends(answer, |c| format::tokens_per_megawatt(of_megawatt(c)).to_string(), "of the facility"),
        words: &|value| format::token_rate(value).to_string(),
        measured: &[],
    };
    let none = measured.is_empty();
    let pictures = (gpu.picture(answer, of_gpu), megawatt.picture(answer, of_megawatt));
    let tables = (table(answer), table(answer));
    view! {
        <div class="pair">
            <Chart title=gpu.title.clone() svg=pictures.0.0 narrow=pictures.0.1>{tables.0}</Chart>
            <Chart title=megawatt.title.clone() svg=pictures.1.0 narrow=pictures.1.1>{tables.1}</Chart>
        </div>
        {none.then(|| view! { <p class="soft">"No public measurement of this GPU with this model in this format and of such lengths is at hand, so the curve stands alone."</p> })}
    }
    .into_any()
}

/// Both ends of the frontier, in a sentence.
fn ends(answer: &Answer, words: impl Fn(&Configuration) -> String, of: &str) -> String {
    let user = |c: &Configuration| format::token_rate(c.output_tokens_per_s_per_user).to_string();
    match (answer.frontier.first(), answer.frontier.last()) {
        (Some(slow), Some(fast)) if answer.frontier.len() > 1 => {
            format!("From {} {of} at {} for a user, to {} at {}", words(slow), user(slow), words(fast), user(fast))
        }
        _ => "One way alone meets the targets".to_owned(),
    }
}

/// One of the two pictures.
struct Side<'a> {
    up: &'a str,
    title: String,
    words: &'a dyn Fn(f64) -> String,
    measured: &'a [(f64, f64)],
}

impl Side<'_> {
    /// For a wide screen and for a narrow one.
    fn picture(&self, answer: &Answer, of: impl Fn(&Configuration) -> f64) -> (String, String) {
        let point = |c: &Configuration| {
            let (low, high) = (c.output_tokens_per_s_per_gpu_low, c.output_tokens_per_s_per_gpu_high);
            let (value, rate) = (of(c), c.output_tokens_per_s_per_gpu);
            (c.output_tokens_per_s_per_user, value, value * low / rate, value * high / rate)
        };
        let points: Vec<(f64, f64, f64, f64)> = answer.frontier.iter().map(point).collect();
        let user = |value: f64| format::token_rate(value).to_string();
        let picture = Scatter {
            across: Axis { name: "Tokens a second that one user sees", scale: Scale::Decades, words: &user },
            up: Axis { name: self.up, scale: Scale::Decades, words: self.words },
            clouds: &[Cloud {
                name: "measured, lengths within a factor of two",
                role: Role::Heat,
                points: self.measured,
            }],
            curves: &[Curve { name: "predicted frontier and its band", role: Role::Tokens, points: &points }],
            chosen: Some((answer.best.output_tokens_per_s_per_user, of(&answer.best))),
            diagonal: false,
        };
        (scatter(&picture, &self.title), scatter_narrow(&picture, &self.title))
    }
}

fn table(answer: &Answer) -> AnyView {
    let rows = answer.frontier.clone();
    view! {
        <table>
            <thead><tr><th scope="col">"Way"</th><th scope="col" class="num">"A user sees"</th><th scope="col" class="num">"Of each GPU"</th><th scope="col" class="num">"Per facility megawatt"</th></tr></thead>
            <tbody>{rows.into_iter().map(|c| view! {
                <tr>
                    <td>{serving::configuration(&c)}</td>
                    <td class="num">{format::token_rate(c.output_tokens_per_s_per_user).to_string()}</td>
                    <td class="num">{format::token_rate(c.output_tokens_per_s_per_gpu).to_string()}</td>
                    <td class="num">{format::tokens_per_megawatt(c.output_tokens_per_s_per_facility_mw).to_string()}</td>
                </tr>
            }).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

/// Where the time and the watts go.
#[component]
fn Spent(at: Prediction, energy: String) -> impl IntoView {
    let parts = serving::spent(&at);
    let total: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    let rows = parts.into_iter().map(move |(name, seconds)| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num">{format::milliseconds(seconds * 1e3).to_string()}</td>
                <td class="num">{format::percent(seconds / total).to_string()}</td>
                <td class="wide"><Meter share=seconds / total/></td>
            </tr>
        }
    });
    let draw = at.draw;
    view! {
        <section class="spaced" aria-labelledby="spent">
            <h2 id="spent">"Where the time and the watts go"</h2>
            <p>"A step, in which every running request gets a token, is bound by " {at.binds.name()} ". Prompts take " {format::percent(at.served.prefill_share).to_string()} " of a replica's time when it computes them itself."</p>
            <div class="scroll"><table>
                <caption>"One step of the best way's answers"</caption>
                <thead><tr><th scope="col">"Spent on"</th><th scope="col" class="num">"Time"</th><th scope="col" class="num">"Share"</th><th scope="col"><span class="hidden">"Share as a bar"</span></th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table></div>
            <p>"A GPU board draws " {format::power(Power::from_watts(draw.decode_power_w)).to_string()} " while it answers and " {format::power(Power::from_watts(draw.prefill_power_w)).to_string()} " while it computes prompts. " {energy}</p>
            <p class="soft">{serving::sureness(&at)} " " {serving::assumed(&at)}</p>
        </section>
    }
}

fn ways(answer: &Answer) -> AnyView {
    let rows = answer.others.clone().into_iter().map(|c| {
        view! {
            <tr>
                <th scope="row">{serving::configuration(&c)}</th>
                <td class="num">{format::things(c.batch, "request", "requests")}</td>
                <td class="num">{format::power(Power::from_watts(c.power_cap_w)).to_string()}</td>
                <td class="num">{format::token_rate(c.output_tokens_per_s_per_gpu).to_string()}</td>
                <td class="num">{format::milliseconds(c.ttft_ms).to_string()}</td>
                <td class="num">{format::milliseconds(c.tpot_ms).to_string()}</td>
                <td class="num">{format::tokens_per_megawatt(c.output_tokens_per_s_per_facility_mw).to_string()}</td>
                <td class="num">{format::price_per_million(c.usd_per_million_output_tokens).to_string()}</td>
                <td>{c.binds.name()}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Other ways">
            <table>
                <caption>"The best of each way to divide the work, the best first, of " {format::count(answer.tried).to_string()} " configurations tried."</caption>
                <thead><tr>
                    <th scope="col">"Way"</th><th scope="col" class="num">"At once in each"</th><th scope="col" class="num">"Power limit"</th>
                    <th scope="col" class="num">"Of each GPU"</th><th scope="col" class="num">"First token"</th><th scope="col" class="num">"Between tokens"</th>
                    <th scope="col" class="num">"Per facility megawatt"</th><th scope="col" class="num">"A million tokens"</th><th scope="col">"Bound by"</th>
                </tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Definitions(pue: f64) -> impl IntoView {
    view! {
        <section aria-labelledby="definitions">
            <h2 id="definitions">"What is counted"</h2>
            <dl class="figures">
                <div><dt>"Tokens"</dt><dd>"output tokens; those of prompts are not counted"</dd></div>
                <div><dt>"First token"</dt><dd>"mean time from sending a request to its first token (TTFT), in closed loop: so many requests at once, each followed by the next"</dd></div>
                <div><dt>"Between tokens"</dt><dd>"(last token − first token) / (output tokens − 1) (TPOT), prompts computed in between included"</dd></div>
                <div><dt>"Facility megawatt"</dt><dd>"GPU boards and the rest of their node, times a PUE of " {format::quotient(pue).to_string()}</dd></div>
                <div><dt>"Divided"</dt><dd>"tensor: each matrix over GPUs; pipeline: layers in stages; data: requests over groups; expert: whole experts over GPUs"</dd></div>
            </dl>
        </section>
    }
}
