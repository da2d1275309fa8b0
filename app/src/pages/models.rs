//! How well does the serving model foretell what was measured, and where is it weak?

use crate::api;
use crate::asked::Misread;
use crate::components::chart::Chart;
use crate::components::failure::Loaded;
use crate::components::figure::{Kpi, Number};
use crate::components::question::{Misreadings, Question};
use crate::components::serving::ServingTabs;
use crate::replayed::ENGINES;
use crate::{format, paths};
use chart::{Axis, Cloud, Role, Scale, Scatter, scatter, scatter_narrow};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::quantity::Span;
use model::validation::{BandRow, ErrorRow, Validation, ValidationPoint};
use std::collections::BTreeSet;

/// The page. The address holds which GPU and model are looked at.
#[component]
pub fn ModelsPage() -> impl IntoView {
    let query = use_query_map();
    let chosen = Memo::new(move |_| {
        let get = |key: &str| query.read().get(key).unwrap_or_default();
        (get("gpu"), get("model"))
    });
    let report = Resource::new(|| (), |()| api::validation());
    view! {
        <Title text="Predicted and measured"/>
        <ServingTabs/>
        <h1>"Predicted and measured"</h1>
        <p class="lead">"Every public point that says how it was measured, beside what the serving model says of it; and how far off it is on GPUs and models that the fit was not shown."</p>
        <Loaded resource=report noun="the report" show=move |report| page(report, chosen)/>
    }
}

fn page(report: Validation, chosen: Memo<(String, String)>) -> AnyView {
    let all = report.errors.iter().find(|row| row.gpu.is_empty() && row.model.is_empty()).cloned();
    let held = report.bands.clone();
    let not_shown = not_shown(&report);
    let report = StoredValue::new(report);
    view! {
        {all.map(|row| view! { <Overall row/> })}
        {move || {
            let (gpu, model) = chosen.get();
            report.with_value(|report| filtered(report, (&gpu, &model)))
        }}
        <section aria-labelledby="held">
            <h2 id="held">"Whether error bands hold"</h2>
            <BandTable rows=held/>
        </section>
        <section class="spaced" aria-labelledby="weak">
            <h2 id="weak">"Where it is weak"</h2>
            <ul>
                <li>"The band of a mixture of experts that was not measured is made of two models alone, which lean opposite ways: widened until each would have held the other. More models would have to confirm it."</li>
                <li>"The first token's time. Rows do not say how engines were set, so settings that let prompts wait are taken from InferenceX's public scripts. DeepSeek-R1 waits longer for it than anything else in the sample tells: left out, it is predicted too short. Errors of first tokens and rates leave out 29 points of SGLang whose first tokens waited 5 to 9 s for kernels to be compiled; the pictures and the bands hold them."</li>
                <li>"Mixtures of experts on an engine or GPU that was not measured; rows that do not say whether the model's own heads drafted tokens."</li>
                <li>"Deployments that compute prompts and answers apart without saying how many workers they have are answered within a factor of two to three."</li>
                <li>"Small models on eight GPUs at many requests: the client's and the host's time, which rows do not tell, decides there."</li>
            </ul>
            <p class="soft">{not_shown}</p>
            <p class="soft">"Points: aiconfigurator's public silicon sample (Apache-2.0), H100 and B200, as far as GPUs and requests at once are told. Lengths of InferenceX rows are drawn from 80 to 100% of nominal, so their means are used. Fitted by least squares of logarithms with priors from physics; made anew by “make calibrate”."</p>
        </section>
    }
    .into_any()
}

/// Rows of the sample that are no points here, in a sentence.
fn not_shown(report: &Validation) -> String {
    let rows = |(count, why): &(u32, String)| format!("{} ({why})", format::count(*count));
    let all: u32 = report.left_out.iter().map(|(count, _)| count).sum();
    format!(
        "Of the sample’s {} rows {} are not among the points, as nothing can be fitted to what is not told: {}. “predict” answers them too, prompts apart with a wider band.",
        format::count(all + report.points.len() as u32),
        format::count(all),
        report.left_out.iter().map(rows).collect::<Vec<_>>().join(", ")
    )
}

