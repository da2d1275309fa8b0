//! What pages and programs ask of the optimizer: the study of a design, a choice put back as a version of it, and its power tree
//! under steering.

use crate::backend::House;
use crate::error::{of_task, sentence};
use app::api::{ApiError, Backend};
use model::design::Design;
use model::id::DesignId;
use model::optimum::{Applied, Change, Choice, Goal, Limits, Optimum, OptimumApply, OptimumAsk, OptimumView, Point};
use model::run::{DesignSummary, Origin};
use model::steered::{SteerAsk, SteeredView};
use model::version::{BranchPoint, DesignCreate, DesignSave, DesignSaved};
use optimize::{Base, Unfit, replaced, study, thinned};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Studies at the same time: each takes a second or two of one core.
const AT_ONCE: usize = 1;
/// Studies and steerings that wait for their turn; more are refused.
const WAITING: usize = 8;
/// Studies that are remembered: of the designs that a few people look at.
const REMEMBERED: usize = 16;
/// Points of the frontier that a page is given.
const FRONTIER_SHOWN: usize = 300;

/// A study by the text that it is of and what was asked.
type Remembered = (String, OptimumAsk, Arc<Optimum>);

/// Room for studies under way, and those of late.
#[derive(Debug)]
pub struct Optima {
    turns: Semaphore,
    places: Semaphore,
    found: Mutex<VecDeque<Remembered>>,
}

impl Default for Optima {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), places: Semaphore::new(AT_ONCE + WAITING), found: Mutex::default() }
    }
}

impl Optima {
    fn recall(&self, text: &str, ask: &OptimumAsk) -> Option<Arc<Optimum>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().find(|(own, asked, _)| own == text && asked == ask).map(|(.., optimum)| Arc::clone(optimum))
    }

    fn remember(&self, text: &str, ask: &OptimumAsk, optimum: &Arc<Optimum>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.push_front((text.to_owned(), ask.clone(), Arc::clone(optimum)));
        found.truncate(REMEMBERED);
    }

    /// Work of a second or more, on a thread of its own, in its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = || ApiError::Busy { reason: "Too many searches wait already: try again in a moment.".into() };
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let _turn = self.turns.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|error| of_task(doing, error))
    }
}

impl House {
    /// The study of the newest version of a design.
    pub async fn study_of(&self, id: &DesignId, ask: OptimumAsk) -> Result<OptimumView, ApiError> {
        check(&ask)?;
        let opened = self.designs.newest(id).await?;
        let summary = opened.summary();
        let text = opened.stored.version.text_sha256.clone();
        if let Some(optimum) = self.optima.recall(&text, &ask) {
            return Ok(OptimumView { design: summary, optimum: Some(Optimum::clone(&optimum)), refused: None });
        }
        let design = opened.known.drawn()?.clone();
        let (designs, asked) = (Arc::clone(&self.designs), ask.clone());
        let work = move || {
            let base = Base::new(&design, designs.catalog(), asked.limits).map_err(unfit)?;
            let mut found = study(&base, (&design, designs.catalog()), &asked);
            found.answer.frontier = thinned(std::mem::take(&mut found.answer.frontier), FRONTIER_SHOWN);
            Ok::<_, String>(found)
        };
        Ok(match self.optima.in_turn("search", work).await? {
            Ok(found) => {
                let found = Arc::new(found);
                self.optima.remember(&text, &ask, &found);
                OptimumView { design: summary, optimum: Some(Optimum::clone(&found)), refused: None }
            }
            Err(why) => OptimumView { design: summary, optimum: None, refused: Some(why) },
        })
    }

    /// Keeps a choice as a new version of its design; of a reference design, which does not change, as a branch.
    pub async fn apply_choice(&self, apply: OptimumApply) -> Result<Applied, ApiError> {
        let opened = self.designs.version(&apply.design, apply.version).await?;
        let design = opened.known.drawn()?.clone();
        let (made, label, message) = self.changed(design, apply.change).await?;
        let toml = toml::to_string(&made)
            .map_err(|error| ApiError::Internal { reason: format!("The design could not be written: {error}.") })?;
        let summary = opened.summary();
        if summary.origin == Origin::Reference {
            let name: String = format!("{}, {label}", summary.name).chars().take(120).collect();
            let branched_from = Some(BranchPoint { design: apply.design, version: apply.version });
            let design = self.design_create(DesignCreate { name, toml, branched_from }).await?;
            return Ok(Applied { design, is_branch: true });
        }
        let save = DesignSave { id: apply.design.clone(), toml, based_on_version: apply.version, label, message };
        match self.design_save(save).await? {
            DesignSaved::Saved { .. } => {
                let design: DesignSummary = self.designs.newest(&apply.design).await?.summary();
                Ok(Applied { design, is_branch: false })
            }
            DesignSaved::Conflict { conflict } => Err(ApiError::Conflict {
                reason: format!(
                    "Version {} was saved in the meantime: search that one, then apply.",
                    conflict.newest.version
                ),
            }),
        }
    }

