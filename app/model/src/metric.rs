//! What is measured of a live fleet: one registry of names, units and kinds, whatever an exporter calls them.
//!
//! Names follow the conventions of Prometheus (base units, `_total` for counters), so that a history that is sent on to
//! another store reads there as it does here.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a value is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Watts.
    Watt,
    /// Joules.
    Joule,
    /// Degrees Celsius.
    Celsius,
    /// Hertz.
    Hertz,
    /// 0 to 1.
    Ratio,
    /// Bytes.
    Byte,
    /// Bytes each second.
    BytePerSecond,
    /// Seconds.
    Second,
    /// Tokens.
    Token,
    /// Things counted.
    Count,
    /// A set of bits, or a code: it has no mean.
    Code,
    /// Volts.
    Volt,
    /// Amperes.
    Ampere,
    /// Volt-amperes.
    VoltAmpere,
    /// Cubic metres each second.
    CubicMetrePerSecond,
    /// Pascals.
    Pascal,
    /// Whatever the source says; its metadata name it.
    Other,
}

/// How a value moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Up and down.
    Gauge,
    /// Only up, until whoever counts starts anew.
    Counter,
}

/// What a metric is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// One GPU, or one MIG instance of it.
    Gpu,
    /// A host with its GPUs.
    Node,
    /// A serving engine.
    Engine,
    /// A rack.
    Rack,
    /// A part of the building: meter, pump, CDU, and the like.
    Facility,
    /// A source of readings.
    Source,
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $subject:ident, $unit:ident, $kind:ident, $words:literal;)+) => {
        /// What is measured, of what, in which unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric { $(#[doc = $words] $variant,)+ }
        impl Metric {
            /// Every one there is, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// Its name on the wire and in the history.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $name,)+ } }
            /// What it is in.
            pub fn unit(self) -> Unit { match self { $(Self::$variant => Unit::$unit,)+ } }
            /// How it moves.
            pub fn kind(self) -> Kind { match self { $(Self::$variant => Kind::$kind,)+ } }
            /// What it is of.
            pub fn subject(self) -> Subject { match self { $(Self::$variant => Subject::$subject,)+ } }
            /// What to call it before a person.
            pub fn words(self) -> &'static str { match self { $(Self::$variant => $words,)+ } }
            /// The metric of that name.
            pub fn named(name: &str) -> Option<Self> { match name { $($name => Some(Self::$variant),)+ _ => None } }
        }
    };
}

