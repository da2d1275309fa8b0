//! A design's positions beside live racks: how each was matched, what is wrong with it, and a choice where it is not so.

use crate::components::burst::SeverityMark;
use crate::{api, format, paths};
use leptos::prelude::*;
use model::fleet::{BindingPosition, BindingReview, BindingSave, Matched};
use model::note::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// What a person has chosen so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The positions as they were proposed.
    pub positions: Vec<BindingPosition>,
    /// The rack of each, as it is chosen now.
    pub racks: Vec<Option<String>>,
    /// Every live rack, in the order of their names.
    pub all: BTreeSet<String>,
    /// GPUs that were seen in a rack, where that is told.
    pub seen: BTreeMap<String, u32>,
}

/// What is wrong with a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// What, and what to do.
    pub words: String,
}

impl Choice {
    /// What was proposed.
    pub fn of(review: BindingReview) -> Self {
        let racks: Vec<Option<String>> = review.positions.iter().map(|position| position.rack.clone()).collect();
        let all = racks.iter().flatten().cloned().chain(review.left).collect();
        let seen = review.positions.iter().filter_map(|position| Some((position.rack.clone()?, position.seen_gpus)));
        Self { seen: seen.collect(), all, racks, positions: review.positions }
    }

    /// Racks that no position has.
    pub fn free(&self) -> Vec<&String> {
        let taken: BTreeSet<&String> = self.racks.iter().flatten().collect();
        self.all.iter().filter(|rack| !taken.contains(rack)).collect()
    }

    /// How a position was matched, as it is chosen now.
    pub fn matched(&self, at: usize) -> Matched {
        match (self.positions.get(at), self.racks.get(at).and_then(Option::as_ref)) {
            (Some(position), rack) if position.rack.as_ref() == rack => position.matched,
            (_, Some(_)) => Matched::ByHand,
            (_, None) => Matched::Not,
        }
    }

    /// GPUs seen in the rack that is chosen for a position.
    pub fn seen_at(&self, at: usize) -> Option<u32> {
        self.seen.get(self.racks.get(at)?.as_ref()?).copied()
    }

    /// What is wrong with a position; none where nothing is.
    pub fn problem(&self, at: usize) -> Option<Problem> {
        let position = self.positions.get(at)?;
        let problem = |severity, words: String| Some(Problem { severity, words });
        let Some(rack) = self.racks.get(at).and_then(Option::as_ref) else {
            return problem(
                Severity::Warning,
                "No live rack is matched. Choose one, or leave it: it is then no part of the comparison.".into(),
            );
        };
        if self.racks.iter().flatten().filter(|other| *other == rack).count() > 1 {
            return problem(
                Severity::Error,
                format!("{rack} is chosen for two positions: one of them must have another."),
            );
        }
        match (self.seen_at(at), self.matched(at)) {
            (Some(seen), _) if seen != position.planned_gpus => problem(
                Severity::Warning,
                format!(
                    "The design has {} there, {} seen: look whether it is this rack, or what is missing.",
                    format::things(position.planned_gpus, "GPU", "GPUs"),
                    format::things(seen, "was", "were")
                ),
            ),
            (_, Matched::ByOrder) => {
                problem(Severity::Note, "Names say nothing; it was matched by order alone. Check it.".into())
            }
            (_, Matched::Alike) => problem(Severity::Note, "The names are alike, not the same. Check it.".into()),
            (_, Matched::ByHand | Matched::ByName | Matched::Not) => None,
        }
    }

    /// How far it is, in a sentence.
    pub fn finding(&self) -> String {
        let matched = self.racks.iter().flatten().count() as u32;
        let look = (0..self.positions.len()).filter(|at| self.problem(*at).is_some()).count() as u32;
        let left = format::things(self.free().len() as u32, "live rack is left", "live racks are left");
        let all = format::things(self.positions.len() as u32, "position", "positions");
        let look = if look == 1 { "1 needs a look".into() } else { format!("{} need a look", format::count(look)) };
        format!("{} of {all} have a live rack; {left}; {look}.", format::count(matched))
    }

    /// Why it can't be bound so; none where it can.
    pub fn blocked(&self) -> Option<String> {
        let wrong = (0..self.positions.len())
            .find(|at| self.problem(*at).is_some_and(|problem| problem.severity == Severity::Error));
        if let Some(at) = wrong {
            return self.problem(at).map(|problem| problem.words);
        }
        self.racks.iter().all(Option::is_none).then(|| "No position has a live rack: there is nothing to bind.".into())
    }

