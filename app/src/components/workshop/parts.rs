//! A design's own parts: taken from NetBox or TOML files, or made of catalog parts; each with its own price and source.

use super::{Bench, Besides};
use crate::workshop::own;
use crate::workshop::place::{OwnList, Place};
use crate::{api, browser};
use leptos::prelude::*;
use leptos::task::spawn_local;
use model::catalog::{PartsCheck, PartsFile};

/// Most bytes of a file of parts: a hundred device types of NetBox.
const FILE_BYTES_MAX: f64 = (1_u32 << 20) as f64;

/// The design's own parts, and what brings more.
#[component]
pub fn OwnParts(
    /// Whose.
    bench: Bench,
) -> impl IntoView {
    let remarks = RwSignal::new(Vec::<String>::new());
    let wrong = RwSignal::new(Vec::<String>::new());
    let refuse = move |why: String| wrong.update(|all| all.push(why));
    let take = move |name: String, text: Result<String, String>| match text {
        Ok(text) => spawn_local(async move {
            match api::parts_read(PartsFile { name: name.clone(), text }).await {
                Ok(PartsCheck::Read { read }) => {
                    remarks.update(|all| all.extend(read.remarks));
                    // The page may have been left meanwhile.
                    let taken = bench.design.try_with_untracked(|design| own::take(design, &name, read.parts));
                    if let Some(edited) = taken {
                        bench.edit(edited);
                    }
                }
                Ok(PartsCheck::Unreadable { reason }) => refuse(reason),
                Err(error) => refuse(error.to_string()),
            }
        }),
        Err(why) => refuse(format!("{name}: {why}")),
    };
    let rows = move || {
        bench.design.with(|design| {
            let of_list = |list: OwnList| {
                let names = list.rows(&design.parts).into_iter().map(str::to_owned).collect::<Vec<_>>();
                names.into_iter().enumerate().map(move |(at, name)| (Place::Own(list, at), name))
            };
            OwnList::ALL.into_iter().flat_map(of_list).collect::<Vec<_>>()
        })
    };
    let row = move |(place, name): (Place, String)| {
        view! {
            <tr>
                <th scope="row"><button class="link" on:click=move |_| bench.select(place, Besides::Nothing)>{name}</button></th>
                <td>{place.kind()}</td>
            </tr>
        }
    };
    view! {
        <h3>"Own parts"</h3>
        <p class="soft">"Parts that belong to this design alone, and win over the catalog's of the same name. Bring NetBox device or rack types (YAML), or rows like the catalog's (TOML); or select racks, trays or a power group and make the part your own. Select one to set its price, power and source."</p>
        <p class="actions">
            <label class="file">"Bring parts "
                <input type="file" multiple accept=".yaml,.yml,.toml,text/plain,application/yaml,application/toml"
                    on:change:target=move |event| {
                        remarks.set(Vec::new());
                        wrong.set(Vec::new());
                        browser::read_all_chosen(&event.target(), FILE_BYTES_MAX, take);
                    }/>
            </label>
        </p>
        {move || said(wrong.get(), "outcome error", "Nothing was taken from:")}
        {move || said(remarks.get(), "outcome warning", "What the file has not, and was estimated or left out:")}
        {move || {
            let rows = rows();
            if rows.is_empty() {
                view! { <p class="empty">"This design has no parts of its own."</p> }.into_any()
            } else {
                view! { <div class="scroll"><table><tbody>{rows.into_iter().map(row).collect_view()}</tbody></table></div> }.into_any()
            }
        }}
    }
}

/// What is said of files, if anything, under its heading.
fn said(words: Vec<String>, class: &'static str, heading: &'static str) -> Option<AnyView> {
    (!words.is_empty()).then(|| {
        view! {
            <div class=class role="status">
                <p>{heading}</p>
                <ul class="plain">{words.into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}</ul>
            </div>
        }
        .into_any()
    })
}
