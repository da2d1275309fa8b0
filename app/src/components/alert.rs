//! Alerts: what is wrong, where, since when, what happens if nobody acts and what to do; who took it on; silences, rules and
//! what was.

use crate::alarms::{self, Proposed};
use crate::components::workshop::units;
use crate::{api, browser, format, paths};
use leptos::prelude::*;
use model::alert::{
    About, Alert, AlertKey, AlertState, Delivery, Matcher, Rule, Severity, Silence, SilenceCreate, Transition,
};

/// The name under which the browser keeps who is at the keys.
const OWNER: &str = "owner";
/// Ends that a silence may have, milliseconds from now.
const ENDS: [i64; 6] = [3_600_000, 14_400_000, 43_200_000, 86_400_000, 259_200_000, 604_800_000];

/// What a person is about to do, and to which alert.
#[derive(Debug, Clone, PartialEq)]
pub enum Doing {
    /// Nothing.
    Nothing,
    /// Takes it on.
    Ack(Box<Alert>),
    /// Silences it, and what is like it.
    Silence(Box<Alert>),
}

/// What a person can do. It lives as long as the page, so that what became of it is told though the list has changed.
#[derive(Clone, Copy)]
pub struct Deeds {
    /// What they are about to do.
    pub doing: RwSignal<Doing>,
    /// Gives an alert back.
    pub give: Action<AlertKey, Result<(), api::ApiError>>,
    /// Ends a silence.
    pub end: Action<String, Result<(), api::ApiError>>,
    /// Asks for the alerts again.
    pub changed: Callback<()>,
}

impl Deeds {
    /// Those of a page that asks again by `changed`.
    pub fn of(changed: Callback<()>) -> Self {
        let give = Action::new(|key: &AlertKey| api::alert_unack(key.clone()));
        let end = Action::new(|id: &String| api::alert_silence_end(id.clone()));
        Effect::new(move |_| {
            if matches!(give.value().get(), Some(Ok(()))) || matches!(end.value().get(), Some(Ok(()))) {
                changed.run(());
            }
        });
        Self { doing: RwSignal::new(Doing::Nothing), give, end, changed }
    }

    /// Why the last wish was refused.
    pub fn refused(self) -> Option<String> {
        let errors = [self.give.value().get(), self.end.value().get()];
        errors
            .into_iter()
            .flatten()
            .find_map(Result::err)
            .map(|error| format!("That could not be done: {error} Nothing was changed; try again."))
    }
}

/// Alerts of one list.
#[component]
pub fn AlertList(
    /// The alerts.
    alerts: Vec<Alert>,
    /// What some of them are about, more closely than their rules say.
    about: Vec<About>,
    /// The rules that they are of.
    rules: Vec<Rule>,
    /// When this was so, milliseconds since 1970 UTC.
    at_ms: i64,
    /// What a person can do.
    deeds: Deeds,
) -> impl IntoView {
    let one = |alert: Alert| {
        let rule = rules.iter().find(|rule| rule.name == alert.key.rule).cloned();
        let about = alarms::about_of(&alert, &about).cloned();
        view! { <OneAlert alert about rule at_ms deeds/> }
    };
    view! { <ul class="bursts">{alerts.into_iter().map(one).collect_view()}</ul> }
}

