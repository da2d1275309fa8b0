//! What is read of a GPU: one table of calls, how often each is made, and the metric that its answer is.
//!
//! NVML counts in milliwatts, megahertz, percent and the like; everything leaves here in the unit of its metric.

use super::driver::{Meaning, meaning};
use model::metric::Metric;
use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, PcieUtilCounter, PerformancePolicy, PerformanceState, TemperatureSensor,
};
use nvml_wrapper::enum_wrappers::nv_link::ErrorCounter;
use nvml_wrapper::enums::device::SampleValue;
use nvml_wrapper::enums::gpm::GpmMetricId;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::gpm::{GpmSample, gpm_metrics_get};
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id;

/// How often something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// With each sample.
    Each,
    /// With one sample of ten: it is slow, or hardly ever moves.
    Slow,
    /// So, and only of a GPU that has no performance samples (GPM), which tell it better.
    SlowWithoutGpm,
}

/// Values of one call, or of a few that belong together: the metric, the MIG instance, the value.
pub(super) type Values = Vec<(Metric, Option<u32>, f64)>;

/// How a call is made.
pub(super) enum Ask {
    /// One value.
    One(Metric, fn(&Device<'_>) -> Result<f64, NvmlError>),
    /// Several.
    Many(&'static str, fn(&Device<'_>, &mut Values) -> Result<(), NvmlError>),
}

/// What is asked, and how often.
pub(super) struct Probe(pub(super) Pace, pub(super) Ask);

impl Probe {
    /// What to call it before a person.
    pub(super) fn words(&self) -> &'static str {
        match &self.1 {
            Ask::One(metric, _) => metric.words(),
            Ask::Many(words, _) => words,
        }
    }
    /// Makes the call. Where it fails, nothing is added.
    pub(super) fn read(&self, gpu: &Device<'_>, values: &mut Values) -> Result<(), NvmlError> {
        let before = values.len();
        let answer = match &self.1 {
            Ask::One(metric, call) => call(gpu).map(|value| values.push((*metric, None, value))),
            Ask::Many(_, calls) => calls(gpu, values),
        };
        answer.inspect_err(|_| values.truncate(before))
    }
}

