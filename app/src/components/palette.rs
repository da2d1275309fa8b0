//! The command palette (Ctrl+K or ⌘K) and the sheet of shortcuts (?): every page and design one line away, and what the open
//! page adds.

use crate::{api, paths};
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// Lines shown at once.
const SHOWN: usize = 12;

/// What a line of the palette does.
#[derive(Clone)]
pub enum Act {
    /// Goes to a page.
    Go(String),
    /// Does something on the page.
    Do(Callback<()>),
}

/// A line of the palette.
#[derive(Clone)]
pub struct Command {
    /// What it does, in words.
    pub words: String,
    /// The keys that do the same; empty for none.
    pub keys: &'static str,
    /// What it does.
    pub act: Act,
}

/// What the open page adds to the palette.
#[derive(Clone, Copy)]
pub struct PageCommands(pub RwSignal<Vec<Command>>);

/// Adds commands to the palette for as long as the page is open.
pub fn feed(commands: Vec<Command>) {
    if let Some(PageCommands(fed)) = use_context() {
        fed.set(commands);
        on_cleanup(move || {
            // The palette may be gone already, with the whole app.
            let _ = fed.try_set(Vec::new());
        });
    }
}

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Palette,
    Shortcuts,
}

/// Keys of every page, of the workshop and of the fleet.
const SHORTCUTS: [(&str, &str); 17] = [
    ("Ctrl+K or ⌘K", "Find a page, a design or a command"),
    ("?", "This sheet"),
    ("Esc", "Close what is open"),
    ("Ctrl+Z", "Workshop: undo"),
    ("Ctrl+Shift+Z or Ctrl+Y", "Workshop: redo"),
    ("← →", "Workshop: move racks within their row"),
    ("↑ ↓", "Workshop: move racks or a row to the next"),
    ("+ −", "Workshop: one more, one fewer"),
    ("Delete", "Workshop: remove what is selected"),
    ("Ctrl+C, Ctrl+V", "Workshop: copy, paste"),
    ("Ctrl+D", "Workshop: copy beside it"),
    ("Ctrl+click", "Workshop: select besides"),
    ("↑ ↓", "Rack: move a tray to the next free unit"),
    (
        "← → ↑ ↓, + − 0, N",
        "Fleet, with the map focused: move from GPU to GPU, near, far, all, the next that is not well",
    ),
    ("T", "Fleet: from the map to the table and back"),
    ("← →, + −, T", "Charts, with one focused: read along it, zoom, its table"),
    ("← → ↑ ↓, + −, 1 to 5", "3D, with the picture focused: turn, near, bookmarks"),
];