metrics! {
    GpuPower = "gpu_power_watts", Gpu, Watt, Gauge, "Board power";
    GpuPowerLimit = "gpu_power_limit_watts", Gpu, Watt, Gauge, "Power limit";
    GpuPowerLimitDefault = "gpu_power_limit_default_watts", Gpu, Watt, Gauge, "Power limit as delivered";
    GpuPowerLimitMin = "gpu_power_limit_min_watts", Gpu, Watt, Gauge, "Lowest power limit";
    GpuPowerLimitMax = "gpu_power_limit_max_watts", Gpu, Watt, Gauge, "Highest power limit";
    GpuEnergy = "gpu_energy_joules_total", Gpu, Joule, Counter, "Energy";
    GpuTemperature = "gpu_temperature_celsius", Gpu, Celsius, Gauge, "GPU temperature";
    GpuMemoryTemperature = "gpu_memory_temperature_celsius", Gpu, Celsius, Gauge, "Memory temperature";
    GpuUtilization = "gpu_utilization_ratio", Gpu, Ratio, Gauge, "Time in which a kernel ran";
    GpuMemoryUtilization = "gpu_memory_utilization_ratio", Gpu, Ratio, Gauge, "Time in which memory was read or written";
    GpuGraphicsActive = "gpu_graphics_active_ratio", Gpu, Ratio, Gauge, "Time in which the compute engine was active";
    GpuTensorActive = "gpu_tensor_active_ratio", Gpu, Ratio, Gauge, "Time in which the tensor cores were active";
    GpuDramActive = "gpu_dram_active_ratio", Gpu, Ratio, Gauge, "Time in which memory moved data";
    GpuEncoderUtilization = "gpu_encoder_utilization_ratio", Gpu, Ratio, Gauge, "Encoder use";
    GpuDecoderUtilization = "gpu_decoder_utilization_ratio", Gpu, Ratio, Gauge, "Decoder use";
    GpuSmClock = "gpu_sm_clock_hertz", Gpu, Hertz, Gauge, "Clock of the processors";
    GpuMemoryClock = "gpu_memory_clock_hertz", Gpu, Hertz, Gauge, "Clock of the memory";
    GpuMemoryUsed = "gpu_memory_used_bytes", Gpu, Byte, Gauge, "Memory used";
    GpuMemoryFree = "gpu_memory_free_bytes", Gpu, Byte, Gauge, "Memory free";
    GpuMemoryReserved = "gpu_memory_reserved_bytes", Gpu, Byte, Gauge, "Memory reserved";
    GpuMemoryTotal = "gpu_memory_total_bytes", Gpu, Byte, Gauge, "Memory";
    GpuPcieReplays = "gpu_pcie_replays_total", Gpu, Count, Counter, "PCIe replays";
    GpuPcieSent = "gpu_pcie_tx_bytes_per_second", Gpu, BytePerSecond, Gauge, "PCIe sent";
    GpuPcieReceived = "gpu_pcie_rx_bytes_per_second", Gpu, BytePerSecond, Gauge, "PCIe received";
    GpuNvlinkBandwidth = "gpu_nvlink_bytes_per_second", Gpu, BytePerSecond, Gauge, "NVLink traffic";
    GpuNvlinkActive = "gpu_nvlink_active_links", Gpu, Count, Gauge, "NVLinks that are up";
    GpuNvlinkErrors = "gpu_nvlink_errors_total", Gpu, Count, Counter, "NVLink errors";
    GpuEccCorrected = "gpu_ecc_corrected_total", Gpu, Count, Counter, "Memory errors corrected";
    GpuEccUncorrected = "gpu_ecc_uncorrected_total", Gpu, Count, Counter, "Memory errors not corrected";
    GpuRemappedCorrectable = "gpu_remapped_rows_correctable", Gpu, Count, Gauge, "Memory rows remapped after corrected errors";
    GpuRemappedUncorrectable = "gpu_remapped_rows_uncorrectable", Gpu, Count, Gauge, "Memory rows remapped after uncorrected errors";
    GpuRemapPending = "gpu_row_remap_pending", Gpu, Code, Gauge, "A row waits for a reset to be remapped";
    GpuRemapFailure = "gpu_row_remap_failure", Gpu, Code, Gauge, "A row could not be remapped";
    GpuLastXid = "gpu_last_xid", Gpu, Code, Gauge, "Last XID";
    GpuClockEvents = "gpu_clock_event_reasons", Gpu, Code, Gauge, "Why clocks are held down";
    GpuPowerViolation = "gpu_power_violation_seconds_total", Gpu, Second, Counter, "Time held down by power";
    GpuThermalViolation = "gpu_thermal_violation_seconds_total", Gpu, Second, Counter, "Time held down by heat";
    GpuPerformanceState = "gpu_performance_state", Gpu, Code, Gauge, "Performance state";
    GpuFanSpeed = "gpu_fan_speed_ratio", Gpu, Ratio, Gauge, "Fan speed";
    GpuMigMode = "gpu_mig_mode", Gpu, Code, Gauge, "Whether MIG is on";
    GpuProcesses = "gpu_processes", Gpu, Count, Gauge, "Processes on the GPU";
    NodePower = "node_power_watts", Node, Watt, Gauge, "Power of the node";
    NodeCpuSeconds = "node_cpu_seconds_total", Node, Second, Counter, "CPU time";
    NodeLoad = "node_load1", Node, Count, Gauge, "Load of the last minute";
    NodeMemoryAvailable = "node_memory_available_bytes", Node, Byte, Gauge, "Memory that is available";
    NodeMemoryTotal = "node_memory_total_bytes", Node, Byte, Gauge, "Memory of the host";
    NodeBootTime = "node_boot_time_seconds", Node, Second, Gauge, "Start of the host";
    EngineOutputTokens = "engine_output_tokens_total", Engine, Token, Counter, "Output tokens";
    EnginePromptTokens = "engine_prompt_tokens_total", Engine, Token, Counter, "Prompt tokens";
    EngineCachedTokens = "engine_cached_prompt_tokens_total", Engine, Token, Counter, "Prompt tokens read from the cache";
    EngineRequests = "engine_requests_total", Engine, Count, Counter, "Requests answered";
    EngineRunning = "engine_requests_running", Engine, Count, Gauge, "Requests under way";
    EngineWaiting = "engine_requests_waiting", Engine, Count, Gauge, "Requests that wait";
    EngineKvUsed = "engine_kv_cache_used_ratio", Engine, Ratio, Gauge, "KV cache in use";
    EnginePreemptions = "engine_preemptions_total", Engine, Count, Counter, "Requests put back for lack of memory";
    EngineTtftSum = "engine_ttft_seconds_sum", Engine, Second, Counter, "Times to the first token, added up";
    EngineTtftCount = "engine_ttft_seconds_count", Engine, Count, Counter, "Times to the first token, how many";
    EngineTtftBucket = "engine_ttft_seconds_bucket", Engine, Count, Counter, "Times to the first token, by length";
    EngineTpotSum = "engine_tpot_seconds_sum", Engine, Second, Counter, "Times between tokens, added up";
    EngineTpotCount = "engine_tpot_seconds_count", Engine, Count, Counter, "Times between tokens, how many";
    EngineTpotBucket = "engine_tpot_seconds_bucket", Engine, Count, Counter, "Times between tokens, by length";
    RackPower = "rack_power_watts", Rack, Watt, Gauge, "Power of the rack";
    RackSupplyTemperature = "rack_liquid_supply_celsius", Rack, Celsius, Gauge, "Coolant in";
    RackReturnTemperature = "rack_liquid_return_celsius", Rack, Celsius, Gauge, "Coolant out";
    RackFlow = "rack_liquid_flow_cubic_metres_per_second", Rack, CubicMetrePerSecond, Gauge, "Coolant flow";
    RackDifferentialPressure = "rack_liquid_differential_pressure_pascals", Rack, Pascal, Gauge, "Pressure across the rack's coolant";
    RackLeak = "rack_leak", Rack, Code, Gauge, "Leak found";
    FacilityPower = "facility_power_watts", Facility, Watt, Gauge, "Facility power at the utility meter";
    FacilityValue = "facility_point", Facility, Other, Gauge, "Point of the building";
    GridTarget = "grid_load_target_watts", Facility, Watt, Gauge, "Load that the grid asks for";
    SourceUp = "up", Source, Code, Gauge, "Whether a source answers";
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = NoMetric;
    fn from_str(text: &str) -> Result<Self, NoMetric> {
        Self::named(text).ok_or(NoMetric)
    }
}

impl Serialize for Metric {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// No metric has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMetric;
impl fmt::Display for NoMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a metric")
    }
}
impl std::error::Error for NoMetric {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_lead_back() {
        let names: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), Metric::ALL.len());
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse(), Ok(*metric));
        }
    }

    #[test]
    fn a_counter_is_named_as_one() {
        for metric in Metric::ALL {
            let counter = ["_total", "_sum", "_count", "_bucket"].iter().any(|end| metric.name().ends_with(end));
            assert_eq!(metric.kind() == Kind::Counter, counter, "{metric}");
        }
    }
}