/// All that the address filters: the pictures and both tables.
fn filtered(report: &Validation, asked: (&str, &str)) -> AnyView {
    let names = [measured(report, |point| &point.gpu), measured(report, |point| &point.model)];
    let mut misread = Vec::new();
    let gpu = known(("gpu", "GPU"), asked.0, &names[0], &mut misread);
    let model = known(("model", "Model"), asked.1, &names[1], &mut misread);
    let of = |row: &&ErrorRow| alike(gpu, &row.gpu) && alike(model, &row.model);
    let rows = |is_left_out: bool| -> Vec<ErrorRow> {
        // A fit that left out a model is of all GPUs, so a GPU's filter is met by those that left it out alone.
        let kind = |row: &&ErrorRow| {
            row.left_out.is_empty() != is_left_out && (is_left_out || !(row.gpu.is_empty() && row.model.is_empty()))
        };
        report.errors.iter().filter(kind).filter(of).cloned().collect()
    };
    let named = |rows: Vec<ErrorRow>| rows.into_iter().map(|row| (row_words(report, &row), row)).collect::<Vec<_>>();
    let (left_out, groups) = (named(rows(true)), named(rows(false)));
    let [gpus, models] = names;
    let choices = (options(report, "every GPU", gpus, gpu), options(report, "every model", models, model));
    let hint = shown_words(report.name_of(gpu), report.name_of(model));
    view! {
        <Misreadings of=misread/>
        <Question action=paths::MODELS label="Which points">
            <label>"GPU" <select name="gpu">{choices.0}</select></label>
            <label>"Model" <select name="model">{choices.1}</select></label>
            <button type="submit">"Show these"</button>
            <span class="hint">{hint}</span>
        </Question>
        <section class="spaced" aria-labelledby="unseen">
            <h2 id="unseen">"What the fit was not shown"</h2>
            <p>"Each GPU and each model is left out in turn, the fit made anew without it, and its points predicted. This is what a GPU or a model that was never measured must expect; the error bands are made of it."</p>
            <Table rows=left_out caption="Errors on what was left out"/>
        </section>
        <section aria-labelledby="points">
            <h2 id="points">"Point by point"</h2>
            {points(report, gpu, model)}
        </section>
        <section aria-labelledby="groups">
            <h2 id="groups">"By GPU, model, engine and number format"</h2>
            <Table rows=groups caption="Errors on the points that were fitted"/>
        </section>
    }
    .into_any()
}

fn alike(asked: &str, own: &str) -> bool {
    asked.is_empty() || asked == own
}

/// Names that points have, each once.
fn measured(report: &Validation, name: impl Fn(&ValidationPoint) -> &String) -> Vec<String> {
    let all: BTreeSet<&String> = report.points.iter().map(name).collect();
    all.into_iter().cloned().collect()
}

/// A name that points have; none, which is told, where they have it not.
fn known<'a>((key, name): (&str, &str), asked: &'a str, names: &[String], misread: &mut Vec<Misread>) -> &'a str {
    if asked.is_empty() || names.iter().any(|own| own == asked) {
        return asked;
    }
    misread.push(Misread {
        key: key.to_owned(),
        name: name.to_owned(),
        given: asked.to_owned(),
        allowed: format!("one that was measured: {}", names.join(", ")),
        used: "Every one".to_owned(),
    });
    ""
}

fn options(report: &Validation, every: &'static str, names: Vec<String>, chosen: &str) -> impl IntoView + use<> {
    let option = |id: String| {
        let (selected, name) = (id == chosen, report.name_of(&id).to_owned());
        view! { <option value=id selected=selected>{name}</option> }
    };
    let names = names.into_iter().map(option).collect_view();
    view! { <option value="" selected=chosen.is_empty()>{every}</option> {names} }
}

