//! Which live rack is which position of the design that the fleet is compared with?

use crate::api::{self, ApiError};
use crate::components::binding::{Review, told};
use crate::components::failure::Loaded;
use crate::{format, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::fleet::{BindingReview, PlanBinding};
use model::id::DesignId;
use model::metric::Metric;
use model::run::DesignSummary;

/// The plan of the fleet. The address holds the design.
#[component]
pub fn BindingPage() -> impl IntoView {
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.read().get("design").unwrap_or_default());
    let designs = Resource::new(|| (), |()| api::designs());
    let bound = Resource::new(|| (), |()| async { api::fleet(Metric::GpuPower).await.map(|view| view.plan) });
    let review = Resource::new(
        move || chosen.get(),
        |id| async move {
            if id.is_empty() {
                return Ok(None);
            }
            let id: DesignId = id.parse().map_err(|_| ApiError::NotFound { what: format!("design “{id}”") })?;
            api::fleet_binding_review(id).await.map(Some)
        },
    );
    let changed = Callback::new(move |()| bound.refetch());
    view! {
        <Title text="The plan of the fleet"/>
        <p class="crumbs"><a href=paths::FLEET>"Fleet"</a></p>
        <h1>"The plan of the fleet"</h1>
        <p class="lead">"The live fleet is compared with a design: watts and tokens beside what was planned for the very racks that stand there. For that it must be known which live rack is which position of the design."</p>
        <section aria-labelledby="bound"><h2 id="bound">"Now"</h2><Loaded resource=bound noun="what the fleet is compared with" show=move |plan| now(plan, changed)/></section>
        <section aria-labelledby="choose"><h2 id="choose">"Choose a design"</h2><Loaded resource=designs noun="the designs" show=move |list| choose(list, chosen)/></section>
        <Loaded resource=review noun="the review of this design" show=move |found| reviewed(found, changed)/>
    }
}

/// What the fleet is bound to now, and how to end that.
fn now(plan: Option<PlanBinding>, changed: Callback<()>) -> AnyView {
    let Some(plan) = plan else {
        return view! { <p class="empty">"The fleet is compared with nothing. Choose the design that it was built after."</p> }.into_any();
    };
    let clear = Action::new(move |(): &()| async { api::fleet_binding_clear().await });
    let sure = RwSignal::new(false);
    Effect::new(move |_| {
        if matches!(clear.value().get(), Some(Ok(()))) {
            changed.run(());
        }
    });
    let racks = format!(
        "{} of {} have a live rack{}.",
        format::count(plan.matched_racks),
        format::things(plan.planned_racks, "position", "positions"),
        if plan.unmatched_racks > 0 {
            format!("; {} no position", format::things(plan.unmatched_racks, "live rack has", "live racks have"))
        } else {
            String::new()
        }
    );
    view! {
        <p>
            "Compared with " <a href=paths::design(&plan.design)>{plan.name.clone()} ", version " {plan.version}</a>
            ", since " {format::moment(plan.bound_ms)} ". " {racks}
        </p>
        <p class="actions">
            <a href=paths::binding(&plan.design)>"Review its racks"</a>
            {move || if sure.get() {
                view! {
                    <button class="danger" disabled=move || clear.pending().get() on:click=move |_| { clear.dispatch(()); }>"Yes, compare with nothing"</button>
                    <button on:click=move |_| sure.set(false)>"Keep it"</button>
                }.into_any()
            } else {
                view! { <button on:click=move |_| sure.set(true)>"Compare with nothing"</button> }.into_any()
            }}
        </p>
        <div role="status">{move || clear.value().get().map(|done| told(done, "The fleet is compared with nothing."))}</div>
    }
    .into_any()
}

/// The designs, each a link that puts it into the address.
fn choose(list: Vec<DesignSummary>, chosen: Memo<String>) -> AnyView {
    if list.is_empty() {
        return view! { <p class="empty">"There is no design yet. "<a href=paths::NEW>"Draw the one that the fleet was built after"</a>"."</p> }.into_any();
    }
    let rows = list.into_iter().map(|design| {
        let id = design.id.to_string();
        let current = move || if chosen.with(|chosen| *chosen == id) { "true" } else { "false" };
        view! {
            <li class="line">
                <a class="tick" href=paths::binding(&design.id) aria-current=current>{design.name.clone()} " " <span class="soft">"version " {design.version} " · " {design.location.clone()}</span></a>
                <span class="soft">{format::things(design.racks, "rack", "racks")} " · " {format::things(design.gpus, "GPU", "GPUs")}</span>
            </li>
        }
    });
    view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
}

fn reviewed(found: Option<BindingReview>, changed: Callback<()>) -> AnyView {
    match found {
        None => view! { <p class="soft">"Choose a design, and its positions stand here beside the live racks."</p> }.into_any(),
        Some(review) if review.positions.is_empty() => {
            view! { <p class="empty">"This design has no rack with GPUs, so there is nothing to compare with. Choose another."</p> }.into_any()
        }
        Some(review) => view! { <Review review changed/> }.into_any(),
    }
}
