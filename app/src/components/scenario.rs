//! What a year is run with: its step and seed, and weather, prices, carbon and requests that were brought or are made.

use crate::{api, browser, format, paths};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use model::design::Demand;
use model::id::{DesignId, InputId, LocationId, ModelId};
use model::input::{InputKind, InputSave, StoredInput};
use model::quantity::{Power, Ratio, Temperature};
use model::run::RunRequest;
use std::collections::BTreeSet;

/// Lengths of a step that can be chosen, minutes.
const STEPS: [u32; 3] = [60, 15, 5];

/// The button that starts a year, and everything that it may be run with.
#[component]
pub fn RunWith(
    /// Which design.
    design: DesignId,
    /// Its name, for those who hear the button out of its place.
    #[prop(into)]
    name: Signal<String>,
    /// Where it stands, for reading files.
    location: Signal<LocationId>,
    /// Models that it may serve in place of the design's.
    models: Signal<Vec<(ModelId, String)>>,
    /// Why it can't be run.
    #[prop(into)]
    blocked: Signal<Option<String>>,
) -> impl IntoView {
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    let (step, seed) = (RwSignal::new(STEPS[0]), RwSignal::new(1_u64));
    let chosen: [RwSignal<Option<InputId>>; 4] = std::array::from_fn(|_| RwSignal::new(None));
    let policy = Policy::default();
    let start = Action::new(move |(): &()| {
        let [weather, price, carbon, requests] = chosen.map(|input| input.get_untracked());
        let request = RunRequest {
            step_minutes: step.get_untracked(),
            seed: seed.get_untracked(),
            weather,
            price,
            carbon,
            requests,
            ..policy.put(RunRequest::of(design.clone()))
        };
        api::run_start(request)
    });
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(run)) = start.value().get() {
            navigate(&paths::run(&run), NavigateOptions::default());
        }
    });
    let refused = move || start.value().get().and_then(Result::err).map(|error| error.to_string());
    let blocked = Signal::derive(move || {
        let wrong = policy.wrong.with(|all| all.iter().next().copied());
        blocked.get().or_else(|| wrong.map(|label| format!("{label}: the run's settings hold what can't be.")))
    });
    let idle = move || awake.get() && blocked.with(Option::is_none) && !start.pending().get();
    let brought = move || chosen.iter().filter(|input| input.with(Option::is_some)).count();
    view! {
        <div class="run-year">
            <button class="primary" disabled=move || !idle() on:click=move |_| { start.dispatch(()); }>
                {move || if start.pending().get() { "Starting…" } else { "Run the year" }}
                <span class="hidden">" of " {name}</span>
            </button>
            <label>
                <span class="hidden">"Length of a step"</span>
                <select on:change:target=move |event| step.set(event.target().value().parse().unwrap_or(STEPS[0]))>
                    {STEPS.map(|minutes| view! { <option value=minutes.to_string()>{minutes} "-minute steps"</option> })}
                </select>
            </label>
            <details class="scenario">
                <summary>{move || match (brought(), policy.count()) {
                    (0, 0) => "with made weather, prices and requests".to_owned(),
                    (files, changed) => format!("with {} of your own and {} changed", format::things(files as u32, "file", "files"), format::things(changed, "setting", "settings")),
                }}</summary>
                <div class="float">
                    <p class="soft">"What is not given is made from published statistics of the place. Drop a file on its line, or choose one; it is checked and kept."</p>
                    {InputKind::ALL.into_iter().zip(chosen).map(|(kind, chosen)| view! { <Line kind chosen location/> }).collect_view()}
                    <PolicyFields policy models/>
                    <div class="field"><label for="seed">"Seed"</label><span class="control">
                        <input id="seed" type="number" min="0" step="1" prop:value=move || seed.get().to_string() on:change:target=move |event| seed.set(event.target().value().parse().unwrap_or(1))/>
                    </span><p class="about">"Of everything drawn by chance. The same seed and inputs give the same report."</p></div>
                </div>
            </details>
            <p class="why" role="status">{move || blocked.get().or_else(refused)}</p>
        </div>
    }
}

