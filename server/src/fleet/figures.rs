//! The figures of the whole fleet, now, today and beside the plan, and where the planned tokens went.
//!
//! Pure: from the fleet as it is and the plan that it is bound to. Power is that of what is metered, and never made up:
//! a boundary of which a part is not metered has no figure.

use super::live::{Gpu, Live};
use model::fleet::{FleetCounts, FleetKpis, Health, Kpi, Loss, LossCause, Megawatt};
use model::metric::Metric;
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// What the plan says of the racks that the fleet is matched with, at full work.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Planned {
    /// GPUs.
    pub gpus: u32,
    /// Output tokens each second.
    pub tokens_per_s: f64,
    /// Power of the boards, W.
    pub board_w: f64,
    /// Power into the racks, W.
    pub it_w: f64,
    /// Power at the utility meter, W.
    pub facility_w: f64,
    /// Relative error of tokens and power together.
    pub error: f64,
}

/// The figures of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Now {
    /// Output tokens each second.
    pub tokens_per_s: Option<f64>,
    /// Power of the boards, W.
    pub board_w: Option<f64>,
    /// Power into the racks, W.
    pub it_w: Option<f64>,
    /// Power at the utility meter, W.
    pub facility_w: Option<f64>,
}

/// What was added up since midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Today {
    /// The day, counted from 1970.
    pub day: i64,
    tokens: Mean,
    board: Mean,
    it: Mean,
    facility: Mean,
    /// Energy of the boards at midnight, or when the house opened, as [`Gpu::energy_j`] adds up.
    pub board_energy_from_j: f64,
    /// When that was.
    pub energy_from_ms: i64,
}

/// A mean over time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Mean {
    /// Values added up.
    pub sum: f64,
    /// How many.
    pub count: f64,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            (self.sum, self.count) = (self.sum + value, self.count + 1.0);
        }
    }
    fn of(self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

impl Now {
    /// The figures of the fleet as it is.
    pub fn of(live: &Live) -> Self {
        // A router counts the tokens of the engines behind it again: it counts where nothing else does.
        let behind = live.engines.iter().any(|engine| !engine.routes());
        let counted = live.engines.iter().filter(|engine| !(behind && engine.routes()));
        let rates: Vec<f64> =
            counted.filter_map(|engine| engine.rate(Metric::EngineOutputTokens, live.now_ms)).collect();
        let boards: Vec<f64> = live.gpus.iter().filter_map(|gpu| gpu.value(Metric::GpuPower)).collect();
        Self {
            tokens_per_s: total(&rates),
            board_w: total(&boards),
            it_w: racks_w(live).or_else(|| nodes_w(live)),
            facility_w: live.fresh(&live.facility, Metric::FacilityPower),
        }
    }

    /// The widest boundary that is metered, and its power.
    pub fn widest(&self) -> (Megawatt, Option<f64>) {
        match (self.facility_w, self.it_w) {
            (Some(facility_w), _) => (Megawatt::Facility, Some(facility_w)),
            (None, Some(it_w)) => (Megawatt::It, Some(it_w)),
            (None, None) => (Megawatt::Board, self.board_w),
        }
    }
}

fn total(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum())
}

/// Power of all racks, where every rack that has GPUs is metered.
fn racks_w(live: &Live) -> Option<f64> {
    let with_gpus: BTreeSet<&str> =
        live.nodes.iter().filter(|node| !node.gpus.is_empty()).map(|node| node.rack.as_str()).collect();
    let metered: BTreeMap<&str, f64> = live
        .racks
        .iter()
        .filter_map(|(name, rack)| Some((name.as_str(), live.fresh(rack, Metric::RackPower)?)))
        .collect();
    let all = !with_gpus.is_empty() && with_gpus.iter().all(|rack| metered.contains_key(rack));
    all.then(|| metered.values().sum())
}

/// Power of all nodes, where every one that has GPUs is metered.
fn nodes_w(live: &Live) -> Option<f64> {
    let with_gpus = live.nodes.iter().filter(|node| !node.gpus.is_empty());
    let powers: Option<Vec<f64>> = with_gpus.map(|node| live.fresh_node(node, Metric::NodePower)).collect();
    total(&powers?)
}

