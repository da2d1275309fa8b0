//! Which sweeps have been made, how far are those under way, and what is to be varied next?

use crate::api;
use crate::components::failure::Loaded;
use crate::{format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use model::id::DesignId;
use model::optimum::{Goal, Limits};
use model::quantity::Span;
use model::run::{DesignSummary, RunState};
use model::sweep::{SWEEP_ROWS_MAX, SweepAsk, SweepCreate, SweepSummary, Vary};

/// Starting points of a sweep: what each is called, and its lines.
const STARTS: [(&str, &str); 5] = [
    ("Power limits and water", "cap=700..1400:50\nwater=30..45:1"),
    ("Racks of every make", "rack=all\nprecision=fp8,fp4"),
    ("Language models", "model=all"),
    ("Places", "place=all"),
    ("Prompt lengths and targets", "input=512,2048,8192,32768\ntpot=20,50,100"),
];

/// All sweeps.
#[component]
pub fn SweepsPage() -> impl IntoView {
    let query = use_query_map();
    let shown = Resource::new(
        move || query.read().get("design"),
        |design| async move { Ok((api::sweeps().await?, api::designs().await?, design)) },
    );
    view! {
        <Title text="Sweeps"/>
        <h1>"Sweeps"</h1>
        <p class="lead">"A design evaluated at every combination of what is varied, as a job that goes on after a restart. What it finds is kept."</p>
        <Loaded resource=shown noun="the sweeps" show=page/>
    }
}

fn page((sweeps, designs, chosen): (Vec<SweepSummary>, Vec<DesignSummary>, Option<String>)) -> AnyView {
    view! { <Start designs chosen/> {table(sweeps)} }.into_any()
}

/// What to vary, line by line.
#[component]
fn Start(designs: Vec<DesignSummary>, chosen: Option<String>) -> impl IntoView {
    let first = designs.iter().find(|design| Some(design.id.as_str()) == chosen.as_deref()).or(designs.first());
    let design = RwSignal::new(first.map(|design| design.id.to_string()).unwrap_or_default());
    let (name, lines, goal) =
        (RwSignal::new(String::new()), RwSignal::new(STARTS[0].1.to_owned()), RwSignal::new(String::new()));
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    let navigate = use_navigate();
    let start = Action::new(move |create: &SweepCreate| api::sweep_start(create.clone()));
    let wrong = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if let Some(Ok(id)) = start.value().get() {
            navigate(&paths::sweep(&id), NavigateOptions::default());
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match asked(&design.get_untracked(), &name.get_untracked(), &lines.get_untracked(), &goal.get_untracked()) {
            Ok(create) => {
                wrong.set(None);
                start.dispatch(create);
            }
            Err(why) => wrong.set(Some(why)),
        }
    };
    let refused =
        move || wrong.get().or_else(|| start.value().get().and_then(Result::err).map(|error| error.to_string()));
    let options = designs.into_iter().map(|own| {
        let id = own.id.to_string();
        let selected = design.with_untracked(|chosen| *chosen == id);
        view! { <option value=id selected=selected>{own.name}</option> }
    });
    let starts = STARTS.map(|(words, text)| view! { <button type="button" on:click=move |_| { lines.set(text.to_owned()); name.set(words.to_owned()); }>{words}</button> });
    let goals = Goal::ALL.map(|goal| view! { <option value=goal.name()>{crate::optimum::goal_words(goal)}</option> });
    view! {
        <form class="sweep-start" on:submit=submit aria-label="A new sweep">
            <label>"Design" <select on:change=move |event| design.set(event_target_value(&event))>{options.collect_view()}</select></label>
            <label>"Called" <input type="text" maxlength="120" placeholder="what it is to be called" prop:value=move || name.get() on:input=move |event| name.set(event_target_value(&event))/></label>
            <label>"What is not varied" <select on:change=move |event| goal.set(event_target_value(&event))><option value="">"stays as drawn"</option>{goals.into_iter().collect_view()}</select></label>
            <label class="lines-of">"Varied, a field to a line" <textarea rows="4" spellcheck="false" prop:value=move || lines.get() on:input=move |event| lines.set(event_target_value(&event))></textarea></label>
            <div class="about soft">
                <p>"A line is " <code>"field=a,b,c"</code> ", " <code>"field=from..to:step"</code> " or " <code>"field=all"</code> ". Begin with " <span class="starts">{starts.into_iter().collect_view()}</span></p>
                <p>"Fields: racks, cap (W a GPU), water (°C), redundancy, rack, model, precision, place, contract (MW), input, output (tokens), cache (0 to 1), ttft, tpot (ms)."</p>
            </div>
            <p class="actions">
                <button type="submit" class="primary" disabled=move || !awake.get() || start.pending().get()>"Start the sweep"</button>
                <span class="why" role="alert">{refused}</span>
            </p>
        </form>
    }
}

/// What the form says, or why it says nothing.
fn asked(design: &str, name: &str, lines: &str, goal: &str) -> Result<SweepCreate, String> {
    let design: DesignId = design.parse().map_err(|_| "Choose a design.".to_owned())?;
    let vary: Result<Vec<Vary>, String> = lines
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| line.trim().parse().map_err(|why: String| format!("Line {}: {why}.", at + 1)))
        .collect();
    let vary = vary?;
    if vary.is_empty() {
        return Err("Say what is to be varied: a line such as cap=900..1400:100.".to_owned());
    }
    let rows = vary.iter().try_fold(1_usize, |rows, vary| rows.checked_mul(vary.values.len()));
    if rows.is_none_or(|rows| rows > SWEEP_ROWS_MAX) {
        return Err(format!(
            "That is more than {} combinations: vary less, or in larger steps.",
            format::count(SWEEP_ROWS_MAX as u32)
        ));
    }
    let fallback = vary.iter().map(|vary| vary.field.clone()).collect::<Vec<_>>().join(" × ");
    let name = if name.trim().is_empty() { fallback } else { name.trim().to_owned() };
    Ok(SweepCreate { name, design, ask: SweepAsk { vary, goal: goal.parse().ok(), limits: Limits::default() } })
}

