//! What a made-up fleet is at a time: the simulator's year at this hour, spread over GPUs, with faults by seed.
//!
//! Pure. Shares of the whole are the simulator's; how single GPUs differ from the mean, and how often what fails, is made
//! up and shows only that pages cope: fault rates are some hundred times those of a real fleet.

use model::event::{FleetEvent, Happening};
use model::scenario::Scenario;
use model::site::Site;
use model::trace::Columns;
use sim::board::{CapCurve, Phase};

/// Length of a slot of time in which a fault may begin.
const SLOT_MS: i64 = 600_000;
/// How long a lost GPU is away.
const AWAY_SLOTS: i64 = 2;
/// GPUs of a thousand that fall off the bus in a slot.
const LOST_PERMILLE: f64 = 0.15;
/// GPUs of a thousand that report an error in a slot.
const ERROR_PERMILLE: f64 = 0.4;
/// Nodes of a hundred that have no work.
const SPARE_PERCENT: u64 = 3;
/// The grid asks for less in these minutes of every hour.
const GRID_MINUTES: std::ops::Range<i64> = 20..30;
/// To this share of the usual.
const GRID_SHARE: f64 = 0.8;
/// A rack's air is too warm in these minutes of every hour.
const WARM_MINUTES: std::ops::Range<i64> = 40..50;
/// Slowdown bits of NVML: power cap in software, heat in software.
const BY_POWER: f64 = 4.0;
const BY_HEAT: f64 = 32.0;

/// A made-up fleet.
#[derive(Debug)]
pub struct Made {
    /// The design's name.
    pub name: String,
    /// The GPUs' name.
    pub gpu_name: String,
    /// The language model's name.
    pub model_name: String,
    /// GPUs of a node.
    pub gpus_per_node: u32,
    /// Memory of a GPU.
    pub memory_bytes: f64,
    /// Racks with GPUs: name, hall and nodes.
    pub racks: Vec<(String, String, u32)>,
    seed: u64,
    board_w: f64,
    idle_w: f64,
    busy_w: f64,
    prompt_per_output: f64,
    output_tokens: f64,
    ttft_s: f64,
    tpot_s: f64,
    batch: f64,
    columns: Columns,
    /// Rack of each node, by number.
    node_racks: Vec<u32>,
}

/// The fleet as a whole at a time.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Output tokens each second.
    pub tokens_per_s: f64,
    /// Power of the boards, W.
    pub board_w: f64,
    /// Into the racks, W.
    pub it_w: f64,
    /// At the meter, W.
    pub facility_w: f64,
    /// Outside, °C.
    pub dry_bulb_c: f64,
    /// GPUs that can be used.
    pub usable: u32,
    work: f64,
    limit_w: f64,
    /// Output tokens each second of a node that nothing holds down.
    per_node: f64,
}

/// A GPU at a time.
#[derive(Debug, Clone, Copy)]
pub struct Board {
    /// Whether it answers.
    pub is_there: bool,
    /// What it draws, W.
    pub power_w: f64,
    /// Its limit, W.
    pub limit_w: f64,
    /// How warm it is, °C.
    pub temperature_c: f64,
    /// Share of time with a kernel running.
    pub work: f64,
    /// Its clock.
    pub clock_hz: f64,
    /// Share of its memory in use.
    pub memory_share: f64,
    /// Why its clock is held down, as NVML's bits.
    pub reasons: f64,
    /// Memory errors corrected.
    pub corrected: f64,
    /// Whether a row waits to be remapped.
    pub pending: f64,
}

/// A node's engine at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serving {
    /// Output tokens each second.
    pub output_tokens_per_s: f64,
    /// Prompt tokens each second.
    pub prompt_tokens_per_s: f64,
    /// Requests each second.
    pub requests_per_s: f64,
    /// Requests under way.
    pub running: f64,
    /// Requests that wait.
    pub waiting: f64,
    /// Share of the KV cache in use.
    pub kv_used: f64,
    /// Mean time to the first token.
    pub ttft_s: f64,
    /// Mean time between tokens.
    pub tpot_s: f64,
}