    /// What is kept of it.
    pub fn kept(&self) -> Vec<(String, String)> {
        let pairs = self.positions.iter().zip(&self.racks);
        pairs.filter_map(|(position, rack)| Some((position.position.clone(), rack.clone()?))).collect()
    }
}

/// How it was matched, in words.
pub fn matched_words(matched: Matched) -> &'static str {
    match matched {
        Matched::ByHand => "bound so before",
        Matched::ByName => "same name",
        Matched::Alike => "names alike",
        Matched::ByOrder => "by order alone",
        Matched::Not => "not matched",
    }
}

/// The review of a design: positions and racks, what is wrong, and the button that binds.
#[component]
pub fn Review(
    /// What was proposed.
    review: BindingReview,
    /// Asks again what the fleet is bound to.
    changed: Callback<()>,
) -> impl IntoView {
    let (design, version) = (review.design.clone(), review.version);
    let choice = RwSignal::new(Choice::of(review));
    let troubled = RwSignal::new(false);
    let editing = RwSignal::new(None::<usize>);
    let save = Action::new({
        let design = design.clone();
        move |(): &()| {
            let racks = choice.with_untracked(Choice::kept);
            api::fleet_binding_save(BindingSave { design: design.clone(), racks })
        }
    });
    Effect::new(move |_| {
        if matches!(save.value().get(), Some(Ok(()))) {
            changed.run(());
        }
    });
    let blocked = move || choice.with(Choice::blocked);
    let shown = move || {
        let choice = choice.get();
        (0..choice.positions.len()).filter(|at| !troubled.get() || choice.problem(*at).is_some()).collect::<Vec<_>>()
    };
    let free = move || choice.with(|choice| choice.free().into_iter().cloned().collect::<Vec<_>>());
    view! {
        <section aria-labelledby="positions">
            <h2 id="positions">"Positions of " <a href=paths::design(&design)>"the design"</a> ", version " {version}</h2>
            <p class="lead" role="status">{move || choice.with(Choice::finding)}</p>
            <p class="actions"><label class="check"><input type="checkbox" prop:checked=move || troubled.get()
                on:change:target=move |event| troubled.set(event.target().checked())/> " Only those that need a look"</label></p>
            <div class="scroll" tabindex="0" role="region" aria-label="Positions and live racks"><table class="binding">
                <caption>"Each position of the design with the live rack that it is or most likely is."</caption>
                <thead><tr>
                    <th scope="col">"Position"</th><th scope="col">"Live rack"</th><th scope="col">"Matched"</th>
                    <th scope="col" class="num">"GPUs planned"</th><th scope="col" class="num">"GPUs seen"</th><th scope="col">"To look at"</th>
                </tr></thead>
                <tbody><For each=shown key=|at| *at children=move |at| view! { <Row at choice editing/> }/></tbody>
            </table></div>
            {move || shown().is_empty().then(|| view! { <p class="soft">"Every position is in order."</p> })}
            <Left free=Signal::derive(free)/>
            <p class="actions">
                <button class="primary" disabled=move || blocked().is_some() || save.pending().get() on:click=move |_| { save.dispatch(()); }>
                    {move || if save.pending().get() { "Binding…" } else { "Bind the fleet to this design" }}
                </button>
                <span class="why">{blocked}</span>
            </p>
            <div role="status">{move || save.value().get().map(|done| told(done, "The fleet is now compared with this design."))}</div>
        </section>
    }
}

/// What became of a wish.
pub fn told(done: Result<(), api::ApiError>, words: &'static str) -> AnyView {
    match done {
        Ok(()) => view! { <p class="outcome">{words} " " <a href=paths::FLEET>"See it on the fleet's page"</a> "."</p> }.into_any(),
        Err(error) => view! { <p class="outcome error">"That could not be done: " {error.to_string()} " Nothing was changed; try again."</p> }.into_any(),
    }
}

