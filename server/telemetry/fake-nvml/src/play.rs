//! How a profile moves: load, power, energy, heat and clocks, and what has gone wrong by now. No unsafe code here.

use crate::profile::{By, Fault, Gpu, Profile, Throttle};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Parts of a tick in which energy is added up, so that a reading now and then misses nothing.
const PARTS: f64 = 20.0;
/// At the most so many parts at once: who reads once an hour does not wait for it.
const PARTS_AT_ONCE: f64 = 100_000.0;
/// Seconds in which two thirds of a change of temperature have come about.
const WARMS_UP_S: f64 = 15.0;

/// NVML's number of "the device does not have it".
pub(crate) const NOT_SUPPORTED: u32 = 3;
/// NVML's number of "the GPU fell off the bus".
const GPU_IS_LOST: u32 = 15;

/// A profile being played.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) profile: Profile,
    started: Instant,
    readings: u32,
    at: f64,
    gpus: Vec<Board>,
    /// How often `nvmlInit` was called.
    pub(crate) inits: u64,
    /// How often more than `nvmlShutdown`.
    pub(crate) open: u64,
    hung: BTreeSet<usize>,
    next_handle: usize,
    /// Event sets by their handle.
    pub(crate) sets: BTreeMap<usize, EventSet>,
    /// GPM samples by their handle: the load and the GPU at that time.
    pub(crate) samples: BTreeMap<usize, Option<(usize, f64)>>,
}

/// How one GPU is now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board {
    pub(crate) load: f64,
    pub(crate) power_w: f64,
    pub(crate) limit_w: f64,
    pub(crate) energy_j: f64,
    pub(crate) heat_c: f64,
    pub(crate) clock_mhz: f64,
    pub(crate) reasons: u64,
    pub(crate) power_held_s: f64,
    pub(crate) heat_held_s: f64,
    pub(crate) corrected: f64,
    pub(crate) uncorrected: f64,
    pub(crate) link_errors: f64,
}

/// Who waits for what.
#[derive(Debug, Default)]
pub(crate) struct EventSet {
    gpus: BTreeMap<usize, (u64, f64)>,
    told: BTreeSet<usize>,
}

/// NVML's bits of why clocks are held down, and of kinds of events.
pub(crate) mod bits {
    pub(crate) const IDLE: u64 = 0x1;
    pub(crate) const POWER_CAP: u64 = 0x4;
    pub(crate) const HW_SLOWDOWN: u64 = 0x8;
    pub(crate) const SW_THERMAL: u64 = 0x20;
    pub(crate) const HW_THERMAL: u64 = 0x40;
    pub(crate) const POWER_BRAKE: u64 = 0x80;
    pub(crate) const SINGLE_BIT: u64 = 0x1;
    pub(crate) const DOUBLE_BIT: u64 = 0x2;
    pub(crate) const XID: u64 = 0x8;
}