impl Made {
    /// The fleet of a site, as its year in a scenario says. None where the site has no GPUs.
    pub fn of(site: &Site, scenario: &Scenario, seed: u64) -> Option<Self> {
        let class = site.racks.iter().find(|class| class.gpus > 0)?;
        let gpu = class.gpu.as_ref()?;
        let evaluation = sim::evaluate(site);
        let point = evaluation.serving.first()?;
        let columns = sim::simulate(site, scenario).columns;
        let gpus_per_node = class.domain_gpus.clamp(1, 8);
        let racks: Vec<(String, String, u32)> = crate::fleet::plan::positions(site)
            .into_iter()
            .zip(1_u32..)
            .map(|(position, number)| {
                let hall = position.name.split(" / ").next().unwrap_or_default().to_owned();
                (format!("R{number:02}"), hall, position.gpus / gpus_per_node)
            })
            .collect();
        let node_racks = (0_u32..).zip(&racks).flat_map(|(rack, (.., nodes))| vec![rack; *nodes as usize]).collect();
        Some(Self {
            name: site.name.clone(),
            gpu_name: gpu.name.clone(),
            model_name: site.service.model.name.clone(),
            gpus_per_node,
            memory_bytes: gpu.memory.as_bytes(),
            racks,
            seed,
            board_w: class.power_cap.as_watts(),
            idle_w: gpu.idle_power.as_watts(),
            busy_w: point.gpu_power_w,
            prompt_per_output: site.service.input_tokens / site.service.output_tokens,
            output_tokens: site.service.output_tokens,
            ttft_s: point.ttft_ms / 1e3,
            tpot_s: point.tpot_ms / 1e3,
            batch: point.batch,
            columns,
            node_racks,
        })
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        self.node_racks.len() as u32
    }
    /// A node's name.
    pub fn host(&self, node: u32) -> String {
        let rack = self.node_racks[node as usize];
        let first = self.node_racks.partition_point(|at| *at < rack) as u32;
        format!("gpu-{}-{}", self.racks[rack as usize].0.to_lowercase(), node - first + 1)
    }
    /// A node's rack.
    pub fn rack(&self, node: u32) -> String {
        self.racks[self.node_racks[node as usize] as usize].0.clone()
    }
    /// A node's hall.
    pub fn hall(&self, node: u32) -> String {
        self.racks[self.node_racks[node as usize] as usize].1.clone()
    }
    /// Whose work a node does.
    pub fn tenant(&self, node: u32) -> String {
        ["chat", "search", "agents", "batch"][(self.node_racks[node as usize] % 4) as usize].to_owned()
    }
    /// A GPU's id.
    pub fn uuid(&self, node: u32, index: u32) -> String {
        let bits = self.chance(&[1, node.into(), index.into()]);
        format!("GPU-{:08x}-{:04x}-4000-8000-{node:08x}{index:04x}", bits >> 32, bits & 0xffff)
    }