#[component]
fn OneAlert(alert: Alert, about: Option<About>, rule: Option<Rule>, at_ms: i64, deeds: Deeds) -> impl IntoView {
    let units = units();
    let place = alarms::place(&alert.key.place);
    let means = rule.as_ref().map_or_else(|| alert.key.rule.clone(), |rule| rule.means.clone());
    let since_ms = about.as_ref().map_or(alert.began_ms, |about| about.since_ms);
    let (what, action, means) = match about {
        Some(about) => (about.what, Some(about.action), Some(means)),
        None => (means, None, None),
    };
    let means = means.map(|means| view! { <p>{means} "."</p> });
    let value = alert.value.map(|value| {
        let rule = rule.clone();
        view! { " · last read: " {move || alarms::value(rule.as_ref(), value, units.get())} }
    });
    let class = match alert.severity {
        Severity::Critical => "burst error",
        Severity::Warning => "burst warning",
    };
    let advice = rule.map(|rule| {
        view! {
            <p><span class="name">"If nobody acts: "</span> {rule.otherwise} "."</p>
            <p><span class="name">"To do: "</span> {action.unwrap_or(rule.todo)} "."</p>
        }
    });
    let object = alert.key.object.clone().map(|object| view! { " · " <code>{object}</code> });
    let ack = alert.ack.clone().map(|ack| view! {
        <p class="soft">{ack.owner} " took it on at " {format::moment(ack.at_ms)} {(!ack.note.is_empty()).then(|| format!(": “{}”", ack.note))}</p>
    });
    let kept = (!matches!(alert.state, AlertState::Firing | AlertState::Acked | AlertState::Resolved))
        .then(|| alarms::kept_back(&alert))
        .flatten();
    view! {
        <li class=class id=alarms::anchor(&alert.key)>
            <h3>
                <GraveMark severity=alert.severity/> {what} ": "
                <a href=paths::fleet_place(&place)>{crate::fleet::words::place(&place)}</a> {object}
            </h3>
            <p class="soft">
                "since " {format::moment(since_ms)} " (" {format::ago(at_ms - since_ms)} ") · "
                {alarms::state(alert.state)} " since " {format::moment_to_second(alert.since_ms)} {value} " · rule " <a href=paths::alerts("rules")>{alert.key.rule.clone()}</a>
            </p>
            {means} {advice} {ack} {kept.map(|why| view! { <p class="soft">"Kept back: " {why} "."</p> })}
            <Buttons alert=alert.clone() deeds/>
        </li>
    }
}

/// What can be done with an alert.
#[component]
fn Buttons(alert: Alert, deeds: Deeds) -> impl IntoView {
    let key = alert.key.clone();
    let hidden = format!(" {}", alert.key);
    let (ack, silence) = (Box::new(alert.clone()), Box::new(alert.clone()));
    let open = move |what: Doing| {
        deeds.doing.set(what);
        browser::focus_once_drawn("doing-owner".into());
    };
    let take = (alert.state == AlertState::Firing).then(|| {
        view! { <button class="primary" on:click=move |_| open(Doing::Ack(ack.clone()))>"Take it on" <span class="hidden">{hidden.clone()}</span></button> }
    });
    let give = (alert.state == AlertState::Acked).then(|| {
        view! { <button on:click=move |_| { deeds.give.dispatch(key.clone()); }>"Give it back" <span class="hidden">{hidden.clone()}</span></button> }
    });
    let quiet = matches!(alert.state, AlertState::Firing | AlertState::Acked | AlertState::Pending).then(|| {
        view! { <button on:click=move |_| open(Doing::Silence(silence.clone()))>"Silence it" <span class="hidden">{hidden.clone()}</span></button> }
    });
    view! { <p class="actions">{take} {give} {quiet}</p> }
}

/// The form of what a person is about to do. It stands apart from the list, so that the list can change beneath it.
#[component]
pub fn DoingForm(
    /// What a person can do.
    deeds: Deeds,
) -> impl IntoView {
    let form = move || match deeds.doing.get() {
        Doing::Nothing => ().into_any(),
        Doing::Ack(alert) => view! { <AckForm alert=*alert deeds/> }.into_any(),
        Doing::Silence(alert) => view! { <SilenceForm alert=*alert deeds/> }.into_any(),
    };
    view! { {form} <p class="why" role="status">{move || deeds.refused()}</p> }
}

/// Who is at the keys; the browser keeps it.
#[component]
fn Owner(fields: Fields) -> impl IntoView {
    let owner = fields.owner;
    Effect::new(move |_| {
        if let Some(kept) = browser::kept(OWNER) {
            owner.set(kept);
        }
    });
    view! {
        <label>"Your name" <input id="doing-owner" type="text" maxlength="80" required autocomplete="name"
            prop:value=move || owner.get() on:input:target=move |event| owner.set(event.target().value())
            on:blur=move |_| fields.left.update(|left| left.0 = true)/></label>
    }
}