impl Play {
    pub(crate) fn of(profile: Profile) -> Self {
        let gpu = &profile.gpu;
        let board = Board { power_w: gpu.idle_w, limit_w: gpu.limit_w, heat_c: gpu.idle_c, ..Board::default() };
        let mut play = Self {
            gpus: vec![board; gpu.pci_bus_ids.len()],
            profile,
            started: Instant::now(),
            readings: 0,
            at: 0.0,
            inits: 0,
            open: 0,
            hung: BTreeSet::new(),
            next_handle: 1,
            sets: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        play.step(0.0);
        play
    }

    /// As `advance`, for a reading of the power of GPU 0.
    pub(crate) fn advance_by_reading(&mut self) -> bool {
        self.readings = self.readings.saturating_add(1);
        self.advance()
    }

    /// Moves everything on to now. Whether time has passed.
    pub(crate) fn advance(&mut self) -> bool {
        let now = match self.profile.clock.by {
            By::Time => self.started.elapsed().as_secs_f64() * 1e3 / f64::from(self.profile.clock.tick_ms),
            By::Reading => f64::from(self.readings),
        };
        let parts = ((now - self.at) * PARTS).ceil().clamp(0.0, PARTS_AT_ONCE);
        if parts >= 1.0 {
            let (began, part) = (self.at, (now - self.at) / parts);
            for number in 1..=parts as u32 {
                self.step(part);
                self.at = began + part * f64::from(number);
            }
            return true;
        }
        false
    }

    /// Milliseconds until a tick, at most `most`, by which something may have happened.
    pub(crate) fn pause_ms(&self, most: u64) -> u64 {
        match self.profile.clock.by {
            By::Time => most.min(20),
            By::Reading => most,
        }
    }

    pub(crate) fn board(&self, gpu: usize) -> Option<&Board> {
        self.gpus.get(gpu)
    }

    pub(crate) fn count(&self) -> usize {
        self.gpus.len()
    }

    pub(crate) fn uuid(&self, gpu: usize) -> String {
        format!("{}{gpu:02x}", self.profile.gpu.uuid_prefix)
    }

    /// What calls to a GPU answer instead: an error that the profile asks for.
    pub(crate) fn refusal(&self, call: &str, gpu: usize) -> Option<u32> {
        if self.lost(gpu) {
            return Some(GPU_IS_LOST);
        }
        if self.unsupported(call) {
            return Some(NOT_SUPPORTED);
        }
        self.profile.fault.iter().find_map(|fault| {
            let Fault::Error { gpu: on, call: of, code, from, to } = fault else { return None };
            (on.is_none_or(|on| on == gpu) && of == call && self.within(*from, *to)).then_some(*code)
        })
    }

    pub(crate) fn unsupported(&self, call: &str) -> bool {
        self.profile.unsupported.iter().any(|named| named == call)
    }

    /// For how long a call does not come back; each such fault once.
    pub(crate) fn hang_ms(&mut self, call: &str) -> Option<u64> {
        let (index, ms) = self.profile.fault.iter().enumerate().find_map(|(index, fault)| {
            let Fault::Hang { call: of, at, ms } = fault else { return None };
            (of == call && *at <= self.at && !self.hung.contains(&index)).then_some((index, *ms))
        })?;
        self.hung.insert(index);
        Some(ms)
    }

    /// The error of this `nvmlInit`, where the profile has it fail.
    pub(crate) fn init_refusal(&self) -> Option<u32> {
        self.profile.fault.iter().find_map(|fault| {
            let Fault::Init { code, times } = fault else { return None };
            (self.inits <= *times).then_some(*code)
        })
    }

    /// How many NVLinks of a GPU are up.
    pub(crate) fn links_up(&self, gpu: usize) -> u32 {
        let down = self.profile.fault.iter().find_map(|fault| {
            let Fault::Nvlink { gpu: on, from, to, down, .. } = fault else { return None };
            (*on == gpu && self.within(*from, *to)).then_some(*down)
        });
        self.profile.gpu.nvlinks.saturating_sub(down.unwrap_or(0))
    }

    pub(crate) fn handle(&mut self) -> usize {
        self.next_handle += 1;
        self.next_handle
    }

    /// Begins to wait for events of a GPU, of those kinds.
    pub(crate) fn register(&mut self, set: usize, gpu: usize, kinds: u64) -> bool {
        let at = self.at;
        self.sets.get_mut(&set).map(|set| set.gpus.insert(gpu, (kinds, at))).is_some()
    }

    /// The next event of a set that has happened: the GPU, its kind and its number.
    pub(crate) fn event(&mut self, set: usize) -> Option<(usize, u64, u64)> {
        let (faults, now) = (&self.profile.fault, self.at);
        let set = self.sets.get_mut(&set)?;
        for (index, fault) in faults.iter().enumerate() {
            let (gpu, at, kind, code) = if let Fault::Xid { gpu, at, code } = fault {
                (*gpu, *at, bits::XID, *code)
            } else if let Fault::DoubleBit { gpu, at } = fault {
                (*gpu, *at, bits::DOUBLE_BIT, 0)
            } else {
                continue;
            };
            let Some((kinds, since)) = set.gpus.get(&gpu) else { continue };
            // A GPU that has been off the bus in between has to be registered anew.
            let gone = |fault: &Fault| matches!(fault, Fault::Lost { gpu: on, from, .. } if *on == gpu && *since < *from && *from < at);
            if faults.iter().any(gone) {
                continue;
            }
            if kinds & kind != 0 && at >= *since && at <= now && set.told.insert(index) {
                return Some((gpu, kind, code));
            }
        }
        None
    }

    fn within(&self, from: f64, to: f64) -> bool {
        from <= self.at && self.at < to
    }

    fn lost(&self, gpu: usize) -> bool {
        let lost =
            |fault: &Fault| matches!(fault, Fault::Lost { gpu: on, from, to } if *on == gpu && self.within(*from, *to));
        self.profile.fault.iter().any(lost)
    }

    /// Moves every GPU on by a part of a tick.
    fn step(&mut self, ticks: f64) {
        let seconds = ticks * f64::from(self.profile.clock.tick_ms) / 1e3;
        for index in 0..self.gpus.len() {
            let held = [Throttle::PowerCap, Throttle::Thermal, Throttle::PowerBrake].map(|by| self.held(index, by));
            let [corrected, uncorrected, link_errors] = self.errors(index);
            let board = &mut self.gpus[index];
            let power_before = board.power_w;
            board.load = load(&self.profile, self.at + ticks, index);
            board.drive(&self.profile.gpu, held);
            board.energy_j += f64::midpoint(power_before, board.power_w) * seconds;
            board.warm(&self.profile.gpu, seconds);
            board.corrected += ticks * corrected;
            board.uncorrected += ticks * uncorrected;
            board.link_errors += ticks * link_errors;
        }
    }

    /// Whether clocks of a GPU are held down that way.
    fn held(&self, index: usize, why: Throttle) -> bool {
        self.profile.fault.iter().any(|fault| {
            let Fault::Throttle { gpu, from, to, by } = fault else { return false };
            *gpu == index && *by == why && self.within(*from, *to)
        })
    }

    /// Memory errors corrected and not, and NVLink errors, that a GPU now counts each tick.
    fn errors(&self, index: usize) -> [f64; 3] {
        self.profile.fault.iter().fold([0.0; 3], |[corrected, uncorrected, links], fault| {
            if let Fault::Ecc { gpu, from, corrected: more, uncorrected: worse } = fault
                && (*gpu == index && *from <= self.at)
            {
                [corrected + *more as f64, uncorrected + *worse as f64, links]
            } else if let Fault::Nvlink { gpu, from, to, errors, .. } = fault
                && (*gpu == index && self.within(*from, *to))
            {
                [corrected, uncorrected, links + *errors as f64]
            } else {
                [corrected, uncorrected, links]
            }
        })
    }
}

impl Board {
    /// Power, clock and what holds them down, of the load.
    fn drive(&mut self, gpu: &Gpu, [capped, hot, braked]: [bool; 3]) {
        let wanted = gpu.idle_w + (gpu.full_w - gpu.idle_w) * self.load;
        let held = if hot { 0.7 } else { 1.0 } * if braked { 0.5 } else { 1.0 };
        self.limit_w = if capped { (gpu.limit_w / 2.0).max(gpu.limit_min_w) } else { gpu.limit_w };
        self.power_w = (gpu.idle_w + (wanted - gpu.idle_w) * held).min(self.limit_w);
        self.reasons = if self.load > 0.0 { 0 } else { bits::IDLE }
            | if wanted > self.limit_w { bits::POWER_CAP } else { 0 }
            | if hot { bits::SW_THERMAL | bits::HW_THERMAL } else { 0 }
            | if braked { bits::HW_SLOWDOWN | bits::POWER_BRAKE } else { 0 };
        let slowed = ((self.power_w - gpu.idle_w) / (wanted - gpu.idle_w).max(1e-9)).clamp(0.0, 1.0).cbrt();
        self.clock_mhz = if self.load > 0.0 { f64::from(gpu.full_mhz) * slowed } else { f64::from(gpu.idle_mhz) };
    }