/// What the filter leaves, in a sentence.
fn shown_words(gpu: &str, model: &str) -> String {
    let of = match (gpu, model) {
        ("", "") => return "The pictures and both tables are of every point.".to_owned(),
        (gpu, "") => format!("of {gpu}"),
        ("", model) => format!("of {model}"),
        (gpu, model) => format!("of {model} on {gpu}"),
    };
    format!("The pictures and both tables are {of} alone; the figures above are of every point.")
}

#[component]
fn Overall(row: ErrorRow) -> impl IntoView {
    let detail = |[_, bias, median]: [f64; 3]| {
        format!("half of the points within {}; on average {}", format::percent(median / 100.0), leaning(bias))
    };
    view! {
        <dl class="kpis">
            <Kpi label="Time between tokens" detail=detail(row.tpot)><Number figure=format::percent(row.tpot[0] / 100.0)/></Kpi>
            <Kpi label="Time to first token" detail=detail(row.ttft)><Number figure=format::percent(row.ttft[0] / 100.0)/></Kpi>
            <Kpi label="Output tokens of a GPU" detail=detail(row.rate)><Number figure=format::percent(row.rate[0] / 100.0)/></Kpi>
            <Kpi label="Points" detail="that were fitted"><Number figure=format::count(row.points)/></Kpi>
        </dl>
        <p class="soft">"Mean absolute error on the points that were fitted."</p>
    }
}

/// A bias in words.
fn leaning(bias: f64) -> String {
    if bias.abs() < 0.05 {
        "even".to_owned()
    } else if bias > 0.0 {
        format!("{} too much", format::percent(bias / 100.0))
    } else {
        format!("{} too little", format::percent(-bias / 100.0))
    }
}

/// What the points of a row are of.
fn row_words(report: &Validation, row: &ErrorRow) -> String {
    let (gpu, model) = (report.name_of(&row.gpu), report.name_of(&row.model));
    match row.left_out.as_str() {
        "gpu" => format!("GPU {gpu} left out"),
        "model" => format!("Model {model} left out"),
        "each-model" => "All models, each left out in turn".to_owned(),
        "each-dense-model" => "Of them dense models".to_owned(),
        "each-mixture" => "Of them mixtures of experts".to_owned(),
        "each-gpu" => "All GPUs, each left out in turn".to_owned(),
        _ => format!("{gpu} · {model} · {} · {}", engine_words(&row.engine), row.format),
    }
}

/// An engine's name for people.
fn engine_words(engine: &str) -> &str {
    ENGINES.iter().find(|(name, _)| *name == engine).map_or(engine, |(_, words)| words)
}