    /// A number that the seed decides for these.
    fn chance(&self, of: &[u64]) -> u64 {
        // SplitMix64's finaliser (Steele, Lea and Flood, 2014), over each in turn.
        of.iter().fold(self.seed, |state, more| {
            let mut mixed = (state ^ more).wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        })
    }
    /// The same as a share of 1.
    fn share(&self, of: &[u64]) -> f64 {
        (self.chance(of) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The whole fleet at a time.
    pub fn at(&self, at_ms: i64) -> Moment {
        let steps = self.columns.facility_power_w.len().max(1).cast_signed() as i64;
        let year_ms = 365 * crate::fleet::figures::DAY_MS;
        let step_ms = year_ms / steps;
        let into_ms = at_ms.rem_euclid(year_ms);
        let (step, part) = ((into_ms / step_ms) % steps, (into_ms % step_ms) as f64 / step_ms as f64);
        let between = |column: &[f64]| {
            let (left, right) = (column[step as usize], column[((step + 1) % steps) as usize]);
            left + (right - left) * part
        };
        // Requests come in waves of some minutes.
        let wave = 1.0 + 0.03 * (at_ms as f64 / 97_000.0).sin() + 0.02 * (at_ms as f64 / 23_000.0).sin();
        let asked = if GRID_MINUTES.contains(&minute(at_ms)) { GRID_SHARE } else { 1.0 };
        let limit_w = self.board_w * asked;
        let work = (between(&self.columns.utilisation) * wave).clamp(0.0, 1.0);
        let mut moment = Moment {
            at_ms,
            tokens_per_s: 0.0,
            board_w: 0.0,
            it_w: 0.0,
            facility_w: 0.0,
            dry_bulb_c: between(&self.columns.dry_bulb_c),
            usable: 0,
            work,
            limit_w,
            per_node: between(&self.columns.output_tokens_per_s) * wave / f64::from(self.nodes().max(1)),
        };
        let mut tokens = 0.0;
        for node in 0..self.nodes() {
            for index in 0..self.gpus_per_node {
                let board = self.board(node, index, &moment);
                moment.board_w += board.power_w;
                moment.usable += u32::from(board.is_there);
            }
            tokens += moment.per_node * self.node_speed(node, &moment);
        }
        moment.tokens_per_s = tokens;
        let over = |column: &[f64]| between(column) - between(&self.columns.gpu_power_w);
        moment.it_w = moment.board_w + over(&self.columns.it_power_w);
        moment.facility_w = moment.board_w + over(&self.columns.facility_power_w);
        moment
    }

    /// A GPU at a time.
    pub fn board(&self, node: u32, index: u32, moment: &Moment) -> Board {
        let own = [node.into(), index.into()];
        let differs = self.share(&[2, own[0], own[1]]) - 0.5;
        let (is_there, works) = (!self.is_lost(node, index, moment.at_ms), self.node_works(node, moment.at_ms));
        let ripple = 0.04 * (moment.at_ms as f64 / 11_000.0 + 50.0 * self.share(&[3, own[0], own[1]])).sin();
        let work = if works { (moment.work * (1.0 + 0.1 * differs) + ripple).clamp(0.05, 1.0) } else { 0.0 };
        let warm = self.is_warm(node, moment.at_ms);
        let wanted_w = (self.idle_w + (self.busy_w - self.idle_w) * work) * (1.0 + 0.04 * differs);
        let by_heat = if warm && work > 0.0 { 0.82 } else { 1.0 };
        let power_w = (wanted_w * by_heat).min(moment.limit_w);
        let speed = self.speed(wanted_w, moment.limit_w) * by_heat;
        let reasons =
            if wanted_w > moment.limit_w { BY_POWER } else { 0.0 } + if by_heat < 1.0 { BY_HEAT } else { 0.0 };
        let corrected = (self.share(&[4, own[0], own[1]]) * 1.02).floor() * 12.0;
        Board {
            is_there,
            power_w: if is_there { power_w } else { 0.0 },
            limit_w: moment.limit_w,
            temperature_c: 31.0 + 38.0 * power_w / self.board_w + 4.0 * differs + if warm { 14.0 } else { 0.0 },
            work,
            clock_hz: 1.92e9 * if works { speed } else { 0.2 },
            memory_share: if works { 0.86 + 0.08 * work } else { 0.02 },
            reasons,
            corrected,
            pending: f64::from(u8::from(self.share(&[5, own[0], own[1]]) < 0.001)),
        }
    }

    /// Power of the boards in a rack, W.
    pub fn rack_w(&self, rack: u32, moment: &Moment) -> f64 {
        let nodes = self.node_racks.partition_point(|at| *at < rack)..self.node_racks.partition_point(|at| *at <= rack);
        let gpus = nodes.flat_map(|node| (0..self.gpus_per_node).map(move |index| (node as u32, index)));
        gpus.map(|(node, index)| self.board(node, index, moment).power_w).sum()
    }

    /// How fast a board works that wants more than its limit, of what it would without.
    fn speed(&self, wanted_w: f64, limit_w: f64) -> f64 {
        let curve = CapCurve::FITTED;
        let throughput = |watts: f64| curve.throughput_at_power(Phase::Decode, (watts / self.board_w).min(1.0));
        if wanted_w <= limit_w { 1.0 } else { throughput(limit_w) / throughput(wanted_w) }
    }

    /// A node's engine at a time.
    pub fn serving(&self, node: u32, moment: &Moment) -> Serving {
        let speed = self.node_speed(node, moment);
        if speed <= 0.0 {
            return Serving::default();
        }
        let rate = moment.per_node * speed;
        let load = moment.work;
        Serving {
            output_tokens_per_s: rate,
            prompt_tokens_per_s: rate * self.prompt_per_output,
            requests_per_s: rate / self.output_tokens,
            running: self.batch * load,
            waiting: (load - 0.85).max(0.0) * 60.0,
            kv_used: 0.1 + 0.8 * load,
            ttft_s: self.ttft_s * (1.0 + load),
            tpot_s: self.tpot_s / speed,
        }
    }

    /// How fast a node's engine runs: not at all without all of its GPUs, else as its slowest.
    fn node_speed(&self, node: u32, moment: &Moment) -> f64 {
        if !self.node_works(node, moment.at_ms) {
            return 0.0;
        }
        let wanted_w = self.idle_w + (self.busy_w - self.idle_w) * moment.work;
        self.speed(wanted_w, moment.limit_w) * if self.is_warm(node, moment.at_ms) { 0.82 } else { 1.0 }
    }

    fn node_works(&self, node: u32, at_ms: i64) -> bool {
        let spare = self.chance(&[6, node.into()]) % 100 < SPARE_PERCENT;
        !spare && !(0..self.gpus_per_node).any(|index| self.is_lost(node, index, at_ms))
    }

    fn is_lost(&self, node: u32, index: u32, at_ms: i64) -> bool {
        let slot = at_ms.div_euclid(SLOT_MS);
        (0..AWAY_SLOTS)
            .any(|ago| self.share(&[7, node.into(), index.into(), (slot - ago) as u64]) < LOST_PERMILLE / 1e3)
    }

    fn is_warm(&self, node: u32, at_ms: i64) -> bool {
        let hour = at_ms.div_euclid(3_600_000) as u64;
        let rack = self.chance(&[8, hour]) % self.racks.len().max(1) as u64;
        WARM_MINUTES.contains(&minute(at_ms)) && u64::from(self.node_racks[node as usize]) == rack
    }

    /// Errors of a GPU's driver in the time before `at_ms`.
    pub fn errors(&self, node: u32, index: u32, at_ms: i64, before_ms: i64) -> Vec<(u32, &'static str)> {
        let slot = at_ms.div_euclid(SLOT_MS);
        let of = |what: u64| self.share(&[what, node.into(), index.into(), slot as u64]);
        let when_ms = slot * SLOT_MS + (of(10) * SLOT_MS as f64) as i64;
        if of(9) >= ERROR_PERMILLE / 1e3 || !(at_ms - before_ms..at_ms).contains(&when_ms) {
            return Vec::new();
        }
        match (of(11) * 4.0) as u32 {
            0 => vec![(48, "an uncorrectable double bit error."), (63, "Row remapping event.")],
            1 => vec![(31, "pid=4711, name=python3, MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted.")],
            2 => vec![(94, "Contained: SM (0x1). RST: No, D-RST: No")],
            _ => vec![(43, "pid=4711, name=python3, Ch 00000008")],
        }
    }

    /// What the grid asks for from this second on, where that changes.
    pub fn grid_event(&self, at_ms: i64) -> Option<FleetEvent> {
        let (asked, before) = (GRID_MINUTES.contains(&minute(at_ms)), GRID_MINUTES.contains(&minute(at_ms - 1_000)));
        if asked == before {
            return None;
        }
        let target_w = asked.then(|| self.at(at_ms - 1_000).facility_w * GRID_SHARE);
        let message = if asked { "The grid asks for a fifth less." } else { "The grid asks for nothing any more." };
        Some(FleetEvent {
            at_ms,
            source: "demo".into(),
            host: None,
            gpu: None,
            what: Happening::LoadTarget { target_w },
            message: message.into(),
        })
    }
}

/// The minute of the hour.
fn minute(at_ms: i64) -> i64 {
    at_ms.div_euclid(60_000).rem_euclid(60)
}
