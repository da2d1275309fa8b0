//! The face of Millwright: the pages, and the port through which they ask the house.
//!
//! Never: opens a file or a database, names a server crate, or works physics out; figures come from `sim` and from the
//! house, and components only pick and show them.
//!
//! Read `api` first (what pages may ask), then `paths`, `format` and `findings`, then a page with the `components` it
//! uses.

#![recursion_limit = "512"]

pub mod alarms;
pub mod api;
pub mod asked;
mod browser;
pub mod building;
pub mod components;
pub mod findings;
pub mod fleet;
pub mod format;
pub mod governance;
pub mod happened;
pub mod labels;
mod lazy;
pub mod made;
pub mod optimum;
pub mod pages;
pub mod paths;
pub mod period;
pub mod replayed;
pub mod serving;
pub mod steered;
pub mod workshop;
pub mod year;

use components::announcer::Announcer;
use components::made_up::MadeUp;
use components::palette::{PageCommands, Palette};
use components::theme::{ThemeChoice, ThemeScript, UnitsChoice};
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{A, Route, Router, Routes};
use leptos_router::hooks::use_location;
use leptos_router::location::RequestUrl;
use leptos_router::{Lazy, SsrMode};
use pages::catalog::CatalogPage;
use pages::designs::DesignsPage;
use pages::glossary::GlossaryPage;
use pages::home::HomePage;
use pages::runs::RunsPage;
use paths::route;

/// Fonts of the first paint, as `style/main.css` names them.
const FONTS: [&str; 2] = ["/fonts/inter-latin-wght-normal.woff2", "/fonts/jetbrains-mono-latin-wght-normal.woff2"];

/// The document around the pages.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let module = use_context::<RequestUrl>().and_then(|url| paths::module(url.parse().ok()?.path())).map(|module| {
        view! { <link rel="preload" href=module r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/> }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="description" content="Millwright, the open workshop for AI factories: how many tokens a megawatt makes, and where the rest goes."/>
                <ThemeScript/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {FONTS.map(|font| view! { <link rel="preload" href=font r#as="font" r#type="font/woff2" crossorigin="anonymous"/> })}
                <link rel="stylesheet" href="/style/tokens.css"/>
                <link rel="stylesheet" href="/style/main.css"/>
                <HydrationScripts options/>
                {module}
                <MetaTags/>
            </head>
            <body><App/></body>
        </html>
    }
}

/// The pages and what frames them.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(PageCommands(RwSignal::new(Vec::new())));
    provide_context(RwSignal::new(format::Units::Si));
    provide_context(MadeUp::told());
    view! {
        <Title formatter=|title: String| format!("{title} · Millwright")/>
        <Router>
            <a class="skip" href="#main">"Skip to the content"</a>
            <Top/>
            <main id="main" tabindex="-1">
                <Routes fallback=NoSuchPage>
                    <Route path=route::HOME view=HomePage ssr=SsrMode::Async/>
                    <Route path=route::DESIGNS view=DesignsPage ssr=SsrMode::Async/>
                    <Route path=route::DESIGN view={Lazy::<lazy::Design>::new()} ssr=SsrMode::Async/>
                    <Route path=route::OPTIMIZE view={Lazy::<lazy::Optimize>::new()} ssr=SsrMode::Async/>
                    <Route path=route::POWER view={Lazy::<lazy::Power>::new()} ssr=SsrMode::Async/>
                    <Route path=route::SWEEPS view={Lazy::<lazy::Sweeps>::new()} ssr=SsrMode::Async/>
                    <Route path=route::SWEEP view={Lazy::<lazy::Sweep>::new()} ssr=SsrMode::Async/>
                    <Route path=route::NEW view={Lazy::<lazy::New>::new()} ssr=SsrMode::Async/>
                    <Route path=route::CATALOG view=CatalogPage ssr=SsrMode::Async/>
                    <Route path=route::GLOSSARY view=GlossaryPage ssr=SsrMode::Async/>
                    <Route path=route::COMPARE view={Lazy::<lazy::Compare>::new()} ssr=SsrMode::Async/>
                    <Route path=route::REPORT view={Lazy::<lazy::Report>::new()} ssr=SsrMode::Async/>
                    <Route path=route::FLEET view={Lazy::<lazy::Fleet>::new()} ssr=SsrMode::Async/>
                    <Route path=route::FLEET_PLACE view={Lazy::<lazy::FleetPlace>::new()} ssr=SsrMode::Async/>
                    <Route path=route::FLEET_REPORT view={Lazy::<lazy::FleetReport>::new()} ssr=SsrMode::Async/>
                    <Route path=route::BINDING view={Lazy::<lazy::Binding>::new()} ssr=SsrMode::Async/>
                    <Route path=route::EVENTS view={Lazy::<lazy::Events>::new()} ssr=SsrMode::Async/>
                    <Route path=route::ALERTS view={Lazy::<lazy::Alerts>::new()} ssr=SsrMode::Async/>
                    <Route path=route::FACILITY view={Lazy::<lazy::Facility>::new()} ssr=SsrMode::Async/>
                    <Route path=route::SOURCES view={Lazy::<lazy::Sources>::new()} ssr=SsrMode::Async/>
                    <Route path=route::SERVING view={Lazy::<lazy::Serving>::new()} ssr=SsrMode::Async/>
                    <Route path=route::MODELS view={Lazy::<lazy::Models>::new()} ssr=SsrMode::Async/>
                    <Route path=route::WORKLOADS view={Lazy::<lazy::Workloads>::new()} ssr=SsrMode::Async/>
                    <Route path=route::RUNS view=RunsPage ssr=SsrMode::Async/>
                    <Route path=route::RUN view={Lazy::<lazy::Run>::new()} ssr=SsrMode::Async/>
                    <Route path=route::REPLAYS view={Lazy::<lazy::Replays>::new()} ssr=SsrMode::Async/>
                    <Route path=route::REPLAY view={Lazy::<lazy::Replay>::new()} ssr=SsrMode::Async/>
                </Routes>
            </main>
            <footer class="foot">
                <a href=paths::GLOSSARY>"Glossary"</a> <a href=paths::CATALOG>"Catalog and sources"</a>
                <a href=paths::API_DOCS rel="external">"API"</a> <span class="soft">"Every figure says where it comes from and how sure it is."</span>
            </footer>
            <Announcer/>
        </Router>
    }
}