#[component]
fn Table(
    /// Rows, each with what its points are of.
    rows: Vec<(String, ErrorRow)>,
    caption: &'static str,
) -> impl IntoView {
    let cell = |[mean, bias, _]: [f64; 3]| {
        view! { <td class="num">{format::percent(mean / 100.0).to_string()} <span class="soft description">{leaning(bias)}</span></td> }
    };
    let row = move |(name, row): (String, ErrorRow)| {
        let link = paths::models(&row.gpu, &row.model);
        view! {
            <tr>
                <th scope="row"><a href=link>{name}</a></th>
                <td class="num">{format::count(row.points).to_string()}</td>
                {cell(row.tpot)} {cell(row.ttft)} {cell(row.rate)}
            </tr>
        }
    };
    if rows.is_empty() {
        return view! { <p class="empty">"None of these rows is of what is chosen above."</p> }.into_any();
    }
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=caption>
            <table>
                <caption>{caption} ": mean absolute, and whether too much or too little is predicted."</caption>
                <thead><tr>
                    <th scope="col">"Points of"</th><th scope="col" class="num">"Points"</th><th scope="col" class="num">"Between tokens"</th>
                    <th scope="col" class="num">"First token"</th><th scope="col" class="num">"Tokens of a GPU"</th>
                </tr></thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// What bands of 90% held of points that they were made without.
#[component]
fn BandTable(rows: Vec<BandRow>) -> impl IntoView {
    let words = |row: &BandRow| {
        let kind = if row.kind == "Experts" { "Mixtures of experts" } else { "Dense models" };
        let what = match row.known.as_str() {
            "GpuAlone" => "model not measured",
            "ModelAlone" => "GPU not measured",
            _ => "neither measured",
        };
        (kind, what)
    };
    let mut sorts: Vec<(&'static str, &'static str)> = Vec::new();
    for row in &rows {
        let sort = words(row);
        if !sorts.contains(&sort) {
            sorts.push(sort);
        }
    }
    // In the mean of what was left out, and the least and most that one held.
    let cell = |sort: (&str, &str), figure: &str| {
        let of = rows.iter().filter(|row| words(row) == sort && row.figure == figure);
        let shares: Vec<f64> = of.map(|row| f64::from(row.inside) / f64::from(row.points.max(1))).collect();
        let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        let (low, high) =
            shares.iter().fold((1.0_f64, 0.0_f64), |(low, high), share| (low.min(*share), high.max(*share)));
        let reach = format!("{} to {} of each", format::percent(low), format::percent(high));
        view! { <td class="num">{format::percent(mean).to_string()} <span class="soft description">{reach}</span></td> }
    };
    let body = sorts
        .into_iter()
        .map(|sort| {
            view! {
                <tr>
                    <th scope="row">{sort.0} ", " {sort.1}</th>
                    {cell(sort, "tpot")} {cell(sort, "ttft")} {cell(sort, "rate")}
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="What error bands held">
            <table>
                <caption>"Do bands of 90% hold 90%? Each band is made anew without one GPU or model, and tried on its points: the share inside, in the mean. How far bands are widened was chosen for that mean."</caption>
                <thead><tr>
                    <th scope="col">"Band of"</th><th scope="col" class="num">"Between tokens"</th>
                    <th scope="col" class="num">"First token"</th><th scope="col" class="num">"Tokens of a GPU"</th>
                </tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
}

/// Predicted against measured, of one GPU and model or of all.
fn points(report: &Validation, gpu: &str, model: &str) -> AnyView {
    let of = |point: &&ValidationPoint| alike(gpu, &point.gpu) && alike(model, &point.model);
    let seen: Vec<ValidationPoint> = report.points.iter().filter(of).cloned().collect();
    let what = match (report.name_of(gpu), report.name_of(model)) {
        ("", "") => "All points".to_owned(),
        (gpu, "") => format!("Points of {gpu}"),
        ("", model) => format!("Points of {model}"),
        (gpu, model) => format!("Points of {model} on {gpu}"),
    };
    if seen.is_empty() {
        return view! { <p class="empty">{what} ": there are none. " <a href=paths::MODELS>"Show all"</a></p> }
            .into_any();
    }
    let all = (!gpu.is_empty() || !model.is_empty())
        .then(|| view! { <p class="actions"><a href=paths::MODELS>"Show all points"</a></p> });
    let within = |ratio: f64| (0.8..=1.25).contains(&ratio);
    let good = seen.iter().filter(|p| within(p.predicted_tpot_ms / p.tpot_ms)).count() as f64 / seen.len() as f64;
    let title = format!("{what}: {} of their times between tokens are predicted within a fifth", format::percent(good));
    let first_good = seen.iter().filter(|p| within(p.predicted_ttft_ms / p.ttft_ms)).count() as f64 / seen.len() as f64;
    let first = format!(
        "{what}: {} of their times to the first token are predicted within a fifth",
        format::percent(first_good)
    );
    let tpot = picture(&seen, &title, |p| (p.tpot_ms, p.predicted_tpot_ms));
    let ttft = picture(&seen, &first, |p| (p.ttft_ms, p.predicted_ttft_ms));
    let mut worst = seen;
    worst.sort_by(|a, b| off(b).total_cmp(&off(a)));
    worst.truncate(12);
    let named = |point: ValidationPoint| ValidationPoint {
        gpu: report.name_of(&point.gpu).to_owned(),
        model: report.name_of(&point.model).to_owned(),
        engine: engine_words(&point.engine).to_owned(),
        ..point
    };
    let worst: Vec<ValidationPoint> = worst.into_iter().map(named).collect();
    let rows = move || worst.clone().into_iter().map(row).collect_view();
    let (table, again) = (rows.clone(), rows);
    view! {
        {all}
        <div class="pair">
            <Chart title svg=tpot.0 narrow=tpot.1><WorstTable>{table()}</WorstTable></Chart>
            <Chart title=first svg=ttft.0 narrow=ttft.1><WorstTable>{again()}</WorstTable></Chart>
        </div>
    }
    .into_any()
}

/// How far off a point is, in either way.
fn off(point: &ValidationPoint) -> f64 {
    let ratio = point.predicted_tpot_ms / point.tpot_ms;
    ratio.max(1.0 / ratio.max(1e-9))
}

#[component]
fn WorstTable(children: Children) -> impl IntoView {
    view! {
        <table>
            <caption>"The dozen points whose time between tokens is furthest off."</caption>
            <thead><tr>
                <th scope="col">"Point"</th><th scope="col" class="num">"At once"</th><th scope="col" class="num">"Between tokens, measured"</th>
                <th scope="col" class="num">"predicted"</th><th scope="col" class="num">"First token, measured"</th><th scope="col" class="num">"predicted"</th>
            </tr></thead>
            <tbody>{children()}</tbody>
        </table>
    }
}

fn row(p: ValidationPoint) -> impl IntoView {
    let gpus = format::things(p.tensor * p.data, "GPU", "GPUs");
    let lengths = format!("{} in, {} out", format::tokens(p.input), format::tokens(p.output));
    view! {
        <tr>
            <th scope="row">{p.model} " on " {gpus} " " {p.gpu} <span class="soft description">{p.engine} ", " {p.format} ", " {lengths}</span></th>
            <td class="num">{format::mean_count(p.concurrency).to_string()}</td>
            <td class="num">{format::milliseconds(p.tpot_ms).to_string()}</td>
            <td class="num">{format::milliseconds(p.predicted_tpot_ms).to_string()}</td>
            <td class="num">{format::milliseconds(p.ttft_ms).to_string()}</td>
            <td class="num">{format::milliseconds(p.predicted_ttft_ms).to_string()}</td>
        </tr>
    }
}

/// For a wide screen and for a narrow one.
fn picture(points: &[ValidationPoint], title: &str, pair: impl Fn(&ValidationPoint) -> (f64, f64)) -> (String, String) {
    let of = |engine: &str| -> Vec<(f64, f64)> { points.iter().filter(|p| p.engine == engine).map(&pair).collect() };
    let (trt, vllm, sglang) = (of("trtllm"), of("vllm"), of("sglang"));
    let words = |value: f64| {
        if value < 1e4 {
            format::milliseconds(value).to_string()
        } else {
            format::duration(Span::from_seconds(value / 1e3))
        }
    };
    let axis = |name| Axis { name, scale: Scale::Decades, words: &words };
    let chart = Scatter {
        across: axis("Measured"),
        up: axis("Predicted"),
        clouds: &[
            Cloud { name: "TensorRT-LLM", role: Role::Tokens, points: &trt },
            Cloud { name: "vLLM", role: Role::Power, points: &vllm },
            Cloud { name: "SGLang", role: Role::Heat, points: &sglang },
        ],
        curves: &[],
        chosen: None,
        diagonal: true,
    };
    (scatter(&chart, title), scatter_narrow(&chart, title))
}
