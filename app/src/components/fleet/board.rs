//! What the parts of the fleet's page share: what the address says, the fleet as it is now, and what keeps it so.

use crate::api;
use crate::browser::{self, fleet as live};
use crate::fleet::groups::{self, Block};
use crate::fleet::live::{Now, Taken, silence};
use crate::fleet::look::Look;
use crate::paths;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use model::fleet::{FleetKpis, FleetNode, FleetView, PlanBinding};
use model::live::LiveSummary;
use model::metric::Metric;
use std::sync::Arc;

/// How long to wait before asking again for what could not be had, milliseconds.
const AGAIN_MS: i64 = 5_000;
/// How often charts follow the clock, milliseconds.
const CHARTS_MS: i64 = 10_000;

/// What changes only when the house sends a new view.
#[derive(Clone)]
pub struct Standing {
    /// The metric that values are of.
    pub metric: Metric,
    /// The nodes, in the order of positions.
    pub nodes: Arc<Vec<FleetNode>>,
    /// Where the GPUs of each begin.
    pub starts: Arc<Vec<u32>>,
    /// What the fleet is compared with.
    pub plan: Option<PlanBinding>,
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub struct Board {
    /// What the address says.
    pub look: Memo<Look>,
    /// What changes seldom.
    pub standing: RwSignal<Standing>,
    /// What each GPU does.
    pub now: RwSignal<Now>,
    /// The whole, and what needs a person.
    pub summary: RwSignal<LiveSummary>,
    /// The GPUs that are meant, in their groups.
    pub blocks: Memo<Arc<Vec<Block>>>,
    /// What is said when the stream is silent; empty while it speaks.
    pub silence: RwSignal<String>,
    /// Where to go: a path, and whether it takes the place of this one.
    go: RwSignal<Option<(String, Place)>>,
    /// Where the stream begins, once the page listens.
    opened: RwSignal<(Metric, String)>,
    /// When something was heard last.
    heard_ms: StoredValue<i64>,
    /// What the stream said last, for who opens it again.
    last_event: StoredValue<String>,
    /// Set where the browser gave up, or a view could not be had, with when.
    gave_up: StoredValue<Option<i64>>,
    /// Counts views that were asked for.
    wanted: RwSignal<u32>,
}

/// Whether another address is another step of the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is.
    After,
    /// It takes the place of this one.
    Instead,
}

impl Standing {
    fn of(view: &FleetView) -> Self {
        Self {
            metric: view.metric,
            starts: Arc::new(groups::starts(&view.nodes)),
            nodes: Arc::new(view.nodes.clone()),
            plan: view.plan.clone(),
        }
    }
}

fn summary_of(view: &FleetView) -> LiveSummary {
    LiveSummary { as_of_ms: view.as_of_ms, kpis: view.kpis.clone(), attention: view.attention.clone() }
}

/// What the address says.
pub fn look() -> Memo<Look> {
    let query = use_query_map();
    Memo::new(move |_| Look::read(|name| query.read().get(name)))
}

/// The time of the fleet's charts, which goes on in steps.
pub fn charts_time(now_ms: i64) -> i64 {
    now_ms.div_euclid(CHARTS_MS) * CHARTS_MS
}

impl Board {
    /// The fleet as its page was rendered, kept up to date once the page is awake.
    pub fn new(view: &FleetView, look: Memo<Look>) -> Self {
        let standing = RwSignal::new(Standing::of(view));
        let blocks = Memo::new(move |_| {
            let nodes = standing.with(|standing| Arc::clone(&standing.nodes));
            look.with(|look| Arc::new(groups::blocks(&nodes, look.group, &look.only)))
        });
        let board = Self {
            look,
            standing,
            now: RwSignal::new(Now::of(view)),
            summary: RwSignal::new(summary_of(view)),
            blocks,
            silence: RwSignal::new(String::new()),
            go: RwSignal::new(None),
            opened: RwSignal::new((view.metric, view.event.clone())),
            heard_ms: StoredValue::new(0),
            last_event: StoredValue::new(view.event.clone()),
            gave_up: StoredValue::new(None),
            wanted: RwSignal::new(0),
        };
        board.goes();
        board.listens();
        board.asks();
        board.watches();
        board
    }