/// Where one is, where one can go, and the theme.
#[component]
fn Top() -> impl IntoView {
    let path = use_location().pathname;
    let of_serving = move || path.with(|path| paths::is_of_serving(path)).then_some("page");
    let of_fleet = move || path.with(|path| paths::is_of_fleet(path)).then_some("page");
    view! {
        <header class="top">
            <a class="brand" href=paths::HOME>"Millwright"</a>
            <nav aria-label="Main">
                <A href=paths::HOME exact=true>"Overview"</A>
                <A href=paths::DESIGNS>"Designs"</A>
                <A href=paths::RUNS>"Runs"</A>
                <A href=paths::COMPARE>"Compare"</A>
                <a href=paths::SERVING aria-current=of_serving>"Serving"</a>
                <a href=paths::FLEET aria-current=of_fleet>"Fleet"</a>
                <A href=paths::EVENTS>"Events"</A>
                <A href=paths::CATALOG>"Catalog"</A>
            </nav>
            <Palette/>
            <UnitsChoice/>
            <ThemeChoice/>
        </header>
    }
}

/// An address that leads nowhere.
#[component]
fn NoSuchPage() -> impl IntoView {
    view! {
        <Title text="No such page"/>
        <section class="failure">
            <h1>"There is no such page"</h1>
            <p>"The address may be mistyped, or what stood here was removed."</p>
            <p class="actions"><a href=paths::HOME>"Go to the overview"</a> <a href=paths::DESIGNS>"See all designs"</a></p>
        </section>
    }
}

/// Wakes the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    browser::report_panics();
    hydrate_lazy(App);
}

/// The server's engine for scripts and tests: a site as JSON in, `{report, columns, milliseconds}` or `{error}` out.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn simulate_year(site_json: &str, step_minutes: u32, seed: f64, repeats: u32) -> String {
    year::simulate_json(site_json, step_minutes, seed as u64, repeats)
}