/// What is changed for one run and stays out of the design: how it is operated, and what is asked of it.
#[derive(Clone, Copy, Default)]
struct Policy {
    power_cap: RwSignal<Option<f64>>,
    supply: RwSignal<Option<f64>>,
    model: RwSignal<Option<ModelId>>,
    peak_share: RwSignal<Option<f64>>,
    /// Names of fields in which something stands that can't be.
    wrong: RwSignal<BTreeSet<&'static str>>,
}

impl Policy {
    fn put(self, request: RunRequest) -> RunRequest {
        RunRequest {
            power_cap: self.power_cap.get_untracked().map(Power::from_watts),
            supply_temperature: self.supply.get_untracked().map(Temperature::from_celsius),
            model: self.model.get_untracked(),
            demand: self.peak_share.get_untracked().map(|share| Demand::PeakShare(Ratio::from_percent(share))),
            ..request
        }
    }

    /// How many settings differ from the design's.
    fn count(self) -> u32 {
        let numbers = [self.power_cap, self.supply, self.peak_share];
        numbers.iter().map(|number| u32::from(number.with(Option::is_some))).sum::<u32>()
            + u32::from(self.model.with(Option::is_some))
    }
}

/// Policy and workload; empty leaves the design's own.
#[component]
fn PolicyFields(policy: Policy, models: Signal<Vec<(ModelId, String)>>) -> impl IntoView {
    let number = |id: &'static str,
                  label: &'static str,
                  unit: &'static str,
                  about: &'static str,
                  (low, high): (f64, f64),
                  value: RwSignal<Option<f64>>| {
        let wrong = RwSignal::new(None::<String>);
        let good = move |number: Option<f64>| {
            wrong.set(None);
            policy.wrong.update(|all| {
                all.remove(label);
            });
            value.set(number);
        };
        let set = move |typed: String| {
            let typed = typed.trim();
            match typed.parse::<f64>() {
                _ if typed.is_empty() => good(None),
                Ok(number) if (low..=high).contains(&number) => good(Some(number)),
                Ok(_) | Err(_) => {
                    wrong.set(Some(format!("{label} must be {low} to {high} {unit}, or empty.")));
                    policy.wrong.update(|all| {
                        all.insert(label);
                    });
                }
            }
        };
        view! {
            <div class="field"><label for=id>{label}</label><span class="control">
                <input id=id type="number" min=low max=high step="any" placeholder="the design's" prop:value=move || value.get().map(|v| v.to_string()).unwrap_or_default()
                    on:change:target=move |event| set(event.target().value())/> <span class="unit">{unit}</span>
            </span><p class="about">{about}</p><p class="why" role="alert">{move || wrong.get()}</p></div>
        }
    };
    let choices = move || {
        models.get().into_iter().map(|(id, name)| view! { <option value=id.to_string()>{name}</option> }).collect_view()
    };
    view! {
        <div class="field"><label for="run-model">"Language model"</label><span class="control">
            <select id="run-model" on:change:target=move |event| policy.model.set(event.target().value().parse().ok())>
                <option value="">"the design's"</option>{choices}
            </select></span></div>
        {number("run-share", "Busiest hour asks for", "% of full work", "Scales the requests. Leave empty for the design's own demand.", (0.0, 1000.0), policy.peak_share)}
        {number("run-cap", "Power limit of each GPU", "W", "For this run alone.", (50.0, 5000.0), policy.power_cap)}
        {number("run-supply", "Water of liquid loops", "°C", "Supply set-point, for this run alone.", (5.0, 60.0), policy.supply)}
    }
}

/// What a kind of file is called, and what is read.
fn words(kind: InputKind) -> (&'static str, &'static str) {
    match kind {
        InputKind::Weather => ("Weather", "EPW, or Open-Meteo CSV"),
        InputKind::Price => ("Prices", "CSV with a time and $/MWh"),
        InputKind::Carbon => ("Carbon", "CSV with g/kWh, or generation by fuel"),
        InputKind::Requests => ("Requests", "Azure trace CSV, Mooncake JSONL, ServeGen rates"),
    }
}