    /// Warms up or cools down, and counts the time in which it was held down.
    fn warm(&mut self, gpu: &Gpu, seconds: f64) {
        let share = (self.power_w - gpu.idle_w) / (gpu.full_w - gpu.idle_w).max(1e-9);
        let end = gpu.idle_c + (gpu.full_c - gpu.idle_c) * share;
        self.heat_c += (end - self.heat_c) * (1.0 - (-seconds / WARMS_UP_S).exp());
        self.power_held_s += if self.reasons & bits::POWER_CAP == 0 { 0.0 } else { seconds };
        self.heat_held_s += if self.reasons & bits::HW_THERMAL == 0 { 0.0 } else { seconds };
    }
}

/// The load of a GPU at a tick: between two points even, and after the last from the beginning.
fn load(profile: &Profile, at: f64, gpu: usize) -> f64 {
    let points = &profile.load.points;
    let (first, last) = (points[0], points[points.len() - 1]);
    let at = if last.0 > 0.0 { at % last.0 } else { 0.0 };
    let next = points.partition_point(|point| point.0 <= at);
    let load = match next.checked_sub(1).map(|before| (points[before], points.get(next))) {
        None => first.1,
        Some((before, None)) => before.1,
        Some((before, Some(after))) => before.1 + (after.1 - before.1) * (at - before.0) / (after.0 - before.0),
    };
    (load * (1.0 - profile.load.less_each * gpu as f64)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(more: &str) -> Play {
        let text = include_str!("../profiles/8xh100.toml");
        Play::of(Profile::parse(&format!("{text}\n[clock]\nby = \"reading\"\ntick_ms = 1000\n{more}")).unwrap())
    }

    #[test]
    fn energy_is_the_power_added_up() {
        let mut play = play("");
        let mut added = 0.0;
        for _ in 0..400 {
            let before = play.board(3).unwrap().power_w;
            play.advance_by_reading();
            added += f64::midpoint(before, play.board(3).unwrap().power_w);
        }
        let board = play.board(3).unwrap();
        assert!((board.energy_j / added - 1.0).abs() < 1e-3, "{} and {added}", board.energy_j);
    }

    #[test]
    fn a_capped_gpu_stays_below_its_limit_and_says_why() {
        let mut play = play("[[fault]]\nkind = \"throttle\"\ngpu = 0\nfrom = 0.0\nto = 999.0\nby = \"power-cap\"\n");
        for _ in 0..100 {
            play.advance_by_reading();
        }
        let (capped, free) = (play.board(0).unwrap(), play.board(1).unwrap());
        assert!(capped.power_w <= 350.0 && capped.reasons & bits::POWER_CAP != 0, "{capped:?}");
        assert!(free.power_w > 600.0 && free.reasons == 0 && free.heat_c > capped.heat_c, "{free:?}");
    }

    #[test]
    fn an_event_is_told_once_to_each_who_waits_for_it() {
        let mut play = play("[[fault]]\nkind = \"xid\"\ngpu = 2\nat = 2.0\ncode = 79\n");
        for set in [1, 2] {
            play.sets.insert(set, EventSet::default());
            assert!(play.register(set, 2, bits::XID));
        }
        play.advance_by_reading();
        assert_eq!(play.event(1), None);
        play.advance_by_reading();
        assert_eq!((play.event(1), play.event(1)), (Some((2, bits::XID, 79)), None));
        assert_eq!(play.event(2), Some((2, bits::XID, 79)));
    }
}
