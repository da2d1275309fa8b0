//! What is played: which GPUs, how their load moves, and what goes wrong when. Times are in ticks of the profile's clock.

use serde::Deserialize;

/// A host with GPUs of one kind, and its story.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Where its figures come from.
    pub source: String,
    /// The driver's version.
    pub driver_version: String,
    /// NVML's version.
    pub nvml_version: String,
    /// CUDA's, as NVML counts it: 12040 is 12.4.
    pub cuda_version: i32,
    /// The GPUs.
    pub gpu: Gpu,
    /// How time passes.
    #[serde(default)]
    pub clock: Clock,
    /// How the load moves.
    #[serde(default)]
    pub load: Load,
    /// Calls that answer `NOT_SUPPORTED`, by their name; fields as `field:82`.
    #[serde(default)]
    pub unsupported: Vec<String>,
    /// MIG instances.
    #[serde(default)]
    pub mig: Vec<Mig>,
    /// What goes wrong.
    #[serde(default)]
    pub fault: Vec<Fault>,
}

/// One kind of GPU, and where each sits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// PCI address of each; as many as there are GPUs.
    pub pci_bus_ids: Vec<String>,
    /// PCI device id.
    pub pci_device_id: u32,
    /// Its name.
    pub name: String,
    /// First part of each id; the index makes up the rest.
    pub uuid_prefix: String,
    /// Serial number of the first; each next is one more.
    pub first_serial: u64,
    /// Part number of the board.
    pub board_part_number: String,
    /// Version of the VBIOS.
    pub vbios_version: String,
    /// Version of the InfoROM.
    pub inforom_version: String,
    /// NVML's number of the architecture: 9 is Hopper, 10 Blackwell.
    pub architecture: u32,
    /// CUDA compute capability.
    pub compute_capability: [i32; 2],
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Of it reserved, bytes.
    pub memory_reserved_bytes: u64,
    /// Used while there is load, bytes.
    pub memory_busy_bytes: u64,
    /// Power without load, W.
    pub idle_w: f64,
    /// Power that full load asks for, W.
    pub full_w: f64,
    /// Power limit, W.
    pub limit_w: f64,
    /// Lowest power limit, W.
    pub limit_min_w: f64,
    /// Highest power limit, W.
    pub limit_max_w: f64,
    /// Temperature without load, °C.
    pub idle_c: f64,
    /// Temperature at full load, °C.
    pub full_c: f64,
    /// How much hotter the memory is, °C.
    pub memory_hotter_c: f64,
    /// Clock of the processors without load, MHz.
    pub idle_mhz: u32,
    /// And at the most, MHz.
    pub full_mhz: u32,
    /// Clock of the memory, MHz.
    pub memory_mhz: u32,
    /// Fans.
    #[serde(default)]
    pub fans: u32,
    /// NVLinks.
    pub nvlinks: u32,
    /// What one of them moves each way at most, MB/s.
    pub nvlink_mb_s: f64,
}

/// How time passes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    /// What makes a tick.
    pub by: By,
    /// How long one is, milliseconds.
    pub tick_ms: u32,
}

/// What makes a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Time itself, since the first `nvmlInit`.
    Time,
    /// Each time the power of GPU 0 is read: the same on a slow machine as on a fast one.
    Reading,
}

impl Default for Clock {
    fn default() -> Self {
        Self { by: By::Time, tick_ms: 1000 }
    }
}

/// How the load moves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Tick and load, 0 to 1; between two of them the load moves evenly, and after the last it begins again.
    pub points: Vec<(f64, f64)>,
    /// How much less of it each GPU has than the one before it, 0 to 1: no two read alike.
    pub less_each: f64,
}

impl Default for Load {
    fn default() -> Self {
        Self { points: vec![(0.0, 0.0)], less_each: 0.0 }
    }
}

/// A MIG instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mig {
    /// Of which GPU.
    pub gpu: usize,
    /// Its place on that GPU; a place that none has is empty.
    pub index: u32,
    /// Its profile, as `1g.10gb`.
    pub profile: String,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Of it used, bytes.
    pub used_bytes: u64,
}

/// What goes wrong. `from` is the first tick of it, `to` the first after it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The driver tells an error.
    Xid {
        /// On which GPU.
        gpu: usize,
        /// When.
        at: f64,
        /// Its number.
        code: u64,
    },
    /// The driver tells a double-bit ECC error.
    DoubleBit {
        /// On which GPU.
        gpu: usize,
        /// When.
        at: f64,
    },
    /// The GPU falls off the bus.
    Lost {
        /// Which.
        gpu: usize,
        /// From when.
        from: f64,
        /// Until when.
        to: f64,
    },
    /// Memory errors are counted.
    Ecc {
        /// On which GPU.
        gpu: usize,
        /// From when.
        from: f64,
        /// Corrected, each tick.
        corrected: u64,
        /// Not corrected, each tick.
        uncorrected: u64,
    },
    /// Clocks are held down.
    Throttle {
        /// On which GPU.
        gpu: usize,
        /// From when.
        from: f64,
        /// Until when.
        to: f64,
        /// Why.
        by: Throttle,
    },
    /// NVLinks are down, or full of errors.
    Nvlink {
        /// On which GPU.
        gpu: usize,
        /// From when.
        from: f64,
        /// Until when.
        to: f64,
        /// How many of them are down.
        down: u32,
        /// Errors, each tick.
        errors: u64,
    },
    /// A call answers with an error.
    Error {
        /// On which GPU; every one where it is left out.
        gpu: Option<usize>,
        /// Which call.
        call: String,
        /// NVML's number of the error.
        code: u32,
        /// From when.
        from: f64,
        /// Until when.
        to: f64,
    },
    /// A call does not come back for a time, once.
    Hang {
        /// Which call.
        call: String,
        /// From when.
        at: f64,
        /// For how long, milliseconds.
        ms: u64,
    },
    /// `nvmlInit` fails.
    Init {
        /// NVML's number of the error.
        code: u32,
        /// How often before it works.
        times: u64,
    },
}

/// Why clocks are held down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Throttle {
    /// Heat.
    Thermal,
    /// The power supply asks for it.
    PowerBrake,
    /// A power limit of half the usual.
    PowerCap,
}

impl Profile {
    /// Reads a profile.
    pub fn parse(text: &str) -> Result<Self, String> {
        let profile: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let count = profile.gpu.pci_bus_ids.len();
        if count > 64 {
            return Err(format!("{count} GPUs are more than 64"));
        }
        let rising = profile.load.points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if profile.load.points.is_empty() || !rising || profile.clock.tick_ms == 0 {
            return Err("a load needs points in the order of their ticks, and a tick some length".into());
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_that_come_along_can_be_read() {
        for (text, count) in
            [(include_str!("../profiles/8xh100.toml"), 8), (include_str!("../profiles/4xgb300.toml"), 4)]
        {
            assert_eq!(Profile::parse(text).unwrap().gpu.pci_bus_ids.len(), count);
        }
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        let text = include_str!("../profiles/8xh100.toml").replace("idle_w", "idle_watts");
        assert!(Profile::parse(&text).unwrap_err().contains("idle_watts"));
    }
}
