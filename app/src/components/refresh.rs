//! What changes by itself: asked for again and again, kept in sight where the house stops answering, and stopped by a button.

use crate::api::ApiError;
use crate::components::failure::{Failure, Skeleton};
use crate::{browser, format};
use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something with the time at which it was so, milliseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct AsOf<T> {
    /// When it was so, by the clock of whoever asked.
    pub at_ms: i64,
    /// What was so.
    pub value: T,
}

impl<T> AsOf<T> {
    /// What is so now.
    pub fn now(value: T) -> Self {
        Self { at_ms: browser::wall_ms(), value }
    }
}

/// Shows something that changes. Where it can't be had again, what was so before stays, greyed, with its age and why.
#[component]
pub fn Watched<T, F>(
    /// What to wait for.
    resource: Resource<Result<AsOf<T>, ApiError>>,
    /// What it is, in words.
    noun: &'static str,
    /// How often to ask again, seconds.
    seconds: u64,
    /// How to show it; it is given the time at which it was so.
    show: F,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Fn(AsOf<T>) -> AnyView + Copy + Send + Sync + 'static,
{
    let last = StoredValue::new(None::<AsOf<T>>);
    let paused = RwSignal::new(false);
    let again = Callback::new(move |()| resource.refetch());
    Effect::new(move |_| {
        browser::every(seconds, move || {
            if paused.try_get_untracked() == Some(false) {
                resource.refetch();
            }
        });
    });
    view! {
        <Transition fallback=move || view! { <Skeleton noun/> }>
            {move || Suspend::new(async move {
                let (kept, lost) = match resource.await {
                    Ok(found) => {
                        last.set_value(Some(found.clone()));
                        (Some(found), None)
                    }
                    Err(error) => (last.get_value().filter(|_| passes(&error)), Some(error)),
                };
                match (kept, lost) {
                    (Some(kept), lost) => {
                        let at_ms = kept.at_ms;
                        let class = if lost.is_some() { "watched was" } else { "watched" };
                        view! { <Bar at_ms lost noun seconds paused again/> <div class=class>{show(kept)}</div> }.into_any()
                    }
                    (None, Some(error)) => view! { <Failure error noun retry=again/> }.into_any(),
                    (None, None) => ().into_any(),
                }
            })}
        </Transition>
    }
}

/// Whether what was so before may still be what was asked for: the house is silent or broken. Where it refuses the question,
/// the answer to another is no help.
fn passes(error: &ApiError) -> bool {
    match error {
        ApiError::Busy { .. } | ApiError::Internal { .. } | ApiError::Unreachable { .. } => true,
        ApiError::NotFound { .. } | ApiError::Invalid { .. } | ApiError::Conflict { .. } => false,
    }
}

/// As of when, how to stop it, and why it is old where it is.
#[component]
fn Bar(
    at_ms: i64,
    lost: Option<ApiError>,
    noun: &'static str,
    seconds: u64,
    paused: RwSignal<bool>,
    again: Callback<()>,
) -> impl IntoView {
    let is_lost = lost.is_some();
    let why = lost.map(|error| {
        let age = format::ago(browser::wall_ms() - at_ms);
        format!("Could not ask for {noun} again: {error} What is shown was so {age}.")
    });
    let every = format!("asked for again every {seconds} s");
    view! {
        <p class="refresh soft">
            <span>"As of " {format::moment_to_second(at_ms)} ", " {move || if paused.get() { "paused".to_owned() } else { every.clone() }} "."</span>
            <button aria-pressed=move || paused.get().to_string() on:click=move |_| paused.update(|paused| *paused = !*paused)>"Pause"</button>
            <button on:click=move |_| again.run(())>"Ask now"</button>
        </p>
        <p class="refresh-lost" class:outcome=is_lost class:error=is_lost role="status">{why}</p>
    }
}