    /// The figures of the whole, one of them.
    pub fn kpi<T: PartialEq + Send + Sync + 'static>(self, pick: fn(&FleetKpis) -> T) -> Memo<T> {
        Memo::new(move |_| self.summary.with(|summary| pick(&summary.kpis)))
    }

    /// The time for charts: that of the fleet, in steps.
    pub fn charts_now(self) -> Memo<i64> {
        Memo::new(move |_| self.summary.with(|summary| charts_time(summary.as_of_ms)))
    }

    /// Goes to a page.
    pub fn go(self, path: String) {
        self.go.set(Some((path, Place::After)));
    }

    /// Looks another way at the fleet.
    pub fn look_so(self, look: &Look, place: Place) {
        if self.look.with_untracked(|now| now != look) {
            self.go.set(Some((look.path(), place)));
        }
    }

    /// The address takes what the parts of the page want of it.
    fn goes(self) {
        let navigate = use_navigate();
        Effect::new(move |_| {
            let Some((path, place)) = self.go.get() else { return };
            let replace = place == Place::Instead;
            let scroll = !path.starts_with(&format!("{}?", paths::FLEET)) && path != paths::FLEET;
            navigate(&path, NavigateOptions { replace, scroll, ..NavigateOptions::default() });
        });
    }

    /// One connection, opened anew where another metric or another view begins.
    fn listens(self) {
        Effect::new(move |_| {
            let (metric, event) = self.opened.get();
            self.heard_ms.set_value(browser::wall_ms());
            let stream = live::listen(&paths::fleet_live(metric, &event), move |heard, id| self.hears(heard, id));
            // Dropped, and so closed, with this part of the page or when the next one is opened.
            StoredValue::new_local(stream);
        });
    }

    fn hears(self, heard: live::Heard, id: &str) {
        if let live::Heard::Lost { gave_up } = heard {
            if gave_up {
                self.gave_up.set_value(Some(browser::wall_ms()));
            }
            return;
        }
        self.heard_ms.set_value(browser::wall_ms());
        self.silence.update_untracked(String::clear);
        self.silence.notify();
        if !id.is_empty() {
            self.last_event.set_value(id.to_owned());
        }
        match heard {
            live::Heard::Values(values) => {
                let mut taken = Taken::All;
                self.now.update(|now| taken = now.take(&values));
                if taken == Taken::OtherLayout {
                    self.wanted.update(|wanted| *wanted += 1);
                }
            }
            live::Heard::Summary(summary) => self.summary.set(*summary),
            live::Heard::Reset(reset) => {
                self.silence.set(format!("{} Asking for the fleet anew.", reset.reason));
                self.wanted.update(|wanted| *wanted += 1);
            }
            live::Heard::Lost { .. } => {}
        }
    }

    /// Asks for a view where the address wants another metric, or the stream can't go on.
    fn asks(self) {
        let metric = Memo::new(move |_| self.look.with(|look| look.metric));
        Effect::new(move |before: Option<(Metric, u32)>| {
            let question = (metric.get(), self.wanted.get());
            let is_shown = self.standing.with_untracked(|standing| standing.metric == question.0);
            if before == Some(question) || (question.1 == 0 && is_shown) {
                return question;
            }
            spawn_local(async move {
                let found = api::fleet(question.0).await;
                // The page may have been left meanwhile, or another view asked for.
                if metric.try_get_untracked() != Some(question.0) {
                    return;
                }
                match found {
                    Ok(view) => self.shows(&view),
                    Err(error) => {
                        self.gave_up.set_value(Some(browser::wall_ms()));
                        self.silence.set(format!("The fleet could not be asked for: {error} Trying again."));
                    }
                }
            });
            question
        });
    }

    fn shows(self, view: &FleetView) {
        self.standing.set(Standing::of(view));
        self.now.set(Now::of(view));
        self.summary.set(summary_of(view));
        self.last_event.set_value(view.event.clone());
        self.gave_up.set_value(None);
        self.silence.set(String::new());
        self.opened.set((view.metric, view.event.clone()));
    }

    /// Says when the stream is silent, and opens it again where the browser gave up.
    fn watches(self) {
        Effect::new(move |_| {
            browser::every(1, move || {
                let now = browser::wall_ms();
                let (Some(heard), Some(gave_up)) = (self.heard_ms.try_get_value(), self.gave_up.try_get_value()) else {
                    return;
                };
                if let Some(words) = silence(heard, now) {
                    self.silence.set(words);
                }
                if gave_up.is_some_and(|since| now - since >= AGAIN_MS) {
                    self.gave_up.set_value(None);
                    let (asked, shown) = (
                        self.look.with_untracked(|look| look.metric),
                        self.standing.with_untracked(|standing| standing.metric),
                    );
                    if asked == shown {
                        self.opened.set((shown, self.last_event.get_value()));
                    } else {
                        self.wanted.update(|wanted| *wanted += 1);
                    }
                }
            });
        });
    }
}