/// The palette and the sheet. They wait for their keys.
#[expect(clippy::too_many_lines, reason = "what is found, how it is picked and what is shown stand together")]
#[component]
pub fn Palette() -> impl IntoView {
    let open = RwSignal::new(Open::Nothing);
    let words = RwSignal::new(String::new());
    let picked = RwSignal::new(0_usize);
    let field = NodeRef::<Input>::new();
    let fed = use_context::<PageCommands>();
    let designs = crate::browser::once_awake(move || {
        let wanted = open.get() == Open::Palette;
        async move {
            if wanted {
                (api::designs().await.unwrap_or_default(), api::runs().await.unwrap_or_default())
            } else {
                (Vec::new(), Vec::new())
            }
        }
    });
    let found = Memo::new(move |_| {
        let wanted = words.get().to_lowercase();
        let page = |words: &str, path: &str| (words.to_owned(), path.to_owned());
        let mut names: Vec<String> = fed
            .map(|PageCommands(fed)| fed.with(|list| list.iter().map(|c| c.words.clone()).collect()))
            .unwrap_or_default();
        let fixed = [
            page("Overview", paths::HOME),
            page("Designs", paths::DESIGNS),
            page("New design", paths::NEW),
            page("Runs", paths::RUNS),
            page("Compare runs", paths::COMPARE),
            page("Sweeps", paths::SWEEPS),
            page("Serving", paths::SERVING),
            page("Workloads", paths::WORKLOADS),
            page("Predicted and measured", paths::MODELS),
            page("Fleet: every GPU now", paths::FLEET),
            page("Alerts: what needs a person", paths::ALERTS),
            page("Events: what happened in the fleet", paths::EVENTS),
            page("Sources: where readings come from", paths::SOURCES),
            page("Facility: what the building says", paths::FACILITY),
            page("The plan of the fleet", paths::BINDING),
            page("Yesterday's report of the fleet", &paths::fleet_report("yesterday")),
            page("Catalog: every part and its source", paths::CATALOG),
            page("Glossary: the field's words", paths::GLOSSARY),
            page("API documentation", paths::API_DOCS),
            page("Replay: requests through a fleet", paths::REPLAYS),
        ];
        names.extend(fixed.iter().map(|(words, _)| format!("Go to {words}")));
        let (listed, run) = designs.get().unwrap_or_default();
        names.extend(listed.iter().map(|design| format!("Open {}", design.name)));
        names.extend(run.iter().map(|run| {
            format!("Run of {}, version {}, {}", run.design_name, run.version, crate::format::moment(run.created_ms))
        }));
        let mut targets: Vec<Option<String>> = vec![None; names.len() - fixed.len() - listed.len() - run.len()];
        targets.extend(fixed.into_iter().map(|(_, path)| Some(path)));
        targets.extend(listed.iter().map(|design| Some(paths::design(&design.id))));
        targets.extend(run.iter().map(|run| Some(paths::run(&run.id))));
        names
            .into_iter()
            .zip(targets)
            .enumerate()
            .filter(|(_, (name, _))| wanted.split_whitespace().all(|word| name.to_lowercase().contains(word)))
            .map(|(at, (name, to))| (at, name, to))
            .take(SHOWN)
            .collect::<Vec<_>>()
    });
    let navigate = use_navigate();
    let goes = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if let Some(path) = goes.get() {
            navigate(&path, NavigateOptions::default());
        }
    });
    let run = move |(at, _, to): (usize, String, Option<String>)| {
        open.set(Open::Nothing);
        match to {
            Some(path) if path == paths::API_DOCS => crate::browser::go(&path),
            Some(path) => goes.set(Some(path)),
            None => match fed.and_then(|PageCommands(fed)| fed.with_untracked(|list| list.get(at).cloned())) {
                Some(Command { act: Act::Do(act), .. }) => act.run(()),
                Some(Command { act: Act::Go(path), .. }) => goes.set(Some(path)),
                None => {}
            },
        }
    };
    crate::browser::on_keys(move |event| on_key(&event, open, words, picked));
    // What had the focus has it again, unless a page is gone to.
    let held = StoredValue::new(None::<String>);
    Effect::new(move |before: Option<Open>| {
        let now = open.get();
        match (before.unwrap_or(Open::Nothing), now) {
            (Open::Nothing, Open::Palette | Open::Shortcuts) => held.set_value(crate::browser::focused_id()),
            (Open::Palette | Open::Shortcuts, Open::Nothing) => {
                if let Some(id) = held.get_value() {
                    crate::browser::focus_once_drawn(id);
                }
            }
            _ => {}
        }
        now
    });
    Effect::new(move |_| {
        if open.get() == Open::Palette
            && let Some(field) = field.get()
        {
            // A browser that won't move the focus leaves it to Tab.
            let _ = field.focus();
        }
    });
    let typed = move |event: KeyboardEvent| {
        let last = found.with(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => picked.update(|at| *at = (*at + 1).min(last)),
            "ArrowUp" => picked.update(|at| *at = at.saturating_sub(1)),
            "Enter" => {
                if let Some(line) = found.with(|found| found.get(picked.get_untracked()).cloned()) {
                    run(line);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let none = move || {
        found.with(Vec::is_empty).then(|| view! {
        <p class="empty">"Nothing is called so. Pages, designs, runs and the open page's commands are found here; parts are in the "<a href=paths::CATALOG>"catalog"</a>"."</p>
    })
    };
    let lines = move || {
        found.get().into_iter().enumerate().map(|(at, line)| {
            let name = line.1.clone();
            let chosen = move || (picked.get() == at).to_string();
            view! { <li role="option" id=format!("palette-{at}") aria-selected=chosen on:click=move |_| run(line.clone())>{name}</li> }
        }).collect_view()
    };
    view! {
        {move || match open.get() {
            Open::Nothing => ().into_any(),
            Open::Palette => view! {
                <div class="veil" on:click=move |_| open.set(Open::Nothing)>
                    <div class="palette" role="dialog" aria-modal="true" aria-label="Commands" on:click=move |event| event.stop_propagation()>
                        <input type="text" role="combobox" aria-expanded="true" aria-controls="palette-lines" aria-label="Find a page, a design or a command"
                            aria-activedescendant=move || format!("palette-{}", picked.get()) placeholder="Find a page, a design or a command"
                            node_ref=field prop:value=move || words.get() on:input:target=move |event| { words.set(event.target().value()); picked.set(0); } on:keydown=typed/>
                        <ul role="listbox" id="palette-lines" aria-label="Found">{lines}</ul>
                        {none}
                    </div>
                </div>
            }.into_any(),
            Open::Shortcuts => view! {
                <div class="veil" on:click=move |_| open.set(Open::Nothing)>
                    <div class="palette" role="dialog" aria-modal="true" aria-label="Keyboard shortcuts" tabindex="-1" on:click=move |event| event.stop_propagation()>
                        <h2>"Keyboard shortcuts"</h2>
                        <table><tbody>{SHORTCUTS.map(|(keys, words)| view! { <tr><th scope="row"><kbd>{keys}</kbd></th><td>{words}</td></tr> }).into_iter().collect_view()}</tbody></table>
                        <p class="actions"><button on:click=move |_| open.set(Open::Nothing)>"Close"</button></p>
                    </div>
                </div>
            }.into_any(),
        }}
        <button class="quiet" on:click=move |_| { words.set(String::new()); picked.set(0); open.set(Open::Palette); }>"Find "<kbd>"Ctrl K"</kbd></button>
    }
}

fn on_key(event: &KeyboardEvent, open: RwSignal<Open>, words: RwSignal<String>, picked: RwSignal<usize>) {
    let held = event.ctrl_key() || event.meta_key();
    match event.key().as_str() {
        "k" if held => {
            event.prevent_default();
            words.set(String::new());
            picked.set(0);
            open.set(Open::Palette);
        }
        "?" if !crate::browser::is_typing(event) => open.set(Open::Shortcuts),
        "Escape" if open.get_untracked() != Open::Nothing => open.set(Open::Nothing),
        _ => {}
    }
}