fn table(sweeps: Vec<SweepSummary>) -> AnyView {
    if sweeps.is_empty() {
        return view! { <p class="empty">"No sweep has been made yet: choose what to vary above and start one."</p> }
            .into_any();
    }
    let rows = sweeps.into_iter().map(|sweep| {
        let fields = sweep.ask.vary.iter().map(|vary| format!("{} ({})", vary.field, format::count(vary.values.len() as u32)));
        view! {
            <tr>
                <th scope="row"><a href=paths::sweep(&sweep.id)>{sweep.name.clone()}</a> <span class="soft description">{fields.collect::<Vec<_>>().join(" × ")}</span></th>
                <td><a href=paths::design(&sweep.design)>{sweep.design_name.clone()}</a> " " <span class="soft">"version " {sweep.version}</span></td>
                <td class="num">{format::count(sweep.rows).to_string()}</td>
                <td>{state(&sweep)}</td>
                <td>{format::moment(sweep.created_ms)}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Sweeps"><table>
            <caption>"Newest first."</caption>
            <thead><tr><th scope="col">"Sweep"</th><th scope="col">"Design"</th><th scope="col" class="num">"Combinations"</th><th scope="col">"State"</th><th scope="col">"Asked for"</th></tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}

/// How far a sweep is, in a few words.
pub(crate) fn state(sweep: &SweepSummary) -> String {
    match &sweep.state {
        RunState::Queued => "Waiting".to_owned(),
        RunState::Running { progress, seconds_left } if *seconds_left > 0.0 => {
            let left = format::duration(Span::from_seconds(seconds_left.max(1.0)));
            format!("{} done, about {left} left", format::percent(*progress))
        }
        RunState::Running { progress, .. } => format!("{} done", format::percent(*progress)),
        RunState::Done => "Done".to_owned(),
        RunState::Cancelled => format!("Cancelled after {} rows", format::count(sweep.done)),
        RunState::Failed { reason } => format!("Failed: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_a_sweep_or_say_which_is_wrong() {
        let made = asked("pod", "", "cap=400,500\n\nwater=30..32:1\n", "tokens").unwrap();
        assert_eq!((made.name.as_str(), made.ask.vary.len(), made.ask.goal), ("cap × water", 2, Some(Goal::Tokens)));
        assert!(asked("pod", "", "cap=400\nwater", "").unwrap_err().starts_with("Line 2:"));
        assert!(STARTS.iter().all(|(_, lines)| asked("pod", "x", lines, "").is_ok()));
    }
}