/// A position.
#[component]
fn Row(at: usize, choice: RwSignal<Choice>, editing: RwSignal<Option<usize>>) -> impl IntoView {
    let (position, planned) = choice
        .with_untracked(|choice| choice.positions.get(at).map(|one| (one.position.clone(), one.planned_gpus)))
        .unwrap_or_default();
    let rack = move || choice.with(|choice| choice.racks.get(at).cloned().flatten());
    let seen = move || choice.with(|choice| format::or_missing(choice.seen_at(at), format::count).to_string());
    let problem = move || {
        let problem = choice.with(|choice| choice.problem(at))?;
        Some(view! { <SeverityMark severity=problem.severity/> {problem.words} })
    };
    let place = position.clone();
    let cell = move || {
        let place = place.clone();
        if editing.get() == Some(at) {
            return view! { <Racks at place choice editing/> }.into_any();
        }
        let (words, verb) =
            rack().map_or_else(|| (format::MISSING.to_owned(), "Choose a rack"), |rack| (rack, "Change"));
        view! { {words} " " <button class="link" on:click=move |_| editing.set(Some(at))>{verb} <span class="hidden">" for " {place}</span></button> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{position}</th>
            <td>{cell}</td>
            <td>{move || matched_words(choice.with(|choice| choice.matched(at)))}</td>
            <td class="num">{format::count(planned).to_string()}</td>
            <td class="num">{seen}</td>
            <td class="wide">{problem}</td>
        </tr>
    }
}

/// The choice of a rack for a position: what it has now, and racks that are left.
#[component]
fn Racks(at: usize, place: String, choice: RwSignal<Choice>, editing: RwSignal<Option<usize>>) -> impl IntoView {
    let now = choice.with_untracked(|choice| choice.racks.get(at).cloned().flatten());
    let options = choice.with_untracked(|choice| {
        let free = choice.free().into_iter().cloned();
        now.clone()
            .into_iter()
            .chain(free)
            .map(|rack| {
                let chosen = now.as_ref() == Some(&rack);
                view! { <option value=rack.clone() selected=chosen>{rack.clone()}</option> }
            })
            .collect_view()
    });
    let choose = move |rack: String| {
        choice.update(|choice| {
            if let Some(chosen) = choice.racks.get_mut(at) {
                *chosen = Some(rack).filter(|rack| !rack.is_empty());
            }
        });
        editing.set(None);
    };
    view! {
        <label><span class="hidden">"Live rack of " {place}</span>
            <select autofocus on:change:target=move |event| choose(event.target().value())>
                <option value="" selected=now.is_none()>"No rack"</option>
                {options}
            </select>
        </label>
        " " <button class="link" on:click=move |_| editing.set(None)>"Keep it"</button>
    }
}

/// Live racks that no position has.
#[component]
fn Left(free: Signal<Vec<String>>) -> impl IntoView {
    let list = move || {
        let free = free.get();
        if free.is_empty() {
            return view! { <p class="soft">"Every live rack has a position."</p> }.into_any();
        }
        let items = free.into_iter().map(|rack| view! { <li><code>{rack}</code></li> }).collect_view();
        view! { <p>"Live racks without a position. They are shown on the fleet's page and are in no comparison."</p> <ul class="inline">{items}</ul> }.into_any()
    };
    view! { <h3>"Racks that are left"</h3> {list} }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(name: &str, rack: Option<&str>, seen_gpus: u32, matched: Matched) -> BindingPosition {
        BindingPosition { position: name.into(), planned_gpus: 72, rack: rack.map(Into::into), seen_gpus, matched }
    }

    fn choice() -> Choice {
        Choice::of(BindingReview {
            design: "d".parse().unwrap(),
            version: 1,
            positions: vec![
                position("A / 1", Some("A01"), 72, Matched::ByName),
                position("A / 2", Some("A02"), 71, Matched::ByOrder),
                position("A / 3", None, 0, Matched::Not),
            ],
            left: vec!["B01".into()],
        })
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let mut choice = choice();
        assert_eq!(choice.finding(), "2 of 3 positions have a live rack; 1 live rack is left; 2 need a look.");
        assert_eq!(choice.problem(0), None);
        assert!(choice.problem(1).is_some_and(|problem| problem.words.contains("72 GPUs there, 71 were seen")));
        assert!(choice.problem(2).is_some_and(|problem| problem.words.contains("No live rack")));
        assert_eq!(choice.blocked(), None);
        choice.racks[2] = Some("A01".into());
        assert!(choice.blocked().is_some_and(|why| why.contains("A01 is chosen for two positions")));
        choice.racks[2] = Some("B01".into());
        assert_eq!((choice.matched(2), choice.seen_at(2), choice.problem(2)), (Matched::ByHand, None, None));
        assert_eq!(choice.free(), Vec::<&String>::new());
        assert_eq!(choice.kept().len(), 3);
        choice.racks = vec![None; 3];
        assert!(choice.blocked().is_some_and(|why| why.contains("nothing to bind")));
    }
}