/// What a person writes about a deed.
#[component]
fn Note(fields: Fields, label: &'static str) -> impl IntoView {
    let note = fields.note;
    view! {
        <label>{label} " " <input type="text" maxlength="2000" required
            prop:value=move || note.get() on:input:target=move |event| note.set(event.target().value())
            on:blur=move |_| fields.left.update(|left| left.1 = true)/></label>
    }
}

/// The fields that both forms have.
#[derive(Clone, Copy)]
struct Fields {
    owner: RwSignal<String>,
    note: RwSignal<String>,
    /// Whether each was left, or the form sent: before that nobody is told that it is empty.
    left: RwSignal<(bool, bool)>,
    /// What the note is asked for with.
    ask: &'static str,
}

impl Fields {
    fn new(ask: &'static str) -> Self {
        let text = || RwSignal::new(String::new());
        Self { owner: text(), note: text(), left: RwSignal::new((false, false)), ask }
    }
    /// What is lacking of what was left.
    fn shown(self) -> Option<&'static str> {
        let (owner, note) = self.left.get();
        let who = "Say who you are, so that others know whom to ask.";
        self.owner.with(|who_is| {
            self.note.with(|why| alarms::lacking([(who_is.as_str(), owner, who), (why.as_str(), note, self.ask)]))
        })
    }
    /// The form is to be sent: whether nothing is lacking, which is shown from now on.
    fn sent(self) -> bool {
        self.left.set((true, true));
        untrack(|| self.shown()).is_none()
    }
}

#[component]
fn AckForm(alert: Alert, deeds: Deeds) -> impl IntoView {
    let fields = Fields::new("Say in a few words what you do about it.");
    let Fields { owner, note, .. } = fields;
    let key: AlertKey = alert.key.clone();
    let send = Action::new(move |(): &()| {
        // A browser that refuses to keep the name asks for it again.
        let _ = browser::keep(OWNER, &owner.get_untracked());
        api::alert_ack(key.clone(), owner.get_untracked().trim().to_owned(), note.get_untracked().trim().to_owned())
    });
    view! {
        <section class="outcome calm stays" aria-labelledby="doing">
            <h2 id="doing">"Take on: " {alert.key.to_string()}</h2>
            <p>"People are told no more while you have it. It comes back by itself if it gets right and then wrong again."</p>
            <form class="told-by" novalidate on:submit=move |event| { event.prevent_default(); if fields.sent() { send.dispatch(()); } }>
                <Owner fields/>
                <Note fields label="What you do about it"/>
                <Ends send deeds why=Signal::derive(move || fields.shown()) verb="Take it on"/>
            </form>
        </section>
    }
}

#[component]
fn SilenceForm(alert: Alert, deeds: Deeds) -> impl IntoView {
    let fields = Fields::new("Say in a few words why.");
    let (Fields { owner, note, .. }, lasts) = (fields, RwSignal::new(ENDS[0]));
    let parts = RwSignal::new(alarms::proposed(&alert));
    let asked = move || {
        parts.with(|parts| {
            parts
                .iter()
                .filter(|(_, taken)| *taken == Proposed::Taken)
                .map(|(matcher, _)| matcher.clone())
                .collect::<Vec<_>>()
        })
    };
    let send = Action::new(move |(): &()| {
        // As above.
        let _ = browser::keep(OWNER, &owner.get_untracked());
        let (owner, note) = (owner.get_untracked().trim().to_owned(), note.get_untracked().trim().to_owned());
        api::alert_silence(SilenceCreate { matchers: asked(), lasts_ms: lasts.get_untracked(), owner, note })
    });
    let why = move || {
        if asked().is_empty() {
            Some("Tick at least one line: a silence of everything is refused.")
        } else {
            fields.shown()
        }
    };
    let lines = parts
        .get_untracked()
        .into_iter()
        .enumerate()
        .map(|(at, (matcher, _))| view! { <Line at matcher parts/> })
        .collect_view();
    view! {
        <section class="outcome calm stays" aria-labelledby="doing">
            <h2 id="doing">"Silence: " {alert.key.to_string()}</h2>
            <p>"Nobody is told of alerts for which all the ticked lines are so, until the silence ends. They stay on this page under “Kept back”."</p>
            <form class="told-by" novalidate on:submit=move |event| { event.prevent_default(); if fields.sent() && !untrack(asked).is_empty() { send.dispatch(()); } }>
                <fieldset><legend>"What it covers (* stands for any letters)"</legend>{lines}</fieldset>
                <label>"It ends" <select on:change:target=move |event| lasts.set(event.target().value().parse().unwrap_or(ENDS[0]))>
                    {ENDS.map(|end| view! { <option value=end.to_string()>"in " {format::lasting(end)}</option> }).into_iter().collect_view()}
                </select></label>
                <Owner fields/>
                <Note fields label="Why"/>
                <Ends send deeds why=Signal::derive(why) verb="Begin the silence"/>
            </form>
        </section>
    }
}

