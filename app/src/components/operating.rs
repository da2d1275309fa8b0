//! The head of the pages that look into how a design is run: where it is from, and each other a click away.

use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;
use model::run::DesignSummary;

/// One of these pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The operating point.
    OperatingPoint,
    /// The power tree.
    Power,
}

/// Title, path, heading, what it is about and the other pages.
#[component]
pub fn OperatingHead(
    /// The design.
    design: DesignSummary,
    /// Which page this is.
    look: Look,
    /// What it is about.
    children: Children,
) -> impl IntoView {
    let heading = match look {
        Look::OperatingPoint => "Operating point",
        Look::Power => "Power tree and steering",
    };
    let current = |own: Look| (own == look).then_some("page");
    let name = design.name.clone();
    view! {
        <Title text=format!("{heading} of {}", design.name)/>
        <p class="crumbs"><a href=paths::DESIGNS>"Designs"</a> " › " <a href=paths::design(&design.id)>{name}</a></p>
        <h1>{heading}</h1>
        <p class="lead">{children()}</p>
        <nav class="tabs" aria-label="Views of how the design is run">
            <a href=paths::optimize(&design.id) aria-current=current(Look::OperatingPoint)>"Operating point"</a>
            <a href=paths::power(&design.id) aria-current=current(Look::Power)>"Power tree and steering"</a>
            <a href=paths::sweeps_of(&design.id)>"Sweeps"</a>
        </nav>
    }
}

/// Nothing can be sought or steered: why, and the design.
#[component]
pub fn NoAnswer(
    /// The design.
    design: DesignSummary,
    /// What can't be.
    heading: &'static str,
    /// Why.
    why: Option<String>,
) -> impl IntoView {
    view! {
        <section class="failure">
            <h2>{heading}</h2>
            <p>{why.unwrap_or_default()} "."</p>
            <p class="actions"><a href=paths::design(&design.id)>"Open the design"</a></p>
        </section>
    }
}
