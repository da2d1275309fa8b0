//! Hosts under steering, and everything that goes wrong between them and the controller: messages lost and late, hosts that
//! fail and return. For tests, and to see what steering would do before it does it.

use super::controller::{Ack, Heard, Reading, Start};
use super::tree::Tree;
use crate::defaults::fork;
use crate::replay::made_up::uniform;
use rand_chacha::ChaCha8Rng;

/// How often what goes wrong. Chances are of each message, or of each host in each interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trouble {
    /// That a message is lost: an order, an acknowledgement, a reading.
    pub lost: f64,
    /// That one which is not lost comes late.
    pub late: f64,
    /// Most intervals that it is late.
    pub late_max: u32,
    /// That a host fails.
    pub fails: f64,
    /// That one which has failed returns.
    pub returns: f64,
}

impl Trouble {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { lost: 0.0, late: 0.0, late_max: 0, fails: 0.0, returns: 1.0 };
}

/// One host's side of the agreement.
#[derive(Debug, Clone)]
struct Device {
    is_up: bool,
    /// The order in force; 0 for its own lowest caps.
    order: u64,
    /// Only orders sent later than this are taken.
    after: u64,
    caps_w: Vec<f64>,
}

/// An order to one host on its way.
#[derive(Debug, Clone)]
struct Letter {
    arrives: u64,
    host: u32,
    order: u64,
    caps_w: Vec<f64>,
}

/// The hosts of a tree.
#[derive(Debug, Clone)]
pub struct Plant {
    tree: Tree,
    failsafe_w: Vec<f64>,
    lease: u64,
    trouble: Trouble,
    chance: ChaCha8Rng,
    devices: Vec<Device>,
    letters: Vec<Letter>,
    readings: Vec<(u64, Reading)>,
    acks: Vec<(u64, Ack)>,
    heard: (Vec<Reading>, Vec<Ack>),
}

impl Plant {
    /// Hosts of a tree, each with its fail-safe cap, that keep an order for `lease` intervals.
    pub fn new(tree: Tree, failsafe_w: Vec<f64>, lease: u32, start: Start, (trouble, seed): (Trouble, u64)) -> Self {
        let device = |host: &super::tree::Host| {
            let cap = match start {
                Start::Joined => host.cap_min_w,
                Start::Unknown => host.cap_max_w,
            };
            Device { is_up: true, order: 0, after: 0, caps_w: vec![cap; host.gpus as usize] }
        };
        Self {
            devices: tree.hosts().iter().map(device).collect(),
            failsafe_w,
            lease: u64::from(lease.max(1)),
            trouble,
            chance: fork(seed, "plant"),
            letters: Vec::new(),
            readings: Vec::new(),
            acks: Vec::new(),
            heard: (Vec::new(), Vec::new()),
            tree,
        }
    }

    /// What reaches the controller at the beginning of an interval.
    pub fn heard(&mut self, now: u64) -> Heard<'_> {
        self.heard.0.clear();
        self.heard.1.clear();
        for (_, reading) in self.readings.extract_if(.., |(arrives, _)| *arrives <= now) {
            self.heard.0.push(reading);
        }
        for (_, ack) in self.acks.extract_if(.., |(arrives, _)| *arrives <= now) {
            self.heard.1.push(ack);
        }
        Heard { readings: &self.heard.0, acks: &self.heard.1 }
    }

    /// An order is sent; what has arrived by now is taken, and leases that are over end.
    pub fn take(&mut self, now: u64, order: &[f64]) {
        for host in 0..self.devices.len() {
            if let Some(arrives) = self.arrival(now) {
                let caps_w = order[self.tree.gpus_of(host)].to_vec();
                self.letters.push(Letter { arrives, host: host as u32, order: now, caps_w });
            }
        }
        self.fail_and_return(now);
        let letters: Vec<Letter> = self.letters.extract_if(.., |letter| letter.arrives <= now).collect();
        for letter in letters {
            let device = &mut self.devices[letter.host as usize];
            let holds = now < letter.order + self.lease;
            if !device.is_up || !holds || letter.order <= device.order.max(device.after) {
                continue;
            }
            (device.order, device.caps_w) = (letter.order, letter.caps_w);
            if let Some(arrives) = self.arrival(now + 1) {
                self.acks.push((arrives, Ack { host: letter.host, order: letter.order }));
            }
        }
        for (device, failsafe) in self.devices.iter_mut().zip(&self.failsafe_w) {
            if now >= device.order + self.lease {
                device.caps_w.iter_mut().for_each(|cap| *cap = cap.min(*failsafe));
            }
        }
    }

    fn fail_and_return(&mut self, now: u64) {
        for (device, host) in self.devices.iter_mut().zip(self.tree.hosts()) {
            let chance = if device.is_up { self.trouble.fails } else { self.trouble.returns };
            if chance <= 0.0 || uniform(&mut self.chance) >= chance {
                continue;
            }
            device.is_up = !device.is_up;
            // What was sent before it started anew is no order for it, this interval's neither.
            (device.order, device.after) = (0, now);
            device.caps_w.fill(host.cap_min_w);
        }
    }

    /// When a message sent now arrives; none if it is lost.
    fn arrival(&mut self, now: u64) -> Option<u64> {
        let trouble = self.trouble;
        if trouble.lost > 0.0 && uniform(&mut self.chance) < trouble.lost {
            return None;
        }
        if trouble.late > 0.0 && uniform(&mut self.chance) < trouble.late {
            let late = uniform(&mut self.chance) * f64::from(trouble.late_max);
            return Some(now + 1 + late as u64);
        }
        Some(now)
    }

    /// Caps in force, watts, of each GPU; of a host that has failed its lowest, which it will start with.
    pub fn caps_w(&self) -> Vec<f64> {
        self.devices.iter().flat_map(|device| device.caps_w.iter().copied()).collect()
    }

    /// Hosts that are up.
    pub fn up(&self) -> Vec<bool> {
        self.devices.iter().map(|device| device.is_up).collect()
    }

    /// Each GPU draws what its load would, at most its cap; hosts that are up say so. Returns what each draws, watts.
    pub fn draw(&mut self, now: u64, load_w: &[f64]) -> Vec<f64> {
        let mut drawn = vec![0.0; self.tree.gpus()];
        for host in 0..self.devices.len() {
            let device = &self.devices[host];
            if !device.is_up {
                continue;
            }
            let gpus = self.tree.gpus_of(host);
            for ((drawn, cap), load) in drawn[gpus.clone()].iter_mut().zip(&device.caps_w).zip(&load_w[gpus.clone()]) {
                *drawn = load.min(*cap);
            }
            let order = device.order;
            if let Some(arrives) = self.arrival(now + 1) {
                let gpu_w = drawn[gpus].to_vec();
                self.readings.push((arrives, Reading { host: host as u32, interval: now, order, gpu_w }));
            }
        }
        drawn
    }
}