const fn each(metric: Metric, call: fn(&Device<'_>) -> Result<f64, NvmlError>) -> Probe {
    Probe(Pace::Each, Ask::One(metric, call))
}
const fn slow(metric: Metric, call: fn(&Device<'_>) -> Result<f64, NvmlError>) -> Probe {
    Probe(Pace::Slow, Ask::One(metric, call))
}

/// Everything that is read, but for what performance samples tell.
pub(super) const PROBES: &[Probe] = &[
    each(Metric::GpuPower, |gpu| gpu.power_usage().map(milli)),
    each(Metric::GpuEnergy, |gpu| gpu.total_energy_consumption().map(|mj| mj as f64 / 1e3)),
    each(Metric::GpuPowerLimit, |gpu| gpu.enforced_power_limit().map(milli)),
    each(Metric::GpuTemperature, |gpu| gpu.temperature(TemperatureSensor::Gpu).map(f64::from)),
    each(Metric::GpuMemoryTemperature, |gpu| field(gpu, field_id::NVML_FI_DEV_MEMORY_TEMP)),
    each(Metric::GpuSmClock, |gpu| gpu.clock_info(Clock::SM).map(mega)),
    each(Metric::GpuMemoryClock, |gpu| gpu.clock_info(Clock::Memory).map(mega)),
    each(Metric::GpuClockEvents, |gpu| gpu.current_throttle_reasons().map(|reasons| reasons.bits() as f64)),
    each(Metric::GpuPerformanceState, |gpu| {
        let state = gpu.performance_state()?;
        if state == PerformanceState::Unknown { Err(NvmlError::NoData) } else { Ok(f64::from(state.as_c())) }
    }),
    Probe(Pace::Each, Ask::Many("Utilisation", utilization)),
    each(Metric::GpuEncoderUtilization, |gpu| gpu.encoder_utilization().map(|is| percent(is.utilization))),
    each(Metric::GpuDecoderUtilization, |gpu| gpu.decoder_utilization().map(|is| percent(is.utilization))),
    Probe(Pace::Each, Ask::Many("Memory", |gpu, values| memory(gpu, None, values))),
    each(Metric::GpuPowerViolation, |gpu| held(gpu, PerformancePolicy::Power)),
    each(Metric::GpuThermalViolation, |gpu| held(gpu, PerformancePolicy::Thermal)),
    each(Metric::GpuEccCorrected, |gpu| ecc(gpu, MemoryError::Corrected)),
    each(Metric::GpuEccUncorrected, |gpu| ecc(gpu, MemoryError::Uncorrected)),
    each(Metric::GpuPcieReplays, |gpu| gpu.pcie_replay_counter().map(f64::from)),
    each(Metric::GpuFanSpeed, fan),
    slow(Metric::GpuPowerLimitDefault, |gpu| gpu.power_management_limit_default().map(milli)),
    Probe(Pace::Slow, Ask::Many("Bounds of the power limit", limits)),
    slow(Metric::GpuRemappedCorrectable, |gpu| field(gpu, field_id::NVML_FI_DEV_REMAPPED_COR)),
    slow(Metric::GpuRemappedUncorrectable, |gpu| field(gpu, field_id::NVML_FI_DEV_REMAPPED_UNC)),
    slow(Metric::GpuRemapPending, |gpu| field(gpu, field_id::NVML_FI_DEV_REMAPPED_PENDING)),
    slow(Metric::GpuRemapFailure, |gpu| field(gpu, field_id::NVML_FI_DEV_REMAPPED_FAILURE)),
    slow(Metric::GpuNvlinkActive, |gpu| links(gpu).map(|links| links.iter().filter(|up| **up).count() as f64)),
    slow(Metric::GpuNvlinkErrors, link_errors),
    slow(Metric::GpuMigMode, |gpu| gpu.mig_mode().map(|mode| f64::from(mode.current))),
    Probe(Pace::Slow, Ask::Many("Memory of MIG instances", mig_memory)),
    slow(Metric::GpuProcesses, |gpu| gpu.running_compute_processes_count().map(f64::from)),
    Probe(Pace::SlowWithoutGpm, Ask::Many("PCIe traffic", pcie)),
];

/// What performance samples tell, in one call.
pub(super) const GPM_WORDS: &str = "Performance samples";
const GPM: [GpmMetricId; 7] = [
    GpmMetricId::GraphicsUtil,
    GpmMetricId::AnyTensorUtil,
    GpmMetricId::DramBwUtil,
    GpmMetricId::PcieTxPerSec,
    GpmMetricId::PcieRxPerSec,
    GpmMetricId::NvlinkTotalTxPerSec,
    GpmMetricId::NvlinkTotalRxPerSec,
];

/// Takes a performance sample, and reads what the time since the last one was spent on.
pub(super) fn performance<'n>(
    gpu: &Device<'n>,
    last: &mut Option<GpmSample<'n>>,
    values: &mut Values,
) -> Result<(), NvmlError> {
    const MIB: f64 = 1_048_576.0;
    let now = gpu.gpm_sample()?;
    let Some(before) = last.as_ref() else {
        *last = Some(now);
        return Ok(());
    };
    let answers = gpm_metrics_get(gpu.nvml(), before, &now, &GPM)?;
    *last = Some(now);
    let read: Vec<Option<f64>> = answers
        .into_iter()
        .map(|answer| answer.ok().map(|metric| metric.value).filter(|value| value.is_finite()))
        .collect();
    let at = |index: usize| read.get(index).copied().flatten();
    let mut put = |metric, value: Option<f64>| values.extend(value.map(|value| (metric, None, value)));
    put(Metric::GpuGraphicsActive, at(0).map(|percent| percent / 100.0));
    put(Metric::GpuTensorActive, at(1).map(|percent| percent / 100.0));
    put(Metric::GpuDramActive, at(2).map(|percent| percent / 100.0));
    put(Metric::GpuPcieSent, at(3).map(|mib| mib * MIB));
    put(Metric::GpuPcieReceived, at(4).map(|mib| mib * MIB));
    put(Metric::GpuNvlinkBandwidth, at(5).zip(at(6)).map(|(sent, received)| (sent + received) * MIB));
    Ok(())
}

/// NVLinks at the most, of any GPU to come.
const LINKS: u32 = 64;
/// MIG instances at the most.
pub(super) const MIGS: u32 = 64;
const FANS: u32 = 16;

fn milli(value: u32) -> f64 {
    f64::from(value) / 1e3
}
fn mega(value: u32) -> f64 {
    f64::from(value) * 1e6
}
fn percent(value: u32) -> f64 {
    f64::from(value) / 100.0
}

/// One field; one that this driver has not heard of counts as not supported.
fn field(gpu: &Device<'_>, id: u32) -> Result<f64, NvmlError> {
    let answer = gpu.field_values_for(&[FieldId(id)])?.pop().ok_or(NvmlError::NoData)??;
    match answer.value {
        Err(NvmlError::InvalidArg) => Err(NvmlError::NotSupported),
        Err(error) => Err(error),
        // The driver's way of saying that it has no value.
        Ok(SampleValue::U32(u32::MAX) | SampleValue::U64(u64::MAX)) => Err(NvmlError::NoData),
        Ok(SampleValue::U32(value)) => Ok(f64::from(value)),
        Ok(SampleValue::U64(value)) => Ok(value as f64),
        Ok(SampleValue::I64(value)) => Ok(value as f64),
        Ok(SampleValue::F64(value)) => Ok(value),
    }
}

fn utilization(gpu: &Device<'_>, values: &mut Values) -> Result<(), NvmlError> {
    let is = gpu.utilization_rates()?;
    values.push((Metric::GpuUtilization, None, percent(is.gpu)));
    values.push((Metric::GpuMemoryUtilization, None, percent(is.memory)));
    Ok(())
}

/// Memory of a GPU, or of the MIG instance that `gpu` then is.
fn memory(gpu: &Device<'_>, mig: Option<u32>, values: &mut Values) -> Result<(), NvmlError> {
    let is = gpu.memory_info()?;
    values.push((Metric::GpuMemoryUsed, mig, is.used as f64));
    values.push((Metric::GpuMemoryFree, mig, is.free as f64));
    values.push((Metric::GpuMemoryTotal, mig, is.total as f64));
    if mig.is_none() {
        values.push((Metric::GpuMemoryReserved, mig, is.reserved as f64));
    }
    Ok(())
}

/// Memory of each MIG instance. Its number is its place on the GPU, as `nvidia-smi -L` lists it; places may be empty.
fn mig_memory(gpu: &Device<'_>, values: &mut Values) -> Result<(), NvmlError> {
    if gpu.mig_mode()?.current == 0 {
        return Ok(());
    }
    for index in 0..gpu.mig_device_count()?.min(MIGS) {
        match gpu.mig_device_by_index(index) {
            Ok(instance) => memory(&instance, Some(index), values)?,
            Err(error) if meaning(&error) == Meaning::Nothing => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn limits(gpu: &Device<'_>, values: &mut Values) -> Result<(), NvmlError> {
    let is = gpu.power_management_limit_constraints()?;
    values.push((Metric::GpuPowerLimitMin, None, milli(is.min_limit)));
    values.push((Metric::GpuPowerLimitMax, None, milli(is.max_limit)));
    Ok(())
}

/// Seconds in which clocks were held down so.
fn held(gpu: &Device<'_>, policy: PerformancePolicy) -> Result<f64, NvmlError> {
    gpu.violation_status(policy).map(|is| is.violation_time as f64 / 1e9)
}

/// Errors of all of a GPU's memories since the driver was loaded.
fn ecc(gpu: &Device<'_>, kind: MemoryError) -> Result<f64, NvmlError> {
    gpu.total_ecc_errors(kind, EccCounter::Volatile).map(|count| count as f64)
}

/// The fastest fan.
fn fan(gpu: &Device<'_>) -> Result<f64, NvmlError> {
    let fans = gpu.num_fans()?.min(FANS);
    let speeds: Result<Vec<u32>, NvmlError> = (0..fans).map(|fan| gpu.fan_speed(fan)).collect();
    speeds?.into_iter().max().map(percent).ok_or(NvmlError::NotSupported)
}

/// Of each NVLink whether it is up. A GPU that has none does not support them.
fn links(gpu: &Device<'_>) -> Result<Vec<bool>, NvmlError> {
    let mut links = Vec::new();
    for link in 0..LINKS {
        match gpu.link_wrapper_for(link).is_active() {
            Ok(up) => links.push(up),
            Err(NvmlError::InvalidArg | NvmlError::NotSupported) => break,
            Err(error) => return Err(error),
        }
    }
    if links.is_empty() { Err(NvmlError::NotSupported) } else { Ok(links) }
}

/// Errors of all NVLinks: from the GPU's own totals, or, where it keeps none, link by link.
fn link_errors(gpu: &Device<'_>) -> Result<f64, NvmlError> {
    const TOTALS: [u32; 5] = [
        field_id::NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL,
        field_id::NVML_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL,
        field_id::NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL,
        field_id::NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL,
        field_id::NVML_FI_DEV_NVLINK_ECC_DATA_ERROR_COUNT_TOTAL,
    ];
    const EACH: [ErrorCounter; 4] =
        [ErrorCounter::DlReplay, ErrorCounter::DlRecovery, ErrorCounter::DlCrcFlit, ErrorCounter::DlCrcData];
    let totals = TOTALS.iter().map(|id| field(gpu, *id));
    if let Some(sum) = sum(totals)? {
        return Ok(sum);
    }
    let links = 0..u32::try_from(links(gpu)?.len()).unwrap_or(LINKS);
    let counts = links.flat_map(|link| EACH.map(|counter| (link, counter)));
    let counts = counts.map(|(link, counter)| gpu.link_wrapper_for(link).error_counter(counter).map(|is| is as f64));
    sum(counts)?.ok_or(NvmlError::NotSupported)
}

/// The sum of what is supported. Where another error stands between, none: a counter that leaves a part out runs back.
fn sum(counts: impl Iterator<Item = Result<f64, NvmlError>>) -> Result<Option<f64>, NvmlError> {
    let mut sum = None;
    for count in counts {
        match count {
            Ok(count) => *sum.get_or_insert(0.0) += count,
            Err(error) if meaning(&error) == Meaning::Unsupported => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sum)
}

/// Traffic of the last 20 ms, for which each of the two calls waits.
fn pcie(gpu: &Device<'_>, values: &mut Values) -> Result<(), NvmlError> {
    let kilobytes = |way| gpu.pcie_throughput(way).map(|is| f64::from(is) * 1e3);
    values.push((Metric::GpuPcieSent, None, kilobytes(PcieUtilCounter::Send)?));
    values.push((Metric::GpuPcieReceived, None, kilobytes(PcieUtilCounter::Receive)?));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_leaves_out_what_is_not_supported_and_fails_on_what_is_wrong() {
        let none = || Err(NvmlError::NotSupported);
        assert_eq!(sum([none(), Ok(2.0), none(), Ok(3.0)].into_iter()).unwrap(), Some(5.0));
        assert_eq!(sum([none(), none()].into_iter()).unwrap(), None);
        assert!(sum([Ok(2.0), Err(NvmlError::Unknown)].into_iter()).is_err());
    }

    #[test]
    fn nothing_is_read_twice() {
        let mut once: Vec<Metric> = PROBES
            .iter()
            .filter_map(|probe| match probe.1 {
                Ask::One(metric, _) => Some(metric),
                Ask::Many(..) => None,
            })
            .collect();
        let all = once.len();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all);
    }
}
