//! What may a design name, what are its figures, and where do they come from?

use crate::api::{self, ApiError};
use crate::components::failure::Loaded;
use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::catalog::CatalogEntry;

/// The lists, by their names in files and on the page.
const LISTS: [(&str, &str); 7] = [
    ("gpu", "GPUs"),
    ("tray", "Trays"),
    ("rack", "Racks"),
    ("power", "Power"),
    ("cooling", "Cooling"),
    ("model", "Models"),
    ("location", "Places"),
];

/// The catalog, a list at a time.
#[component]
pub fn CatalogPage() -> impl IntoView {
    let query = use_query_map();
    let list = Memo::new(move |_| query.read().get("list").unwrap_or_else(|| LISTS[0].0.to_owned()));
    let rows = Resource::new(
        move || list.get(),
        |list| async move { Ok::<_, ApiError>((list.clone(), api::catalog_list(list).await?)) },
    );
    let tab = move |(name, words): (&'static str, &'static str)| {
        let current = move || if list.with(|list| list == name) { "page" } else { "false" };
        view! { <a href=paths::catalog_list(name) aria-current=current>{words}</a> }
    };
    view! {
        <Title text="Catalog"/>
        <h1>"Catalog"</h1>
        <p class="lead">"What designs may name. Every row says where its figures come from and when they were read; estimates say that they are."</p>
        <nav class="tabs" aria-label="Lists of the catalog">{LISTS.map(tab).collect_view()}</nav>
        <Loaded resource=rows noun="the catalog" show=table/>
    }
}

fn table((list, rows): (String, Vec<CatalogEntry>)) -> AnyView {
    let count = rows.len();
    let row = |entry: CatalogEntry| {
        let figures =
            entry.figures.into_iter().map(|(name, words)| view! { <div><dt>{name}</dt><dd>{words}</dd></div> });
        let own = entry.id.clone();
        let state = match entry.availability.as_str() {
            "announced" => " · announced",
            "generic" => " · a typical one, no product",
            _ => "",
        };
        view! {
            <tr id=own>
                <th scope="row"><span class="name">{entry.name}</span> <span class="soft description">{entry.maker} {state}</span> <code>{entry.id}</code></th>
                <td class="wide"><dl class="figures">{figures.collect_view()}</dl></td>
                <td class="wide soft">{entry.source} " (" {entry.as_of} ")"</td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=format!("Catalog: {list}")>
            <table class="catalog">
                <caption>{count} " rows. In a design's file each goes by the name in the fixed-width letters; a design's own parts win over them."</caption>
                <thead><tr><th scope="col">"Part"</th><th scope="col">"Figures"</th><th scope="col">"Source"</th></tr></thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