impl Today {
    /// A day that begins now.
    pub fn new(now_ms: i64, board_energy_j: f64) -> Self {
        Self {
            day: now_ms.div_euclid(DAY_MS),
            board_energy_from_j: board_energy_j,
            energy_from_ms: now_ms,
            ..Self::default()
        }
    }

    /// Adds a moment.
    pub fn add(&mut self, now: &Now) {
        self.tokens.add(now.tokens_per_s);
        self.board.add(now.board_w);
        self.it.add(now.it_w);
        self.facility.add(now.facility_w);
    }

    /// What was kept of the day before the house opened: tokens, boards, racks, facility.
    pub fn restore(&mut self, [tokens, board, it, facility]: [Mean; 4]) {
        (self.tokens, self.board, self.it, self.facility) = (tokens, board, it, facility);
    }
}

/// The figures as pages show them.
pub fn kpis(live: &Live, now: &Now, today: &Today, planned: Option<&Planned>) -> FleetKpis {
    let (megawatt, _) = now.widest();
    let (today_w, planned_w) = match megawatt {
        Megawatt::Facility => (today.facility.of(), planned.map(|plan| plan.facility_w)),
        Megawatt::It => (today.it.of(), planned.map(|plan| plan.it_w)),
        Megawatt::Board => (today.board.of(), planned.map(|plan| plan.board_w)),
    };
    let per_mw = |tokens: Option<f64>, watts: Option<f64>| Some(tokens? * 1e6 / watts.filter(|watts| *watts > 0.0)?);
    let no_tokens = || now.tokens_per_s.is_none().then(|| "No serving engine is read.".to_owned());
    let error = planned.map(|plan| plan.error);
    let counted = live.gpus.iter().filter(|gpu| gpu.counts_energy()).count();
    FleetKpis {
        tokens_per_s: Kpi {
            now: now.tokens_per_s,
            today: today.tokens.of(),
            planned: planned.map(|plan| plan.tokens_per_s),
            planned_error: error,
            missing: no_tokens(),
        },
        board_w: power(now.board_w, today.board, planned.map(|plan| plan.board_w), error, "No GPU tells its power."),
        it_w: power(
            now.it_w,
            today.it,
            planned.map(|plan| plan.it_w),
            error,
            "Not every rack with GPUs, and not every node, has a meter that is read.",
        ),
        facility_w: power(
            now.facility_w,
            today.facility,
            planned.map(|plan| plan.facility_w),
            error,
            "No utility meter is read.",
        ),
        tokens_per_s_per_mw: Kpi {
            now: per_mw(now.tokens_per_s, now.widest().1),
            today: per_mw(today.tokens.of(), today_w),
            planned: per_mw(planned.map(|plan| plan.tokens_per_s), planned_w),
            planned_error: error,
            missing: no_tokens().or_else(|| now.widest().1.is_none().then(|| "No power is read.".to_owned())),
        },
        megawatt,
        board_energy_today_j: (!live.gpus.is_empty())
            .then(|| live.gpus.iter().map(|gpu| gpu.energy_j).sum::<f64>() - today.board_energy_from_j),
        board_energy_basis: energy_basis(counted, live.gpus.len(), today.energy_from_ms),
        counts: counts(live, planned),
        losses: losses(live, now, planned).unwrap_or_default(),
    }
}

fn power(now: Option<f64>, today: Mean, planned: Option<f64>, error: Option<f64>, missing: &str) -> Kpi {
    let missing = now.is_none().then(|| missing.to_owned());
    Kpi { now, today: today.of(), planned, planned_error: error, missing }
}

/// What the boards' energy rests on.
fn energy_basis(counted: usize, all: usize, from_ms: i64) -> String {
    let how = match all - counted {
        0 => "Every board counts its energy itself.".to_owned(),
        rest if rest == all => "Worked out from the boards' power.".to_owned(),
        rest => {
            format!("{counted} boards count their energy themselves; that of {rest} is worked out from their power.")
        }
    };
    format!("{how} Since {}.", clock_words(from_ms))
}