/// One kind of input: made, one that is kept, or a file.
#[component]
fn Line(kind: InputKind, chosen: RwSignal<Option<InputId>>, location: Signal<LocationId>) -> impl IntoView {
    let again = RwSignal::new(0_u32);
    let kept = browser::once_awake(move || {
        again.track();
        async move {
            let all = api::input_list().await.unwrap_or_default();
            all.into_iter().filter(|input| input.kind == kind).collect::<Vec<_>>()
        }
    });
    let said = RwSignal::new(None::<Result<StoredInput, String>>);
    let take = move |name: String, text: Result<String, String>| {
        let text = match text {
            Ok(text) => text,
            Err(why) => return said.set(Some(Err(why))),
        };
        let save = InputSave { kind, name, text, location: Some(location.get_untracked()) };
        spawn_local(async move {
            match api::input_save(save).await {
                Ok(input) => {
                    chosen.set(Some(input.id.clone()));
                    again.update(|n| *n += 1);
                    said.set(Some(Ok(input)));
                }
                Err(error) => said.set(Some(Err(error.to_string()))),
            }
        });
    };
    let (label, formats) = words(kind);
    let id = format!("input-{kind}");
    let choose = move |value: String| {
        chosen.set(value.parse().ok());
        let list = kept.get_untracked().unwrap_or_default();
        said.set(list.into_iter().find(|input| input.id.as_str() == value).map(Ok));
    };
    let options = move || {
        kept.get().unwrap_or_default().into_iter().map(|input| {
        let own = input.id.clone();
        view! { <option value=input.id.to_string() selected=move || chosen.with(|id| id.as_ref() == Some(&own))>{input.name.clone()}</option> }
    }).collect_view()
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <span class="control"><select id=id on:change:target=move |event| choose(event.target().value())>
                <option value="" selected=move || chosen.with(Option::is_none)>"made for the place"</option>{options}
            </select></span>
            <label class="file about-always">{formats} " "
                <input type="file" on:change:target=move |event| browser::read_chosen(&event.target(), kind.bytes_max() as f64, take)/>
            </label>
            {move || said.get().map(|said| match said {
                Ok(input) => summary(input),
                Err(why) => view! { <p class="why" role="alert">{why}</p> }.into_any(),
            })}
        </div>
    }
}

/// What was read in a file: rows, remarks and a preview.
fn summary(input: StoredInput) -> AnyView {
    let report = input.summary.report;
    let remarks = report.remarks.join("; ");
    let pictures = input.summary.series.into_iter().map(|series| {
        let span = (series.max - series.min).max(1e-9);
        let last = series.preview.len().saturating_sub(1).max(1) as f64;
        let points: Vec<String> = series.preview.iter().enumerate().map(|(at, value)| {
            let (x, y) = (at as f64 / last * 200.0, 30.0 - (value - series.min) / span * 28.0);
            // Tenths of a dot are finer than any screen.
            format!("{},{}", (x * 10.0).round() / 10.0, (y * 10.0).round() / 10.0)
        }).collect();
        view! {
            <figure class="preview">
                <svg viewBox="0 0 200 32" preserveAspectRatio="none" role="img" aria-label=format!("The year of {}", series.name)><polyline points=points.join(" ")/></svg>
                <figcaption>{series.name.clone()} ": " {format::mean_count(series.min).to_string()} " to " {format::mean_count(series.max).to_string()} ", mean " {format::mean_count(series.mean).to_string()}</figcaption>
            </figure>
        }
    }).collect_view();
    view! {
        <div class="read" role="status">
            <p>{report.format} ", " {format::count(report.rows).to_string()} " rows, " {report.first} " to " {report.last} ". " {remarks}</p>
            {pictures}
        </div>
    }
    .into_any()
}