/// A line of what a silence covers.
#[component]
fn Line(at: usize, matcher: Matcher, parts: RwSignal<Vec<(Matcher, Proposed)>>) -> impl IntoView {
    let name = alarms::field(matcher.field);
    let taken = move || parts.with(|parts| parts.get(at).is_some_and(|(_, taken)| *taken == Proposed::Taken));
    let tick = move |on: bool| {
        parts.update(|parts| {
            if let Some(part) = parts.get_mut(at) {
                part.1 = if on { Proposed::Taken } else { Proposed::Left };
            }
        });
    };
    let write = move |is: String| {
        parts.update(|parts| {
            if let Some(part) = parts.get_mut(at) {
                part.0.is = is;
            }
        });
    };
    view! {
        <p>
            <label class="check"><input type="checkbox" prop:checked=taken on:change:target=move |event| tick(event.target().checked())/> " " {name} " is"</label> " "
            <input type="text" aria-label=format!("Pattern of the {name}") value=matcher.is.clone() on:input:target=move |event| write(event.target().value())/>
        </p>
    }
}

/// The end of a form: what it does, how to leave it, and what is lacking.
#[component]
fn Ends(
    send: Action<(), Result<(), api::ApiError>>,
    deeds: Deeds,
    why: Signal<Option<&'static str>>,
    verb: &'static str,
) -> impl IntoView {
    Effect::new(move |_| {
        if matches!(send.value().get(), Some(Ok(()))) {
            deeds.doing.set(Doing::Nothing);
            deeds.changed.run(());
        }
    });
    let refused =
        move || send.value().get().and_then(Result::err).map(|error| format!("That could not be done: {error}"));
    view! {
        <button class="primary" type="submit" disabled=move || send.pending().get()>{verb}</button>
        <button type="button" on:click=move |_| deeds.doing.set(Doing::Nothing)>"Leave it"</button>
        <p class="why" role="status">{move || refused().or_else(|| why.get().map(str::to_owned))}</p>
    }
}

/// Silences that have not ended.
#[component]
pub fn Silences(
    /// The silences.
    silences: Vec<Silence>,
    /// When this was so, milliseconds since 1970 UTC.
    at_ms: i64,
    /// What a person can do.
    deeds: Deeds,
) -> impl IntoView {
    if silences.is_empty() {
        return view! { <p class="empty">"No silence is kept. One is begun at an alert, and always has an end."</p> }
            .into_any();
    }
    let one = |silence: Silence| {
        let id = silence.id.clone();
        let covers = alarms::covers(&silence);
        view! {
            <li class="burst note">
                <h3>{covers.clone()}</h3>
                <p class="soft">"Until " {format::moment(silence.end_ms)} ", " {format::duration(model::quantity::Span::from_seconds(((silence.end_ms - at_ms) / 1000) as f64))} " left · " {silence.owner.clone()} ": “" {silence.note.clone()} "”"</p>
                <p class="actions"><button on:click=move |_| { deeds.end.dispatch(id.clone()); }>"End it now" <span class="hidden">": " {covers}</span></button></p>
            </li>
        }
    };
    view! { <ul class="bursts">{silences.into_iter().map(one).collect_view()}</ul> }.into_any()
}