    /// The design with a change made, and what the version is to be called and to say.
    async fn changed(&self, design: Design, change: Change) -> Result<(Design, String, String), ApiError> {
        let designs = Arc::clone(&self.designs);
        let work = move || match change {
            Change::Choice(choice) => {
                let base = Base::new(&design, designs.catalog(), Limits::default());
                let base = base.map_err(|why| ApiError::Invalid { reason: sentence(&unfit(why)) })?;
                check_choice(&choice, &base)?;
                Ok((base.design(&design, &choice), words(&choice), told(&base.point(&choice))))
            }
            Change::Placement => {
                let none = || ApiError::Invalid { reason: "The design's racks can't be placed anew.".into() };
                let (told, made) = replaced(&design, designs.catalog()).ok_or_else(none)?;
                let stranded: f64 = told.causes.iter().map(|(.., after)| after).sum();
                let message = format!(
                    "{} racks for {} drawn, {} of them moved; {stranded:.3} MW that feeds can promise have no rack.",
                    told.racks, told.racks_drawn, told.moved
                );
                Ok((made, "racks placed to strand the least power".to_owned(), message))
            }
        };
        self.optima.in_turn("change the design", work).await?
    }

    /// The power tree of the newest version of a design under a policy.
    pub async fn steering_of(&self, id: &DesignId, ask: SteerAsk) -> Result<SteeredView, ApiError> {
        check_steering(&ask)?;
        let opened = self.designs.newest(id).await?;
        let (summary, site) = (opened.summary(), opened.known.site()?);
        let told = self.optima.in_turn("steer", move || sim::steering::site::steered(&site, &ask)).await?;
        Ok(match told {
            Ok(steered) => SteeredView { design: summary, steered: Some(steered), refused: None },
            Err(why) => SteeredView { design: summary, steered: None, refused: Some(why.to_string()) },
        })
    }
}

fn unfit(why: Unfit) -> String {
    match why {
        Unfit::Notes(notes) => notes.first().map_or("the design does not add up".to_owned(), ToString::to_string),
        Unfit::NoGpus => "the design has no racks with GPUs: there is nothing to search".to_owned(),
    }
}

/// Refuses questions that have no answer.
fn check(ask: &OptimumAsk) -> Result<(), ApiError> {
    let distinct = ask.frontier.iter().enumerate().all(|(at, goal)| !ask.frontier[..at].contains(goal));
    if !(2..=3).contains(&ask.frontier.len()) || !distinct {
        return Err(ApiError::Invalid { reason: "A frontier is of two or three goals, each named once.".into() });
    }
    let limits = [
        ("power", ask.limits.power_mw),
        ("capex", ask.limits.capex_usd),
        ("ttft", ask.limits.ttft_ms),
        ("tpot", ask.limits.tpot_ms),
    ];
    let onsite = ask.onsite.unwrap_or_default();
    let shares = [onsite.solar_capacity_factor.unwrap_or(0.0), onsite.shift];
    let gas = onsite.gas.map_or([0.0; 3], |gas| [gas.usd_per_kw, gas.fuel_usd_per_mwh, gas.carbon_kg_per_mwh]);
    if shares.iter().any(|share| !(0.0..=1.0).contains(share)) || gas.iter().any(|of| !(of.is_finite() && *of >= 0.0)) {
        let reason = "Shares of `onsite` must be from 0 to 1, and figures of gas numbers not below 0.".into();
        return Err(ApiError::Invalid { reason });
    }
    for (name, value) in limits {
        if value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
            return Err(ApiError::Invalid { reason: format!("The limit `{name}` must be a number above 0.") });
        }
    }
    Ok(())
}

fn check_choice(choice: &Choice, base: &Base) -> Result<(), ApiError> {
    let invalid = |reason: &str| Err(ApiError::Invalid { reason: reason.to_owned() });
    if choice.racks == 0 || choice.racks > base.racks_most() {
        return invalid("So many racks have no positions in the design's halls.");
    }
    if !(choice.cap_w.is_finite() && choice.cap_w > 0.0 && choice.cap_w < 1e5) {
        return invalid("The power limit of a GPU must be a number of watts above 0.");
    }
    if choice.supply_c.is_some_and(|c| !(0.0..=90.0).contains(&c)) {
        return invalid("Water must be between 0 and 90 °C.");
    }
    Ok(())
}

fn check_steering(ask: &SteerAsk) -> Result<(), ApiError> {
    let invalid = |reason: &str| Err(ApiError::Invalid { reason: reason.to_owned() });
    if ask.limit_mw.is_some_and(|mw| !(mw.is_finite() && mw > 0.0 && mw <= 1e5)) {
        return invalid("The power limit must be a number of megawatts above 0.");
    }
    if !(0.0..=1.0).contains(&ask.load) {
        return invalid("The load must be a share from 0 to 1.");
    }
    if !(ask.event > 0.0 && ask.event <= 1.0) {
        return invalid("The event must leave a share of the limit above 0 and no more than 1.");
    }
    Ok(())
}

/// A choice, short enough for the label of a version.
fn words(choice: &Choice) -> String {
    let water = choice.supply_c.map(|c| format!(", water at {c:.1} °C")).unwrap_or_default();
    format!("{} racks at {:.0} W a GPU{water}", choice.racks, choice.cap_w)
}

fn told(point: &Point) -> String {
    let figures = Goal::ALL.map(|goal| format!("{:.4} {}", goal.value(point), goal.unit()));
    format!("Chosen on the optimizer's page: {}.", figures.join(", "))
}
