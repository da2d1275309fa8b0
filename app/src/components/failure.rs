//! What a page shows while it loads and where it can't: what, why, and what to do.

use crate::api::{ApiError, PageRefusal};
use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Keeps the frame while something loads, and says what.
#[component]
pub fn Skeleton(
    /// What is loading.
    noun: &'static str,
) -> impl IntoView {
    view! {
        <div class="skeleton" role="status">
            <p>"Loading " {noun} "…"</p>
            <div class="bone wide"></div>
            <div class="bone"></div>
            <div class="bone tall"></div>
        </div>
    }
}

/// How much of a page something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// All of it: its heading is the page's.
    Page,
    /// A part under the page's own heading.
    #[default]
    Part,
}

/// Says what could not be shown, why, and what to do.
#[component]
pub fn Failure(
    /// Why.
    error: ApiError,
    /// What could not be shown.
    noun: &'static str,
    /// How much of the page it is.
    #[prop(optional)]
    extent: Extent,
    /// Where others like it are listed: the address and what the link says.
    #[prop(optional_no_strip)]
    others: Option<(&'static str, &'static str)>,
    /// Asks again.
    #[prop(optional)]
    retry: Option<Callback<()>>,
) -> impl IntoView {
    let advice = match &error {
        ApiError::NotFound { .. } => "It may have been removed, or the address may be mistyped.",
        ApiError::Invalid { .. } => "Change what is asked for, then try again.",
        ApiError::Conflict { .. } => "Load the page again to see the newest state.",
        ApiError::Busy { .. } => "Wait a moment, then try again.",
        ApiError::Internal { .. } => "Try again; the server's log says more.",
        ApiError::Unreachable { .. } => "Check that the server is running and reachable, then try again.",
    };
    let heading = match extent {
        Extent::Page => view! {
            <Title text=format!("Could not show {noun}")/>
            <h1>"Could not show " {noun}</h1>
        }
        .into_any(),
        Extent::Part => view! { <h2>"Could not show " {noun}</h2> }.into_any(),
    };
    view! {
        <section class="failure" role="alert">
            {heading}
            <p>{error.to_string()}</p>
            <p class="soft">{advice}</p>
            <p class="actions">
                {retry.map(|retry| view! { <button on:click=move |_| retry.run(())>"Try again"</button> })}
                {others.map(|(href, words)| view! { <a href=href>{words}</a> })}
                <a href=paths::HOME>"Go to the overview"</a>
            </p>
        </section>
    }
}

/// Shows a resource once it is there, its skeleton before, and its failure where it can't be had.
#[component]
pub fn Loaded<T, F>(
    /// What to wait for.
    resource: Resource<Result<T, ApiError>>,
    /// What it is, in words.
    noun: &'static str,
    /// How much of the page it is.
    #[prop(optional)]
    extent: Extent,
    /// Where others like it are listed: the address and what the link says.
    #[prop(optional)]
    others: Option<(&'static str, &'static str)>,
    /// How to show it.
    show: F,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Fn(T) -> AnyView + Copy + Send + Sync + 'static,
{
    let refusal = (extent == Extent::Page).then(use_context::<PageRefusal>).flatten();
    view! {
        <Transition fallback=move || view! { <Skeleton noun/> }>
            {move || {
                let refusal = refusal.clone();
                Suspend::new(async move {
                match resource.await {
                    Ok(value) => show(value),
                    Err(error) => {
                        if let Some(PageRefusal(tell)) = refusal {
                            tell(&error);
                        }
                        let retry = Callback::new(move |()| resource.refetch());
                        view! { <Failure error noun extent others retry/> }.into_any()
                    }
                }
            })}}
        </Transition>
    }
}