/// What changed, and who was told.
#[component]
pub fn History(
    /// Changes, the newest first.
    history: Vec<Transition>,
    /// Tries to hand notifications on, the newest first.
    deliveries: Vec<Delivery>,
) -> impl IntoView {
    let row = |change: Transition| {
        view! {
            <tr><th scope="row">{format::moment_to_second(change.step.at_ms)}</th><td><GraveMark severity=change.severity/></td>
                <td>{change.key.to_string()}</td><td class="wide">{alarms::step(&change)}</td></tr>
        }
    };
    let told = |delivery: Delivery| {
        view! {
            <tr><th scope="row">{format::moment_to_second(delivery.at_ms)}</th><td>{delivery.receiver.clone()}</td><td>{delivery.group.clone()}</td>
                <td class="num">{format::count(delivery.alerts).to_string()}</td><td class="num">{format::count(delivery.attempt).to_string()}</td><td class="wide">{alarms::outcome(&delivery.outcome)}</td></tr>
        }
    };
    let nothing = history.is_empty().then(|| view! { <p class="empty">"No alert has changed yet."</p> });
    let nobody = deliveries
        .is_empty()
        .then(|| view! { <p class="soft">"Nobody was told: no receiver is set up, or nothing fired."</p> });
    view! {
        {nothing}
        <div class="scroll" tabindex="0" role="region" aria-label="Changes"><table>
            <caption>"What changed, the newest first"</caption>
            <thead><tr><th scope="col">"When"</th><th scope="col">"How grave"</th><th scope="col">"Alert"</th><th scope="col">"What it became, and why"</th></tr></thead>
            <tbody>{history.into_iter().map(row).collect_view()}</tbody>
        </table></div>
        <h3>"Who was told"</h3> {nobody}
        <div class="scroll" tabindex="0" role="region" aria-label="Who was told"><table>
            <caption>"Each try to hand a notification on, the newest first"</caption>
            <thead><tr><th scope="col">"When"</th><th scope="col">"Receiver"</th><th scope="col">"Group"</th><th scope="col" class="num">"Alerts"</th><th scope="col" class="num">"Try"</th><th scope="col">"What came of it"</th></tr></thead>
            <tbody>{deliveries.into_iter().map(told).collect_view()}</tbody>
        </table></div>
    }
}

/// The rules, each in sentences.
#[component]
pub fn Rules(
    /// The rules.
    rules: Vec<Rule>,
) -> impl IntoView {
    let units = units();
    if rules.is_empty() {
        return view! { <p class="empty">"There is no rule, so nothing is watched."</p> }.into_any();
    }
    let one = |rule: Rule| {
        let watched = rule.clone();
        view! {
            <li>
                <h3><GraveMark severity=rule.severity/> {rule.means.clone()} " " <code class="soft">{rule.name.clone()}</code></h3>
                <p>{move || alarms::watches(&watched, units.get())}</p>
                <p class="soft">"If nobody acts: " {rule.otherwise} ". To do: " {rule.todo} "."</p>
            </li>
        }
    };
    view! { <ul class="setups">{rules.into_iter().map(one).collect_view()}</ul> }.into_any()
}

/// The shape and word of how grave an alert is.
#[component]
fn GraveMark(severity: Severity) -> impl IntoView {
    let (class, shape) = match severity {
        Severity::Critical => ("error", "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5ZM5.5 5.5l5 5M10.5 5.5l-5 5"),
        Severity::Warning => ("warning", "M8 2 15 14H1ZM8 6.5v4M8 12v.5"),
    };
    view! {
        <span class=format!("mark {class}")>
            <svg viewBox="0 0 16 16" aria-hidden="true"><path d=shape/></svg>
            {alarms::grave(severity)}
        </span>
    }
}