/// A time of day, UTC.
fn clock_words(at_ms: i64) -> String {
    let minutes = at_ms.rem_euclid(DAY_MS) / 60_000;
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

fn counts(live: &Live, planned: Option<&Planned>) -> FleetCounts {
    let mut counts = FleetCounts {
        planned: planned.map_or(0, |plan| plan.gpus),
        seen: live.gpus.len() as u32,
        ..FleetCounts::default()
    };
    for gpu in &live.gpus {
        let count = match gpu.health {
            Health::Busy => &mut counts.busy,
            Health::Idle => &mut counts.idle,
            Health::PowerHeld => &mut counts.power_held,
            Health::HeatHeld => &mut counts.heat_held,
            Health::Degraded => &mut counts.degraded,
            Health::Stale => &mut counts.stale,
            Health::Failed => &mut counts.failed,
        };
        *count += 1;
    }
    counts
}

/// How the planned tokens become those that are made, cause by cause: each takes its share of what the one before left,
/// and the last takes the rest, so that they add up to planned less made.
fn losses(live: &Live, now: &Now, planned: Option<&Planned>) -> Option<Vec<Loss>> {
    let (made, plan) = (now.tokens_per_s?, planned?);
    if plan.gpus == 0 {
        return None;
    }
    let usable: Vec<&Gpu> =
        live.gpus.iter().filter(|gpu| !matches!(gpu.health, Health::Failed | Health::Stale)).collect();
    let there = usable.len() as f64 / f64::from(plan.gpus);
    let (power, held_by_power) = speed(&usable, Health::PowerHeld);
    let (heat, held_by_heat) = speed(&usable, Health::HeatHeld);
    let works = |gpu: &&Gpu| gpu.value(Metric::GpuGraphicsActive).or_else(|| gpu.value(Metric::GpuUtilization));
    let work: Vec<f64> = usable.iter().filter_map(works).collect();
    let busy = total(&work).map_or(1.0, |sum| sum / work.len() as f64);
    let mut left = plan.tokens_per_s;
    let mut take = |cause, share: f64, because: String| {
        let lost = left * (1.0 - share);
        left -= lost;
        Loss { cause, tokens_per_s: lost, because }
    };
    let mut losses = vec![
        take(LossCause::Failures, there, format!("{} of {} planned GPUs can be used.", usable.len(), plan.gpus)),
        take(
            LossCause::Power,
            power,
            format!("{held_by_power} GPUs are held down by power; their clocks beside those of the others."),
        ),
        take(
            LossCause::Cooling,
            heat,
            format!("{held_by_heat} GPUs are held down by heat; their clocks beside those of the others."),
        ),
        take(
            LossCause::Utilisation,
            busy,
            format!("Kernels run {:.0}% of the time on the GPUs that can be used.", busy * 100.0),
        ),
    ];
    let because = "What is left: tokens for the same work, beside the plan.".to_owned();
    losses.push(Loss { cause: LossCause::ServingEfficiency, tokens_per_s: left - made, because });
    Some(losses)
}

/// The mean speed of GPUs where those that are held down run at their clock beside the fastest that is not, and how many
/// are held down.
fn speed(gpus: &[&Gpu], held: Health) -> (f64, usize) {
    let clock = |gpu: &&&Gpu| gpu.value(Metric::GpuSmClock);
    let free = gpus.iter().filter(|gpu| gpu.health == Health::Busy).filter_map(|gpu| clock(&gpu)).fold(0.0, f64::max);
    let down: Vec<f64> = gpus.iter().filter(|gpu| gpu.health == held).filter_map(|gpu| clock(&gpu)).collect();
    let count = gpus.iter().filter(|gpu| gpu.health == held).count();
    if free <= 0.0 || gpus.is_empty() {
        return (1.0, count);
    }
    let slower: f64 = down.iter().map(|clock| 1.0 - (clock / free).min(1.0)).sum();
    (1.0 - slower / gpus.len() as f64, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::reading::{Labels, SeriesKey};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn put(live: &mut Live, metric: Metric, labels: &[(&str, &str)], at_s: i64, value: f64) {
        let key = SeriesKey { name: metric.name().into(), labels: Labels::of(labels.iter().copied()) };
        live.apply(&Arc::new(key), at_s * 1_000, value, 0);
    }

    /// GPUs of one node with their clock, work and reasons, and an engine that makes 1,000 tokens each second.
    fn fleet(gpus: &[(f64, f64, f64)]) -> Live {
        let mut live = Live::opened(0);
        for (index, (clock, work, reasons)) in gpus.iter().enumerate() {
            let index = index.to_string();
            let labels = [("host", "a"), ("rack", "R1"), ("gpu", index.as_str())];
            for (metric, value) in [
                (Metric::GpuPower, 500.0),
                (Metric::GpuSmClock, *clock),
                (Metric::GpuUtilization, *work),
                (Metric::GpuClockEvents, *reasons),
            ] {
                put(&mut live, metric, &labels, 60, value);
            }
        }
        for (at_s, tokens) in [(0, 0.0), (60, 60_000.0)] {
            put(&mut live, Metric::EngineOutputTokens, &[("instance", "e")], at_s, tokens);
        }
        live.tick(61_000);
        live
    }

    fn planned(gpus: u32) -> Planned {
        Planned { gpus, tokens_per_s: 4_000.0, board_w: 4_000.0, it_w: 5_000.0, facility_w: 6_000.0, error: 0.1 }
    }

    #[test]
    fn the_megawatt_is_the_widest_that_is_metered() {
        let mut live = fleet(&[(2e9, 1.0, 0.0); 2]);
        assert_eq!(Now::of(&live).widest(), (Megawatt::Board, Some(1_000.0)));
        put(&mut live, Metric::RackPower, &[("rack", "R1")], 60, 1_300.0);
        assert_eq!(Now::of(&live).widest(), (Megawatt::It, Some(1_300.0)));
        put(&mut live, Metric::FacilityPower, &[("source", "bms")], 60, 1_500.0);
        assert_eq!(Now::of(&live).widest(), (Megawatt::Facility, Some(1_500.0)));
        put(&mut live, Metric::GpuPower, &[("host", "b"), ("rack", "R2"), ("gpu", "0")], 60, 1.0);
        assert_eq!(Now::of(&live).it_w, None, "a rack with GPUs that no meter tells of");
    }

    #[test]
    fn a_missing_figure_has_a_reason_and_is_not_zero() {
        let live = Live::opened(0);
        let kpis = kpis(&live, &Now::of(&live), &Today::new(0, 0.0), None);
        for kpi in [&kpis.tokens_per_s, &kpis.board_w, &kpis.it_w, &kpis.facility_w, &kpis.tokens_per_s_per_mw] {
            assert!(kpi.now.is_none() && kpi.missing.is_some(), "{kpi:?}");
        }
        assert!(kpis.losses.is_empty());
    }

    #[test]
    fn losses_are_named_by_what_holds_gpus_down() {
        let gpus = [(2e9, 1.0, 0.0), (1e9, 1.0, 4.0), (1.5e9, 1.0, 32.0), (2e9, 0.5, 0.0)];
        let live = fleet(&gpus);
        let losses = losses(&live, &Now::of(&live), Some(&planned(8))).unwrap();
        let of = |cause| losses.iter().find(|loss| loss.cause == cause).unwrap().tokens_per_s;
        assert!((of(LossCause::Failures) - 2_000.0).abs() < 1e-9, "four of eight GPUs");
        assert!((of(LossCause::Power) - 2_000.0 * 0.5 / 4.0).abs() < 1e-9, "one of four at half its clock");
        assert!((of(LossCause::Cooling) - 1_750.0 * 0.25 / 4.0).abs() < 1e-9);
        assert!((of(LossCause::Utilisation) - (1_750.0 - 109.375) * 0.125).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn law_losses_add_up_to_what_is_missing(
            gpus in prop::collection::vec((1e9..2e9_f64, 0.0..1.0_f64, prop::sample::select(vec![0.0, 4.0, 32.0])), 1..12),
            count in 1_u32..20,
        ) {
            let live = fleet(&gpus);
            let (now, plan) = (Now::of(&live), planned(count));
            let losses = losses(&live, &now, Some(&plan)).unwrap();
            let sum: f64 = losses.iter().map(|loss| loss.tokens_per_s).sum();
            prop_assert!((sum - (plan.tokens_per_s - now.tokens_per_s.unwrap())).abs() < 1e-6);
        }
    }
}
